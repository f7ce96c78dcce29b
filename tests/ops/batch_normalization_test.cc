// BatchNormalization on both backends against the definition in double precision, and its refusals.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/ops/operands.h"

namespace figment::testing {
namespace {

// Scale, bias, mean and variance of `channels` channels; variances are positive.
std::vector<TestTensor> operands(const Shape& x) {
  const Shape vector = shape_of({x[x.rank - 1]});
  std::vector<TestTensor> inputs = {batched_input(x), constant(vector, 2), constant(vector, 3),
                                    constant(vector, 4), constant(vector, 5)};
  for (float& value : inputs[4].values) value = value * value + 0.01f;
  return inputs;
}

void check(const Shape& shape, float epsilon) {
  format::BatchNormalizationT options;
  options.epsilon = epsilon;
  const std::vector<TestTensor> inputs = operands(shape);
  const std::size_t channels = inputs[1].values.size();
  std::vector<double> expected;
  for (std::size_t i = 0; i < inputs[0].values.size(); ++i) {
    const std::size_t c = i % channels;
    expected.push_back(double{inputs[1].values[c]} *
                           (double{inputs[0].values[i]} - double{inputs[3].values[c]}) /
                           std::sqrt(double{inputs[4].values[c]} + double{epsilon}) +
                       double{inputs[2].values[c]});
  }
  check_operator(options_of(options), inputs, shape, expected);
  check_operator(options_of(options), inputs, shape, leaky_relu_of(expected), 1e-5, leaky_relu());
}

TEST_CASE("batch normalization over pictures, vectors and single channels") {
  for (int channels : {1, 3, 7, 17, 24}) {
    check(shape_of({5, 7, 13, channels}), 1e-5f);
    check(shape_of({1, channels}), 0.1f);
  }
}

TEST_CASE("batch normalizations that are refused") {
  const std::vector<TestTensor> sound = operands(shape_of({2, 3, 3, 7}));
  const auto with_epsilon = [](float epsilon) {
    format::BatchNormalizationT options;
    options.epsilon = epsilon;
    return options_of(options);
  };
  check_refused(with_epsilon(-1e-5f), sound, {}, "epsilon");
  check_refused(with_epsilon(std::numeric_limits<float>::quiet_NaN()), sound, {}, "epsilon");
  check_refused(with_epsilon(std::numeric_limits<float>::infinity()), sound, {}, "epsilon");
  for (std::size_t operand = 1; operand < 5; ++operand) {
    std::vector<TestTensor> inputs = sound;
    inputs[operand] = constant(shape_of({6}));
    check_refused(with_epsilon(1e-5f), inputs, {}, "must be a vector of 7");
    inputs[operand] = absent();
    check_refused(with_epsilon(1e-5f), inputs, {}, "lacks input");
  }
  std::vector<TestTensor> scalar = sound;
  scalar[0] = fixed_input(shape_of({}));
  check_refused(with_epsilon(1e-5f), scalar, {}, "a scalar");
}

}  // namespace
}  // namespace figment::testing
