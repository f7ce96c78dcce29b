// LayerNormalization on both backends against the definition in double precision, and its refusals.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/ops/operands.h"

namespace figment::testing {
namespace {

format::OperatorOptionsUnion options_with(int axes, float epsilon = 1e-5f) {
  format::LayerNormalizationT options;
  options.axes = axes;
  options.epsilon = epsilon;
  return options_of(options);
}

std::vector<double> reference(const TestTensor& x, std::size_t length, const TestTensor& scale,
                              const TestTensor& bias, double epsilon) {
  std::vector<double> result;
  for (std::size_t first = 0; first < x.values.size(); first += length) {
    double mean = 0;
    for (std::size_t i = 0; i < length; ++i) mean += double{x.values[first + i]};
    mean /= static_cast<double>(length);
    double variance = 0;
    for (std::size_t i = 0; i < length; ++i) {
      const double distance = double{x.values[first + i]} - mean;
      variance += distance * distance;
    }
    variance /= static_cast<double>(length);
    for (std::size_t i = 0; i < length; ++i) {
      double value = (double{x.values[first + i]} - mean) / std::sqrt(variance + epsilon);
      if (!scale.values.empty()) value *= double{scale.values[i]};
      if (!bias.values.empty()) value += double{bias.values[i]};
      result.push_back(value);
    }
  }
  return result;
}

void check(const Shape& shape, int axes, bool with_scale, bool with_bias, float offset = 0) {
  CAPTURE(shape.elements());
  CAPTURE(axes);
  Shape normalized;
  for (int axis = shape.rank - axes; axis < shape.rank; ++axis)
    normalized[normalized.rank++] = shape[axis];
  TestTensor x = batched_input(shape);
  for (float& value : x.values) value += offset;
  const TestTensor scale = with_scale ? constant(normalized, 2) : absent();
  const TestTensor bias = with_bias ? constant(normalized, 3) : absent();
  const float epsilon = 1e-5f;
  const std::vector<double> expected =
      reference(x, static_cast<std::size_t>(normalized.elements()), scale, bias, double{epsilon});
  const double tolerance = offset == 0 ? 1e-5 : 1e-4;
  check_operator(options_with(axes, epsilon), {x, scale, bias}, shape, expected, tolerance);
  check_operator(options_with(axes, epsilon), {x, scale, bias}, shape, leaky_relu_of(expected),
                 tolerance, leaky_relu());
}

TEST_CASE("layer normalization over one, two and all axes") {
  for (int batch : {1, 5})
    for (int length : {3, 7, 17, 24}) {
      check(shape_of({batch, length}), 1, true, true);
      check(shape_of({batch, 5, length}), 2, true, false);
      check(shape_of({batch, 3, 5, length}), 3, false, true);
      check(shape_of({batch, 3, 5, length}), 1, false, false);
    }
}

TEST_CASE("a long row far from zero") { check(shape_of({1, 100000}), 1, true, true, 100.0f); }

TEST_CASE("a row of one number") { check(shape_of({5, 7, 1}), 1, true, true); }

TEST_CASE("layer normalizations that are refused") {
  const TestTensor x = batched_input(shape_of({2, 5, 7}));
  check_refused(options_with(0), {x}, {}, "axes is 0");
  check_refused(options_with(4), {x}, {}, "axes is 4");
  check_refused(options_with(-1), {x}, {}, "axes is -1");
  check_refused(options_with(1, -1.0f), {x}, {}, "epsilon");
  check_refused(options_with(1, std::numeric_limits<float>::quiet_NaN()), {x}, {}, "epsilon");
  check_refused(options_with(1), {x, constant(shape_of({5, 7}))}, {}, "but must have 7");
  check_refused(options_with(2), {x, absent(), constant(shape_of({35}))}, {}, "but must have 5x7");
  check_refused(options_with(1), {fixed_input(shape_of({}))}, {}, "a scalar");
}

}  // namespace
}  // namespace figment::testing
