// Gradients of resizing against central differences in double precision, and against PyTorch's.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/train/backward/torch_goldens.h"

namespace figment::testing {
namespace {

using format::ResizeCoordinates;
using format::ResizeMode;
using format::ResizeRounding;

format::ResizeT resize(ResizeMode mode, ResizeCoordinates coordinates, int height, int width) {
  format::ResizeT options;
  options.mode = mode;
  options.coordinates = coordinates;
  options.height = height;
  options.width = width;
  return options;
}

double coordinate_of(const format::ResizeT& options, int i, int input, int output, float scale) {
  const double factor = scale == 0 ? double{1} * output / input : double{scale};
  switch (options.coordinates) {
    case ResizeCoordinates::AlignCorners:
      return output == 1 ? 0 : i * (input - 1) / (factor * input - 1);
    case ResizeCoordinates::Asymmetric:
      return i / factor;
    case ResizeCoordinates::PytorchHalfPixel:
      return output == 1 ? 0 : (i + 0.5) / factor - 0.5;
    case ResizeCoordinates::HalfPixel:
      break;
  }
  return (i + 0.5) / factor - 0.5;
}

double rounded(ResizeRounding rounding, double x) {
  switch (rounding) {
    case ResizeRounding::RoundPreferFloor:
      return std::ceil(x - 0.5);
    case ResizeRounding::RoundPreferCeil:
      return std::floor(x + 0.5);
    case ResizeRounding::Floor:
      return std::floor(x);
    case ResizeRounding::Ceil:
      break;
  }
  return std::ceil(x);
}

double keys(double distance, double a) {
  const double d = std::fabs(distance);
  if (d <= 1) return (a + 2) * d * d * d - (a + 3) * d * d + 1;
  return d < 2 ? a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a : 0;
}

// The weights of all input places, for one output place.
std::vector<double> weights_of(const format::ResizeT& options, int i, int input, int output,
                               float scale) {
  const double x = coordinate_of(options, i, input, output, scale);
  std::vector<double> weights(element(input));
  const auto at = [&](double place) -> double& {
    return weights[element(std::clamp(place, 0.0, input - 1.0))];
  };
  if (options.mode == ResizeMode::Nearest) {
    at(rounded(options.rounding, x)) = 1;
    return weights;
  }
  const double below = std::floor(x);
  if (options.mode == ResizeMode::Linear) {
    at(below) += 1 - (x - below);
    at(below + 1) += x - below;
    return weights;
  }
  double sum = 0;
  for (double place = below - 1; place <= below + 2; ++place) {
    if (options.exclude_outside && (place < 0 || place >= input)) continue;
    const double weight = keys(x - place, double{options.cubic_coefficient});
    at(place) += weight;
    sum += weight;
  }
  for (double& weight : weights) weight /= options.exclude_outside ? sum : 1;
  return weights;
}

void check_resize(int batch, int height, int width, int channels, const format::ResizeT& options) {
  CAPTURE(options.mode);
  CAPTURE(options.coordinates);
  CAPTURE(options.rounding);
  CAPTURE(options.height);
  BackwardCase test;
  test.options = options_of(options);
  test.operands = {random_operand({batch, height, width, channels}, 1)};
  test.definition = [=](const Doubles& operands) {
    std::vector<double> y;
    for (int n = 0; n < batch; ++n)
      for (int i = 0; i < options.height; ++i)
        for (int j = 0; j < options.width; ++j) {
          const std::vector<double> down =
              weights_of(options, i, height, options.height, options.scale_height);
          const std::vector<double> across =
              weights_of(options, j, width, options.width, options.scale_width);
          for (int c = 0; c < channels; ++c) {
            double sum = 0;
            for (int row = 0; row < height; ++row)
              for (int column = 0; column < width; ++column)
                sum += down[element(row)] * across[element(column)] *
                       operands[0][element(((n * height + row) * width + column) * channels + c)];
            y.push_back(sum);
          }
        }
    return y;
  };
  check_backward(test);
}

constexpr ResizeCoordinates kCoordinates[] = {
    ResizeCoordinates::HalfPixel, ResizeCoordinates::AlignCorners, ResizeCoordinates::Asymmetric,
    ResizeCoordinates::PytorchHalfPixel};

TEST_CASE("gradients of resizing") {
  for (const ResizeMode mode : {ResizeMode::Nearest, ResizeMode::Linear, ResizeMode::Cubic})
    for (const ResizeCoordinates coordinates : kCoordinates) {
      check_resize(2, 3, 4, 2, resize(mode, coordinates, 6, 8));
      check_resize(1, 5, 4, 1, resize(mode, coordinates, 7, 3));
      check_resize(1, 4, 3, 2, resize(mode, coordinates, 1, 2));
    }
}

TEST_CASE("gradients of every rounding of the nearest") {
  for (const ResizeRounding rounding :
       {ResizeRounding::RoundPreferFloor, ResizeRounding::RoundPreferCeil, ResizeRounding::Floor,
        ResizeRounding::Ceil}) {
    format::ResizeT options = resize(ResizeMode::Nearest, ResizeCoordinates::HalfPixel, 4, 3);
    options.rounding = rounding;
    check_resize(1, 8, 6, 3, options);
  }
}

TEST_CASE("gradients of resizing by a scale, and of cubic ways") {
  format::ResizeT options = resize(ResizeMode::Linear, ResizeCoordinates::HalfPixel, 7, 5);
  options.scale_height = 1.75F;
  options.scale_width = 1.3F;
  check_resize(1, 4, 4, 2, options);
  options.mode = ResizeMode::Cubic;
  options.cubic_coefficient = -0.5F;
  check_resize(1, 4, 4, 2, options);
  options.exclude_outside = true;
  check_resize(1, 4, 4, 2, options);
}

TEST_CASE("gradients of resizing are those of PyTorch") {
  format::ResizeT nearest = resize(ResizeMode::Nearest, ResizeCoordinates::Asymmetric, 6, 9);
  nearest.rounding = ResizeRounding::Floor;
  check_torch_golden("nearest", options_of(nearest));
  check_torch_golden("bilinear",
                     options_of(resize(ResizeMode::Linear, ResizeCoordinates::HalfPixel, 6, 9)));
  check_torch_golden("bilinear_corners",
                     options_of(resize(ResizeMode::Linear, ResizeCoordinates::AlignCorners, 3, 7)));
  check_torch_golden("bicubic",
                     options_of(resize(ResizeMode::Cubic, ResizeCoordinates::HalfPixel, 6, 9)));
}

}  // namespace
}  // namespace figment::testing
