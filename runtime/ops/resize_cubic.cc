// Cubic resizing: each output pixel is a weighted sum of four by four input pixels, across first,
// then down. Weights by R. G. Keys, "Cubic Convolution Interpolation for Digital Image Processing",
// 1981, with the coefficient a.
#include "runtime/ops/resize.h"

#include <algorithm>

namespace figment::ops {
namespace {

// The kernel at a distance between 0 and 2.
double keys(double distance, double a) {
  if (distance <= 1.0) return ((a + 2.0) * distance - (a + 3.0)) * distance * distance + 1.0;
  return ((distance - 5.0) * distance + 8.0) * distance * a - 4.0 * a;
}

}  // namespace

CubicTaps cubic_taps(const format::Resize& options, int i, int input, int output, float scale) {
  double coordinate = input_coordinate(options.coordinates(), i, input, output, scale);
  // Inside int32 whatever the scale; so far outside every neighbour is the edge.
  coordinate = std::clamp(coordinate, -4.0, input + 3.0);
  const int below = static_cast<int>(coordinate + 4.0) - 4;  // the floor, from -4 on
  const double rest = coordinate - below;
  const double distances[] = {1.0 + rest, rest, 1.0 - rest, 2.0 - rest};
  double weights[4];
  double sum = 0.0;
  CubicTaps taps;
  for (int tap = 0; tap < 4; ++tap) {
    const int place = below - 1 + tap;
    const bool outside = place < 0 || place >= input;
    weights[tap] = outside && options.exclude_outside()
                       ? 0.0
                       : keys(distances[tap], static_cast<double>(options.cubic_coefficient()));
    sum += weights[tap];
    taps.place[tap] = std::clamp(place, 0, input - 1);
  }
  // Without exclusions the sum is 1, but for rounding.
  const double factor = options.exclude_outside() && sum != 0.0 ? 1.0 / sum : 1.0;
  for (int tap = 0; tap < 4; ++tap) taps.weight[tap] = static_cast<float>(weights[tap] * factor);
  return taps;
}

namespace {

float weighted(const CubicTaps& taps, float first, float second, float third, float fourth) {
  return ((taps.weight[0] * first + taps.weight[1] * second) + taps.weight[2] * third) +
         taps.weight[3] * fourth;
}

}  // namespace

void resize_cubic(const Operation& operation) {
  const auto& options = operation.as<format::Resize>();
  const Shape& x = operation.in(0).shape;
  const int width = options.width();
  const std::int64_t channels = x[3];
  const std::int64_t row_floats = x[2] * channels;
  auto* across = reinterpret_cast<CubicTaps*>(operation.scratch);
  for (int column = 0; column < width; ++column)
    across[column] = cubic_taps(options, column, x[2], width, options.scale_width());
  float* output = operation.out().floats();
  for (std::int64_t n = 0; n < x[0]; ++n) {
    const float* picture = operation.in(0).floats() + n * x[1] * row_floats;
    for (int y = 0; y < options.height(); ++y) {
      const CubicTaps down = cubic_taps(options, y, x[1], options.height(), options.scale_height());
      for (int column = 0; column < width; ++column, output += channels) {
        const CubicTaps& taps = across[column];
        for (std::int64_t channel = 0; channel < channels; ++channel) {
          float rows[4];
          for (int row = 0; row < 4; ++row) {
            const float* from = picture + down.place[row] * row_floats + channel;
            rows[row] =
                weighted(taps, from[taps.place[0] * channels], from[taps.place[1] * channels],
                         from[taps.place[2] * channels], from[taps.place[3] * channels]);
          }
          output[channel] = weighted(down, rows[0], rows[1], rows[2], rows[3]);
        }
      }
    }
  }
}

}  // namespace figment::ops
