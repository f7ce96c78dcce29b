// Gradients of dense layers against central differences in double precision.
#include <doctest/doctest.h>

#include "tests/train/backward/harness.h"

namespace figment::testing {
namespace {

void check_dense(std::int32_t rows, std::int32_t inputs, std::int32_t outputs, bool with_bias) {
  CAPTURE(rows);
  CAPTURE(inputs);
  CAPTURE(outputs);
  BackwardCase test;
  test.options = options_of(format::DenseT{});
  test.operands = {random_operand({rows, inputs}, 1), random_operand({outputs, inputs}, 2),
                   with_bias ? random_operand({outputs}, 3) : no_operand()};
  test.definition = [=](const Doubles& operands) {
    std::vector<double> y;
    for (std::int32_t row = 0; row < rows; ++row)
      for (std::int32_t output = 0; output < outputs; ++output) {
        double sum = with_bias ? operands[2][static_cast<std::size_t>(output)] : 0.0;
        for (std::int32_t i = 0; i < inputs; ++i)
          sum += operands[0][static_cast<std::size_t>(row * inputs + i)] *
                 operands[1][static_cast<std::size_t>(output * inputs + i)];
        y.push_back(sum);
      }
    return y;
  };
  check_backward(test);
}

TEST_CASE("gradients of dense layers of awkward sizes") {
  for (const std::int32_t rows : {1, 5, 17})
    for (const std::int32_t inputs : {1, 3, 17, 24})
      for (const std::int32_t outputs : {1, 7, 33})
        check_dense(rows, inputs, outputs, outputs != 7);
}

TEST_CASE("gradients of dense layers over inner axes") {
  BackwardCase test;
  test.options = options_of(format::DenseT{});
  test.operands = {random_operand({2, 3, 4}, 1), random_operand({5, 4}, 2)};
  test.definition = [](const Doubles& operands) {
    std::vector<double> y(30);
    for (std::size_t row = 0; row < 6; ++row)
      for (std::size_t output = 0; output < 5; ++output)
        for (std::size_t i = 0; i < 4; ++i)
          y[row * 5 + output] += operands[0][row * 4 + i] * operands[1][output * 4 + i];
    return y;
  };
  check_backward(test);
}

}  // namespace
}  // namespace figment::testing
