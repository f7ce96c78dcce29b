// GroupNormalization on both backends against the definition in double precision, and its refusals.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/ops/operands.h"

namespace figment::testing {
namespace {

format::OperatorOptionsUnion options_with(int groups, float epsilon = 1e-5f) {
  format::GroupNormalizationT options;
  options.groups = groups;
  options.epsilon = epsilon;
  return options_of(options);
}

std::vector<double> reference(const TestTensor& x, int groups, const TestTensor& scale,
                              const TestTensor& bias, double epsilon) {
  const int channels = x.shape[x.shape.rank - 1];
  const int group_channels = channels / groups;
  const std::size_t picture = x.values.size() / static_cast<std::size_t>(x.shape[0]);
  std::vector<double> result(x.values.size());
  for (int n = 0; n < x.shape[0]; ++n)
    for (int group = 0; group < groups; ++group) {
      std::vector<std::size_t> members;
      for (std::size_t i = n * picture; i < (n + 1) * picture; ++i)
        if (static_cast<int>(i % channels) / group_channels == group) members.push_back(i);
      double mean = 0;
      for (std::size_t i : members) mean += double{x.values[i]};
      mean /= static_cast<double>(members.size());
      double variance = 0;
      for (std::size_t i : members)
        variance += (double{x.values[i]} - mean) * (double{x.values[i]} - mean);
      variance /= static_cast<double>(members.size());
      for (std::size_t i : members) {
        result[i] = (double{x.values[i]} - mean) / std::sqrt(variance + epsilon);
        if (!scale.values.empty()) result[i] *= double{scale.values[i % channels]};
        if (!bias.values.empty()) result[i] += double{bias.values[i % channels]};
      }
    }
  return result;
}

void check(const Shape& shape, int groups, bool with_scale, bool with_bias, float offset = 0) {
  CAPTURE(groups);
  const int channels = shape[shape.rank - 1];
  CAPTURE(channels);
  TestTensor x = batched_input(shape);
  for (float& value : x.values) value += offset;
  const TestTensor scale = with_scale ? constant(shape_of({channels}), 2) : absent();
  const TestTensor bias = with_bias ? constant(shape_of({channels}), 3) : absent();
  const float epsilon = 1e-5f;
  const std::vector<double> expected = reference(x, groups, scale, bias, double{epsilon});
  const double tolerance = offset == 0 ? 1e-5 : 1e-4;
  check_operator(options_with(groups, epsilon), {x, scale, bias}, shape, expected, tolerance);
  check_operator(options_with(groups, epsilon), {x, scale, bias}, shape, leaky_relu_of(expected),
                 tolerance, leaky_relu());
}

TEST_CASE("one group, some groups, a group a channel") {
  for (int batch : {1, 5}) {
    for (int channels : {1, 3, 7, 17, 24}) {
      check(shape_of({batch, 7, 5, channels}), 1, true, true);
      check(shape_of({batch, 5, 13, channels}), channels, true, false);
    }
    check(shape_of({batch, 5, 5, 24}), 4, false, true);
    check(shape_of({batch, 7, 1, 6}), 3, false, false);
  }
}

TEST_CASE("vectors and sequences") {
  check(shape_of({5, 24}), 3, true, true);
  check(shape_of({2, 13, 6}), 2, true, true);
}

TEST_CASE("a big map far from zero") { check(shape_of({1, 128, 128, 4}), 2, true, true, 100.0f); }

TEST_CASE("group normalizations that are refused") {
  const TestTensor x = batched_input(shape_of({2, 5, 5, 6}));
  check_refused(options_with(0), {x}, {}, "groups is 0");
  check_refused(options_with(-3), {x}, {}, "groups is -3");
  check_refused(options_with(4), {x}, {}, "4 groups do not divide");
  check_refused(options_with(12), {x}, {}, "12 groups do not divide");
  check_refused(options_with(2, -1e-3f), {x}, {}, "epsilon");
  check_refused(options_with(2, std::numeric_limits<float>::quiet_NaN()), {x}, {}, "epsilon");
  check_refused(options_with(2), {x, constant(shape_of({5}))}, {}, "must be a vector of 6");
  check_refused(options_with(2), {x, absent(), constant(shape_of({2}))}, {},
                "must be a vector of 6");
  check_refused(options_with(1), {fixed_input(shape_of({6}))}, {}, "a batch and channels");
}

}  // namespace
}  // namespace figment::testing
