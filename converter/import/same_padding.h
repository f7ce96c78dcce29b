// TensorFlow's padding "same": the output has ceil(extent / stride) pixels, and of an odd number of
// padded ones the last side has one more.
#pragma once

#include <algorithm>
#include <cstdint>

namespace figment::converter {

struct SamePadding {
  std::int64_t before = 0, after = 0;
};

// Along one axis of `extent` pixels, for a window of `kernel` taps; all are at least 1.
inline SamePadding same_padding(std::int64_t extent, std::int64_t kernel, std::int64_t stride,
                                std::int64_t dilation) {
  const std::int64_t outputs = (extent + stride - 1) / stride;
  const std::int64_t span = (kernel - 1) * dilation + 1;
  const std::int64_t total = std::max<std::int64_t>(0, (outputs - 1) * stride + span - extent);
  return {total / 2, total - total / 2};
}

}  // namespace figment::converter
