// Copies elements of any type that lie apart into a row-major tensor.
#include "runtime/math/copy.h"

#include <cstring>

namespace figment::math {
namespace {

// Elements as bits of their size, moved by memcpy: their own type does not matter.
template <std::size_t kBytes>
void copy_apart(const std::byte* x, std::int64_t stride, std::byte* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i)
    std::memcpy(y + i * static_cast<std::int64_t>(kBytes),
                x + i * stride * static_cast<std::int64_t>(kBytes), kBytes);
}

}  // namespace

void copy_elements(const Axes<1>& axes, const std::byte* x, std::byte* y,
                   std::size_t element_bytes) {
  const std::int64_t length = axes.row_length();
  const std::int64_t stride = length == 1 ? 1 : axes.row_stride(0);
  const std::int64_t bytes = static_cast<std::int64_t>(element_bytes);
  axes.for_each_row([&](const std::int64_t* offsets) {
    const std::byte* row = x + offsets[0] * bytes;
    if (stride == 1) {
      std::memcpy(y, row, static_cast<std::size_t>(length * bytes));
    } else if (element_bytes == 4) {
      copy_apart<4>(row, stride, y, length);
    } else {
      copy_apart<1>(row, stride, y, length);
    }
    y += length * bytes;
  });
}

void repeat_element(const std::byte* value, std::byte* y, std::int64_t count,
                    std::size_t element_bytes) {
  if (element_bytes == 4) {
    copy_apart<4>(value, 0, y, count);
  } else {
    copy_apart<1>(value, 0, y, count);
  }
}

}  // namespace figment::math
