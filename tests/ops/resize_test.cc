// Resize on both backends against ONNX's definition in double precision, and its refusals.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/ops/operands.h"

namespace figment::testing {
namespace {

using format::ResizeCoordinates;
using format::ResizeMode;
using format::ResizeRounding;
using format::ResizeT;

ResizeT resizing(ResizeMode mode, int height, int width,
                 ResizeCoordinates coordinates = ResizeCoordinates::HalfPixel,
                 ResizeRounding rounding = ResizeRounding::RoundPreferFloor) {
  ResizeT options;
  options.mode = mode;
  options.height = height;
  options.width = width;
  options.coordinates = coordinates;
  options.rounding = rounding;
  return options;
}

double coordinate(const ResizeT& o, int i, int input, int output, float scale) {
  const double s = scale == 0 ? double(output) / input : double{scale};
  switch (o.coordinates) {
    case ResizeCoordinates::AlignCorners:
      return output == 1 ? 0 : double(i) * (input - 1) / (s * input - 1);
    case ResizeCoordinates::Asymmetric:
      return i / s;
    case ResizeCoordinates::PytorchHalfPixel:
      return output == 1 ? 0 : (i + 0.5) / s - 0.5;
    default:
      return (i + 0.5) / s - 0.5;
  }
}

int rounded(const ResizeT& o, double place) {
  // A place that double precision misses by its last bits is meant to be on the mark.
  const double nearest_half = std::round(place * 2) / 2;
  if (std::fabs(place - nearest_half) < 1e-9) place = nearest_half;
  switch (o.rounding) {
    case ResizeRounding::RoundPreferFloor:
      return static_cast<int>(std::ceil(place - 0.5));
    case ResizeRounding::RoundPreferCeil:
      return static_cast<int>(std::floor(place + 0.5));
    case ResizeRounding::Floor:
      return static_cast<int>(std::floor(place));
    default:
      return static_cast<int>(std::ceil(place));
  }
}

// The weight of each input place in output place `i`.
std::vector<double> weights(const ResizeT& o, int i, int input, int output, float scale) {
  const double place = coordinate(o, i, input, output, scale);
  std::vector<double> result(static_cast<std::size_t>(input));
  const auto inside = [&](double index) {
    return static_cast<std::size_t>(std::clamp(index, 0.0, input - 1.0));
  };
  if (o.mode == ResizeMode::Nearest) {
    result[inside(rounded(o, place))] = 1;
  } else if (o.mode == ResizeMode::Cubic) {
    const double a = double{o.cubic_coefficient};
    double sum = 0;
    for (double index = std::floor(place) - 1; index <= std::floor(place) + 2; ++index) {
      if (o.exclude_outside && (index < 0 || index >= input)) continue;
      const double d = std::fabs(place - index);
      const double weight = d <= 1 ? (a + 2) * d * d * d - (a + 3) * d * d + 1
                                   : a * (d * d * d - 5 * d * d + 8 * d - 4);
      result[inside(index)] += weight;
      sum += weight;
    }
    for (double& weight : result) weight /= sum;
  } else {
    const double below = std::floor(place);
    result[inside(below)] += 1 - (place - below);
    result[inside(below + 1)] += place - below;
  }
  return result;
}

std::vector<double> reference(const ResizeT& o, const TestTensor& x) {
  std::vector<double> result;
  for (int n = 0; n < x.shape[0]; ++n)
    for (int y = 0; y < o.height; ++y)
      for (int column = 0; column < o.width; ++column)
        for (int c = 0; c < x.shape[3]; ++c) {
          const std::vector<double> down = weights(o, y, x.shape[1], o.height, o.scale_height);
          const std::vector<double> across = weights(o, column, x.shape[2], o.width, o.scale_width);
          double sum = 0;
          for (int in_y = 0; in_y < x.shape[1]; ++in_y)
            for (int in_x = 0; in_x < x.shape[2]; ++in_x)
              sum += down[static_cast<std::size_t>(in_y)] * across[static_cast<std::size_t>(in_x)] *
                     double{x.values[at(x.shape, n, in_y, in_x, c)]};
          result.push_back(sum);
        }
  return result;
}

void check(const ResizeT& options, const Shape& shape) {
  CAPTURE(options.height);
  CAPTURE(options.width);
  CAPTURE(static_cast<int>(options.mode));
  CAPTURE(static_cast<int>(options.coordinates));
  CAPTURE(static_cast<int>(options.rounding));
  const TestTensor x = batched_input(shape);
  const Shape expected = shape_of({shape[0], options.height, options.width, shape[3]});
  check_operator(options_of(options), {x}, expected, reference(options, x));
}

constexpr ResizeCoordinates kAllCoordinates[] = {
    ResizeCoordinates::HalfPixel, ResizeCoordinates::AlignCorners, ResizeCoordinates::Asymmetric,
    ResizeCoordinates::PytorchHalfPixel};
constexpr ResizeRounding kAllRoundings[] = {ResizeRounding::RoundPreferFloor,
                                            ResizeRounding::RoundPreferCeil, ResizeRounding::Floor,
                                            ResizeRounding::Ceil};

TEST_CASE("twice the size, as generators do") {
  for (int batch : {1, 5})
    for (int channels : {1, 3, 7, 17, 24}) {
      check(resizing(ResizeMode::Nearest, 10, 14, ResizeCoordinates::Asymmetric,
                     ResizeRounding::Floor),
            shape_of({batch, 5, 7, channels}));
      check(resizing(ResizeMode::Linear, 10, 14), shape_of({batch, 5, 7, channels}));
    }
}

TEST_CASE("every coordinate and rounding, up and down, nearest") {
  for (ResizeCoordinates coordinates : kAllCoordinates)
    for (ResizeRounding rounding : kAllRoundings)
      for (int height : {1, 2, 5, 7, 10, 15})
        check(resizing(ResizeMode::Nearest, height, 13, coordinates, rounding),
              shape_of({1, 5, 4, 3}));
}

TEST_CASE("every coordinate, up and down, cubic") {
  for (ResizeCoordinates coordinates : kAllCoordinates)
    for (int height : {1, 2, 5, 7, 15})
      for (int batch : {1, 5})
        for (bool exclude : {false, true}) {
          ResizeT options = resizing(ResizeMode::Cubic, height, 11, coordinates);
          options.exclude_outside = exclude;
          options.cubic_coefficient = exclude ? -0.5F : -0.75F;
          check(options, shape_of({batch, 5, 4, 7}));
        }
  ResizeT broken = resizing(ResizeMode::Cubic, 3, 3);
  broken.cubic_coefficient = std::numeric_limits<float>::quiet_NaN();
  check_refused(options_of(broken), {batched_input(shape_of({1, 5, 4, 3}))}, {}, "coefficient");
}

TEST_CASE("align_corners with a scale that gives no whole extent") {
  ResizeT options = resizing(ResizeMode::Linear, 3, 2, ResizeCoordinates::AlignCorners);
  options.scale_height = 0.7F;
  options.scale_width = 0.6F;
  check(options, shape_of({1, 5, 4, 3}));
  options.scale_width = 0.4F;
  check_refused(options_of(options), {batched_input(shape_of({1, 5, 4, 3}))}, {}, "extent");
}

TEST_CASE("every coordinate, up and down, linear") {
  for (ResizeCoordinates coordinates : kAllCoordinates)
    for (int height : {1, 2, 5, 7, 10, 15})
      for (int width : {1, 4, 13})
        check(resizing(ResizeMode::Linear, height, width, coordinates), shape_of({2, 5, 4, 3}));
}

TEST_CASE("one pixel fills the picture") {
  for (ResizeCoordinates coordinates : kAllCoordinates) {
    check(resizing(ResizeMode::Nearest, 5, 7, coordinates), shape_of({1, 1, 1, 3}));
    check(resizing(ResizeMode::Linear, 5, 7, coordinates), shape_of({1, 1, 1, 3}));
  }
}

TEST_CASE("a given scale that the extents do not have") {
  for (ResizeCoordinates coordinates : kAllCoordinates)
    for (ResizeMode mode : {ResizeMode::Nearest, ResizeMode::Linear}) {
      ResizeT options = resizing(mode, 12, 9, coordinates, ResizeRounding::Floor);
      options.scale_height = 2.4f;
      options.scale_width = 1.3f;
      check(options, shape_of({1, 5, 7, 3}));
    }
}

TEST_CASE("a scale next to nothing reads the far edge") {
  ResizeT options = resizing(ResizeMode::Linear, 3, 3, ResizeCoordinates::Asymmetric);
  options.scale_height = options.scale_width = 1e-38f;
  for (ResizeMode mode : {ResizeMode::Nearest, ResizeMode::Linear}) {
    options.mode = mode;
    const TestTensor x = fixed_input(shape_of({1, 5, 5, 1}));
    const double first = double{x.values[0]}, right = double{x.values[4]};
    const double below = double{x.values[20]}, last = double{x.values[24]};
    check_operator_on(Backend::kPortable, options_of(options), {x}, shape_of({1, 3, 3, 1}),
                      {first, right, right, below, last, last, below, last, last});
  }
}

TEST_CASE("int8 moves as float32 does, and is not blended") {
  const ResizeT nearest = resizing(ResizeMode::Nearest, 7, 9);
  TestTensor x = batched_input(shape_of({2, 3, 5, 3}));
  TestTensor small = x;
  small.type = DataType::kInt8;
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    small.integers.push_back(static_cast<std::int32_t>(i * 7 % 256) - 128);
    x.values[i] = static_cast<float>(small.integers.back());
  }
  const Run expected = run_operator(options_of(nearest), {x}, {}, Backend::kPortable);
  check_operator(options_of(nearest), {small}, shape_of({2, 7, 9, 3}),
                 {expected.values.begin(), expected.values.end()}, 0);
  check_refused(options_of(resizing(ResizeMode::Linear, 7, 9)), {small}, {},
                "input 0 must be float32");
}

TEST_CASE("resizings that are refused") {
  const std::vector<TestTensor> x = {batched_input(shape_of({1, 5, 5, 3}))};
  for (int damaged : {0, -7}) {
    check_refused(options_of(resizing(ResizeMode::Nearest, damaged, 5)), x, {},
                  "the output's height");
    check_refused(options_of(resizing(ResizeMode::Linear, 5, damaged)), x, {},
                  "the output's width");
  }
  check_refused(options_of(resizing(ResizeMode::Linear, INT32_MAX, 100)), x, {}, "too large");
  check_refused(options_of(resizing(ResizeMode::Linear, 1, INT32_MAX)), x, {}, "too large");
  for (float damaged :
       {-1.0f, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    ResizeT options = resizing(ResizeMode::Linear, 5, 5);
    options.scale_height = damaged;
    check_refused(options_of(options), x, {}, "scale_height");
    options.scale_height = 0;
    options.scale_width = damaged;
    check_refused(options_of(options), x, {}, "scale_width");
  }
  const char* newer = "newer than this runtime";
  check_refused(options_of(resizing(static_cast<ResizeMode>(7), 5, 5)), x, {}, newer);
  check_refused(options_of(resizing(ResizeMode::Linear, 5, 5, static_cast<ResizeCoordinates>(7))),
                x, {}, newer);
  check_refused(options_of(resizing(ResizeMode::Nearest, 5, 5, ResizeCoordinates::HalfPixel,
                                    static_cast<ResizeRounding>(7))),
                x, {}, newer);
  check_refused(options_of(resizing(ResizeMode::Linear, 5, 5)),
                {batched_input(shape_of({1, 5, 5}))}, {}, "must have 4 axes");
}

}  // namespace
}  // namespace figment::testing
