// Statistics and the loops over rows of channels. Everything is summed in float32 over few numbers
// at a time, which stay in the first-level cache; those sums are added in double precision. So the
// innermost loops are as fast as memory, and long columns lose nothing.
#include "runtime/train/normalization.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "runtime/train/lanes.h"

namespace figment::train {
namespace {

// Rows and columns that are summed in float32.
constexpr std::int64_t kRows = 64;
constexpr std::int64_t kColumns = 32;
// Numbers of a line that are summed in float32.
constexpr std::int64_t kNumbers = 1024;

// Calls function(offset, rows, column, width) for blocks of rows, and columns of each: a block's
// first number stands at `offset`.
template <typename Function>
void for_each_tile(std::int64_t rows, std::int64_t columns, std::int64_t first, std::int64_t last,
                   const Function& function) {
  for (std::int64_t row = 0; row < rows; row += kRows)
    for (std::int64_t column = first; column < last; column += kColumns) {
      const std::int64_t width = std::min(kColumns, last - column);
      const std::int64_t offset = row * columns + column;
      const std::int64_t count = std::min(kRows, rows - row);
      // A loop of known length has its sums in registers.
      if (width == kColumns)
        function(offset, count, column, std::integral_constant<std::int64_t, kColumns>{});
      else
        function(offset, count, column, width);
    }
}

// The moments of `count` numbers of which the sums of (x - centre) and of its square are given:
// the centre need not be their mean to the last bit.
Moments moments_about(double count, double centre, double sum, double squares) {
  const double distance = sum / count;
  return {count, centre + distance, std::max(0.0, squares - sum * distance)};
}

}  // namespace

void Moments::merge(const Moments& more) {
  if (count == 0) {  // as it is with short lines
    *this = more;
    return;
  }
  const double together = count + more.count;
  const double distance = more.mean - mean;
  mean += distance * (more.count / together);
  squares += more.squares + distance * distance * (count * more.count / together);
  count = together;
}

Moments moments_of(const float* x, std::int64_t count) {
  Moments all;
  for (std::int64_t done = 0; done < count; done += kNumbers, x += kNumbers) {
    const std::int64_t length = std::min(kNumbers, count - done);
    const std::int64_t whole = length / kLanes * kLanes;
    const double numbers = static_cast<double>(length);
    Lanes sums = {};
    for (std::int64_t i = 0; i < whole; i += kLanes)
      for (std::int64_t lane = 0; lane < kLanes; ++lane) sums[lane] += x[i + lane];
    for (std::int64_t i = whole; i < length; ++i) sums[i - whole] += x[i];
    const float centre = add_lanes(sums) / static_cast<float>(length);
    Lanes distances = {};
    Lanes squares = {};
    for (std::int64_t i = 0; i < whole; i += kLanes)
      for (std::int64_t lane = 0; lane < kLanes; ++lane) {
        const float distance = x[i + lane] - centre;
        distances[lane] += distance;
        squares[lane] += distance * distance;
      }
    for (std::int64_t i = whole; i < length; ++i) {
      const float distance = x[i] - centre;
      distances[i - whole] += distance;
      squares[i - whole] += distance * distance;
    }
    all.merge(moments_about(numbers, static_cast<double>(centre),
                            static_cast<double>(add_lanes(distances)),
                            static_cast<double>(add_lanes(squares))));
  }
  return all;
}

void column_moments(const float* x, std::int64_t rows, std::int64_t columns, std::int64_t first,
                    std::int64_t last, Moments* moments) {
  std::fill(moments + first, moments + last, Moments{});
  for_each_tile(rows, columns, first, last,
                [&](std::int64_t offset, std::int64_t count, std::int64_t column, auto width) {
                  const float* block = x + offset;
                  float centres[kColumns] = {};
                  for (std::int64_t row = 0; row < count; ++row)
                    for (std::int64_t i = 0; i < width; ++i) centres[i] += block[row * columns + i];
                  const float part = 1.0F / static_cast<float>(count);
                  for (std::int64_t i = 0; i < width; ++i) centres[i] *= part;
                  float sums[kColumns] = {};
                  float squares[kColumns] = {};
                  for (std::int64_t row = 0; row < count; ++row)
                    for (std::int64_t i = 0; i < width; ++i) {
                      const float distance = block[row * columns + i] - centres[i];
                      sums[i] += distance;
                      squares[i] += distance * distance;
                    }
                  for (std::int64_t i = 0; i < width; ++i)
                    moments[column + i].merge(moments_about(
                        static_cast<double>(count), static_cast<double>(centres[i]),
                        static_cast<double>(sums[i]), static_cast<double>(squares[i])));
                });
}

Normal normal_of(double mean, double variance, double epsilon) {
  const float centre = static_cast<float>(mean);
  const double factor = 1.0 / std::sqrt(variance + epsilon);
  return {centre, static_cast<float>(factor),
          static_cast<float>((static_cast<double>(centre) - mean) * factor)};
}

void column_sums(const float* dy, const float* x, const float* centres, std::int64_t rows,
                 std::int64_t columns, std::int64_t first, std::int64_t last, ColumnSums* sums) {
  std::fill(sums + first, sums + last, ColumnSums{});
  for_each_tile(rows, columns, first, last,
                [&](std::int64_t offset, std::int64_t count, std::int64_t column, auto width) {
                  const float* dy_block = dy + offset;
                  const float* x_block = x + offset;
                  float centre[kColumns];
                  std::copy_n(centres + column, static_cast<std::int64_t>(width), centre);
                  float gradients[kColumns] = {};
                  float products[kColumns] = {};
                  for (std::int64_t row = 0; row < count; ++row)
                    for (std::int64_t i = 0; i < width; ++i) {
                      const float gradient = dy_block[row * columns + i];
                      gradients[i] += gradient;
                      products[i] += gradient * (x_block[row * columns + i] - centre[i]);
                    }
                  for (std::int64_t i = 0; i < width; ++i) {
                    sums[column + i].gradients += static_cast<double>(gradients[i]);
                    sums[column + i].products += static_cast<double>(products[i]);
                  }
                });
}

void row_sums(const float* dy, const float* x, const Normal* normals, std::int64_t rows,
              std::int64_t columns, std::int64_t first, std::int64_t last, ColumnSums* sums) {
  std::fill(sums + first, sums + last, ColumnSums{});
  for_each_tile(rows, columns, first, last,
                [&](std::int64_t offset, std::int64_t count, std::int64_t column, auto width) {
                  const float* dy_block = dy + offset;
                  const float* x_block = x + offset;
                  const Normal* normal = normals + (offset - column) / columns;
                  float gradients[kColumns] = {};
                  float products[kColumns] = {};
                  for (std::int64_t row = 0; row < count; ++row)
                    for (std::int64_t i = 0; i < width; ++i) {
                      const float gradient = dy_block[row * columns + i];
                      gradients[i] += gradient;
                      products[i] += gradient * ((x_block[row * columns + i] - normal[row].centre) *
                                                     normal[row].factor +
                                                 normal[row].shift);
                    }
                  for (std::int64_t i = 0; i < width; ++i) {
                    sums[column + i].gradients += static_cast<double>(gradients[i]);
                    sums[column + i].products += static_cast<double>(products[i]);
                  }
                });
}

void scale_rows(const float* x, const float* centres, const float* factors, const float* offsets,
                std::int64_t rows, std::int64_t columns, float* y) {
  for (std::int64_t row = 0; row < rows; ++row, x += columns, y += columns)
    for (std::int64_t i = 0; i < columns; ++i) y[i] = (x[i] - centres[i]) * factors[i] + offsets[i];
}

void gradient_rows(const float* dy, const float* x, const float* centres, const float* factors,
                   const float* slopes, const float* offsets, std::int64_t rows,
                   std::int64_t columns, float* dx) {
  for (std::int64_t row = 0; row < rows; ++row, dy += columns, x += columns, dx += columns)
    for (std::int64_t i = 0; i < columns; ++i)
      dx[i] = dy[i] * factors[i] + (x[i] - centres[i]) * slopes[i] + offsets[i];
}

void multiply_rows(const float* dy, const float* factors, std::int64_t rows, std::int64_t columns,
                   float* dx) {
  for (std::int64_t row = 0; row < rows; ++row, dy += columns, dx += columns)
    for (std::int64_t i = 0; i < columns; ++i) dx[i] = dy[i] * factors[i];
}

}  // namespace figment::train
