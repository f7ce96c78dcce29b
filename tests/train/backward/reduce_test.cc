// Gradients of reductions against central differences in double precision.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/train/backward/harness.h"
#include "tests/train/backward/indices.h"

namespace figment::testing {
namespace {

using format::ReduceFunction;

double reduce(ReduceFunction function, const std::vector<double>& values) {
  double result = values[0];
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (function == ReduceFunction::Max)
      result = std::max(result, values[i]);
    else if (function == ReduceFunction::Min)
      result = std::min(result, values[i]);
    else if (function == ReduceFunction::Prod)
      result *= values[i];
    else
      result += values[i];
  }
  return function == ReduceFunction::Mean ? result / static_cast<double>(values.size()) : result;
}

BackwardCase reduction(ReduceFunction function, const Operand& x, const std::vector<int>& axes,
                       bool keep_axes) {
  format::ReduceT options;
  options.function = function;
  options.axes = axes;
  options.keep_axes = keep_axes;
  BackwardCase test;
  test.options = options_of(options);
  test.operands = {x};
  Shape kept = x.shape;
  for (int axis = 0; axis < kept.rank; ++axis)
    if (axes.empty() || std::count(axes.begin(), axes.end(), axis) > 0) kept[axis] = 1;
  test.definition = [=, shape = x.shape](const Doubles& operands) {
    std::vector<std::vector<double>> parts(static_cast<std::size_t>(kept.elements()));
    for (std::size_t i = 0; i < operands[0].size(); ++i)
      parts[number_of(kept, index_of(shape, i))].push_back(operands[0][i]);
    std::vector<double> y;
    for (const std::vector<double>& part : parts) y.push_back(reduce(function, part));
    return y;
  };
  return test;
}

TEST_CASE("gradients of reductions over every set of axes") {
  for (const ReduceFunction function : format::EnumValuesReduceFunction()) {
    const std::string name = format::EnumNameReduceFunction(function);
    CAPTURE(name);
    for (int mask = 0; mask < 8; ++mask) {
      std::vector<int> axes;
      for (int axis = 0; axis < 3; ++axis)
        if ((mask >> axis & 1) != 0) axes.push_back(axis);
      check_backward(reduction(function, random_operand({3, 2, 5}, 1), axes, mask % 2 == 0));
    }
    check_backward(reduction(function, random_operand({2, 3, 70}, 2, 0.8F, 1.2F), {2}, false));
    check_backward(reduction(function, random_operand({1}, 3), {}, false));
  }
}

TEST_CASE("the gradient of a product with zeros is right") {
  for (const std::size_t zeros : {1U, 2U}) {
    Operand x = random_operand({2, 5}, 4);
    for (std::size_t i = 0; i < zeros; ++i) x.values[5 + 2 * i] = 0;
    check_backward(reduction(ReduceFunction::Prod, x, {1}, false));
  }
}

// The mean of both one-sided slopes, which is what central differences see, is dy / 2 for each of
// two equal numbers.
TEST_CASE("equal numbers share the gradient of the largest") {
  Operand x = random_operand({2, 4}, 5, 0, 1);
  x.values[1] = x.values[2] = 1.5F;
  check_backward(reduction(ReduceFunction::Max, x, {1}, false));
}

}  // namespace
}  // namespace figment::testing
