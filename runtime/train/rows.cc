// Rows filled and summed.
#include "runtime/train/rows.h"

#include <algorithm>
#include <cstring>

#include "runtime/train/threads.h"

namespace figment::train {

void fill_rows(const float* row, std::int64_t rows, std::int64_t columns, float* y,
               pthreadpool* threads) {
  const std::size_t bytes = static_cast<std::size_t>(columns) * sizeof(float);
  const auto fill = [&](std::size_t, std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      if (row == nullptr)
        std::memset(y + i * columns, 0, bytes);
      else
        std::memcpy(y + i * columns, row, bytes);
    }
  };
  share(rows * columns < kWorthSharing ? nullptr : threads, rows, fill);
}

void fill_zeros(float* y, std::int64_t count, pthreadpool* threads) {
  share_elements(threads, count, [&](std::int64_t first, std::int64_t last) {
    std::memset(y + first, 0, static_cast<std::size_t>(last - first) * sizeof(float));
  });
}

void sum_rows(const float* x, std::int64_t rows, std::int64_t columns, float* sums,
              pthreadpool* threads) {
  // Sums of few numbers each, so that long columns lose little: a pixel row's worth at a time.
  constexpr std::int64_t kColumns = 64;
  constexpr std::int64_t kRows = 256;
  constexpr std::int64_t kParts = 8;  // that threads share
  if (rows * columns < kWorthSharing) threads = nullptr;
  for (std::int64_t first = 0; first < columns; first += kColumns) {
    const std::int64_t width = std::min(kColumns, columns - first);
    float total[kColumns] = {};
    for (std::int64_t row = 0; row < rows; row += kParts * kRows) {
      float sums_of_parts[kParts][kColumns] = {};
      const std::int64_t parts = std::min(kParts, (rows - row + kRows - 1) / kRows);
      share(parts < 2 ? nullptr : threads, parts,
            [&](std::size_t, std::int64_t begin, std::int64_t end) {
              for (std::int64_t part = begin; part < end; ++part) {
                const std::int64_t last = std::min(rows, row + (part + 1) * kRows);
                for (std::int64_t i = row + part * kRows; i < last; ++i)
                  for (std::int64_t column = 0; column < width; ++column)
                    sums_of_parts[part][column] += x[i * columns + first + column];
              }
            });
      for (std::int64_t part = 0; part < parts; ++part)
        for (std::int64_t column = 0; column < width; ++column)
          total[column] += sums_of_parts[part][column];
    }
    std::memcpy(sums + first, total, static_cast<std::size_t>(width) * sizeof(float));
  }
}

}  // namespace figment::train
