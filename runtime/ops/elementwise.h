// Functions of two tensors of float32 or int32, broadcast as in NumPy: the walk that Binary and
// Compare share.
#pragma once

#include <cstring>

#include "runtime/math/broadcast.h"
#include "runtime/ops/checks.h"

namespace figment::ops {

// The shape that both operands are broadcast to.
inline Status broadcast_operands(const Operation& operation, Shape& together) {
  const Shape& a = operation.in(0).shape;
  const Shape& b = operation.in(1).shape;
  if (math::broadcast_shapes(a, b, together)) return {};
  return bad_file({"shapes ", a, " and ", b, " cannot be broadcast together"});
}

// y = function(a, b) for blocks that do not overlap; up to the next multiple of 4, a whole vector.
using Kernel = void (*)(const void* a, const void* b, void* y, std::int64_t count);

template <typename T, typename Result, auto kFunction>
void each(const void* __restrict a, const void* __restrict b, void* __restrict y,
          std::int64_t count) {
  const T* a_values = static_cast<const T*>(a);
  const T* b_values = static_cast<const T*>(b);
  Result* y_values = static_cast<Result*>(y);
  const std::int64_t padded = (count + 3) / 4 * 4;
  for (std::int64_t i = 0; i < padded; ++i) y_values[i] = kFunction(a_values[i], b_values[i]);
}

// Numbers that are worked on at once, and bytes of each.
inline constexpr std::int64_t kBlock = 32;
inline constexpr std::size_t kNumberBytes = 4;

// Loads `count` numbers that stand `stride` (0 or 1) apart. Those that repeat are loaded once a
// row.
inline void load_block(std::byte* block, const std::byte* values, std::int64_t stride,
                       std::int64_t done, std::int64_t count) {
  if (stride == 1) {
    std::memcpy(block, values + static_cast<std::size_t>(done) * kNumberBytes,
                static_cast<std::size_t>(count) * kNumberBytes);
  } else if (done == 0) {
    for (std::int64_t i = 0; i < count; ++i)
      std::memcpy(block + static_cast<std::size_t>(i) * kNumberBytes, values, kNumberBytes);
  }
}

// Rows go through blocks of their own, so that y may lie on a. The same shape, one number, and a
// vector along the last axes are one or few long rows.
inline void run_blocks(Kernel kernel, const Operation& operation) {
  const math::Axes<2> axes =
      math::broadcast_axes(operation.in(0).shape, operation.in(1).shape, operation.out().shape);
  const auto* a = static_cast<const std::byte*>(operation.in(0).data);
  const auto* b = static_cast<const std::byte*>(operation.in(1).data);
  auto* y = static_cast<std::byte*>(operation.out().data);
  alignas(16) std::byte a_block[kBlock * kNumberBytes] = {};
  alignas(16) std::byte b_block[kBlock * kNumberBytes] = {};
  alignas(16) std::byte y_block[kBlock * kNumberBytes];
  const std::int64_t length = axes.row_length();
  axes.for_each_row([&](const std::int64_t* offsets) {
    for (std::int64_t done = 0; done < length; done += kBlock) {
      const std::int64_t count = length - done < kBlock ? length - done : kBlock;
      const std::size_t bytes = static_cast<std::size_t>(count) * kNumberBytes;
      load_block(a_block, a + static_cast<std::size_t>(offsets[0]) * kNumberBytes,
                 axes.row_stride(0), done, count);
      load_block(b_block, b + static_cast<std::size_t>(offsets[1]) * kNumberBytes,
                 axes.row_stride(1), done, count);
      kernel(a_block, b_block, y_block, count);
      std::memcpy(y, y_block, bytes);
      y += bytes;
    }
  });
}

}  // namespace figment::ops
