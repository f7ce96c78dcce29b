// Pictures: what an image decoder gives, as bytes.
#include <cmath>

#include "figment/figment.h"
#include "runtime/base/error.h"
#include "runtime/math/elementary.h"

namespace figment {
namespace {

// 255 times the fraction, rounded to the nearest with halves up, clamped; NaN is black.
std::uint8_t byte_of(float fraction) {
  const float level = std::floor(fraction * 255.0F + 0.5F);
  if (!(level > 0.0F)) return 0;
  return level < 255.0F ? static_cast<std::uint8_t>(level) : std::uint8_t{255};
}

Status check(const Tensor& image, const ImageReading& reading, std::size_t room, int index) {
  if (image.type != DataType::kFloat32)
    return bad_argument({"a picture is made of float32 numbers, which this tensor does not hold"});
  if (reading.height <= 0 || reading.width <= 0)
    return bad_argument({"the model does not say that this output is a picture"});
  if (reading.channels != 1 && reading.channels != 3)
    return bad_argument({"a picture has 1 or 3 channels, not ", reading.channels});
  // Differences in double precision: those of float32 may overflow.
  const double range = double{reading.high} - double{reading.low};
  if (!(range != 0.0) || !(range < 1e38 && range > -1e38))
    return bad_argument({"the picture's range from black to white is empty or not finite"});
  const Shape& shape = image.shape;
  // Divided one after another: the product could overflow.
  std::int64_t rest = shape.rank >= 2 && shape[0] > 0 ? shape.elements() / shape[0] : 0;
  for (std::int32_t extent : {reading.height, reading.width, reading.channels}) {
    if (rest % extent != 0) rest = 0;
    rest /= extent;
  }
  if (rest != 1)
    return bad_argument({"a tensor of shape ", shape, " holds no pictures of ", reading.height,
                         " by ", reading.width, " with ", reading.channels, " channels"});
  if (index < 0 || index >= shape[0])
    return bad_argument({"picture ", index, " is asked for but there are ", shape[0]});
  const std::size_t need = std::size_t{3} * static_cast<std::size_t>(reading.height) *
                           static_cast<std::size_t>(reading.width);
  if (room < need)
    return bad_argument({"the picture takes ", need, " bytes but ", room, " are given"});
  return {};
}

}  // namespace

Status to_rgb8(const Tensor& image, const ImageReading& reading, std::span<std::uint8_t> pixels,
               int index) {
  FIG_TRY(check(image, reading, pixels.size(), index));
  const std::int64_t points = std::int64_t{reading.height} * reading.width;
  const float* value = image.floats() + index * points * reading.channels;
  const float range = reading.high - reading.low;
  std::uint8_t* pixel = pixels.data();
  for (std::int64_t point = 0; point < points; ++point, value += reading.channels) {
    for (int channel = 0; channel < 3; ++channel) {
      const float shown = value[reading.channels == 3 ? channel : 0];
      *pixel++ = byte_of((shown - reading.low) / range);
    }
  }
  return {};
}

}  // namespace figment
