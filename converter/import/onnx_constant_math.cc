// The arithmetic that exporters leave in a model to compute shapes.
#include "converter/import/onnx_constant_math.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace figment::converter {
namespace {

// Numbers are carried as double: every int32 and float32 is exact in it. A result of integers is
// rounded towards 0.
struct Function {
  const char* name;
  int operands;      // -1: one or more, taken in pairs from the left
  bool gives_truth;  // int32 of 0 or 1, whatever the operands are
  double (*compute)(const double* x);
};

double divide(const double* x) { return x[0] / x[1]; }
double truth(bool value) { return value ? 1 : 0; }
double round_to_even(const double* x) { return std::nearbyint(x[0]); }
// The remainder has the divisor's sign.
double modulo(const double* x) { return x[1] == 0 ? 0 : x[0] - x[1] * std::floor(x[0] / x[1]); }
double remainder_of_dividend(const double* x) { return x[1] == 0 ? 0 : std::fmod(x[0], x[1]); }

constexpr Function kFunctions[] = {
    {"Abs", 1, false, [](const double* x) { return std::fabs(x[0]); }},
    {"Add", 2, false, [](const double* x) { return x[0] + x[1]; }},
    {"And", 2, true, [](const double* x) { return truth(x[0] != 0 && x[1] != 0); }},
    {"Ceil", 1, false, [](const double* x) { return std::ceil(x[0]); }},
    {"Clip", 3, false, [](const double* x) { return std::min(std::max(x[0], x[1]), x[2]); }},
    {"Div", 2, false, divide},
    {"Equal", 2, true, [](const double* x) { return truth(x[0] == x[1]); }},
    {"Floor", 1, false, [](const double* x) { return std::floor(x[0]); }},
    {"Greater", 2, true, [](const double* x) { return truth(x[0] > x[1]); }},
    {"GreaterOrEqual", 2, true, [](const double* x) { return truth(x[0] >= x[1]); }},
    {"Less", 2, true, [](const double* x) { return truth(x[0] < x[1]); }},
    {"LessOrEqual", 2, true, [](const double* x) { return truth(x[0] <= x[1]); }},
    {"Max", -1, false, [](const double* x) { return std::max(x[0], x[1]); }},
    {"Min", -1, false, [](const double* x) { return std::min(x[0], x[1]); }},
    {"Mod", 2, false, modulo},
    {"Mul", 2, false, [](const double* x) { return x[0] * x[1]; }},
    {"Neg", 1, false, [](const double* x) { return -x[0]; }},
    {"Not", 1, true, [](const double* x) { return truth(x[0] == 0); }},
    {"Or", 2, true, [](const double* x) { return truth(x[0] != 0 || x[1] != 0); }},
    {"Pow", 2, false, [](const double* x) { return std::pow(x[0], x[1]); }},
    {"Round", 1, false, round_to_even},
    {"Sign", 1, false, [](const double* x) { return truth(x[0] > 0) - truth(x[0] < 0); }},
    {"Sub", 2, false, [](const double* x) { return x[0] - x[1]; }},
    {"Sum", -1, false, [](const double* x) { return x[0] + x[1]; }},
    {"Where", 3, false, [](const double* x) { return x[0] != 0 ? x[1] : x[2]; }},
    {"Xor", 2, true, [](const double* x) { return truth((x[0] != 0) != (x[1] != 0)); }},
};

struct Numbers {
  Shape shape;
  std::vector<double> values;
};

Numbers numbers_of(const GraphTensor& tensor) {
  Numbers numbers;
  numbers.shape = tensor.shape;
  const std::int64_t count = tensor.shape.elements();
  numbers.values.reserve(static_cast<std::size_t>(count));
  for (std::int64_t index = 0; index < count; ++index)
    numbers.values.push_back(tensor.type == DataType::kInt32
                                 ? tensor.integers()[index]
                                 : static_cast<double>(tensor.floats()[index]));
  return numbers;
}

// The shape that all operands are broadcast to.
Shape common_shape(const OnnxNode& node, const std::vector<Numbers>& operands) {
  Shape result;
  for (const Numbers& operand : operands) result.rank = std::max(result.rank, operand.shape.rank);
  for (int axis = 0; axis < result.rank; ++axis) {
    result[axis] = 1;
    for (const Numbers& operand : operands) {
      const int own = axis - (result.rank - operand.shape.rank);
      const int extent = own >= 0 ? operand.shape[own] : 1;
      if (extent == 1) continue;
      if (result[axis] != 1 && result[axis] != extent)
        node.refuse("its operands cannot be broadcast to one shape; the file is damaged");
      result[axis] = extent;
    }
  }
  if (result.elements() > (std::int64_t{1} << 28)) node.refuse("its constant result is too large");
  return result;
}

// Where in `operand` the element `index` of the common shape is found.
std::size_t source_index(const Shape& common, const Shape& operand, std::int64_t index) {
  std::int64_t source = 0, stride = 1;
  for (int axis = common.rank - 1, own = operand.rank - 1; own >= 0; --axis, --own) {
    const std::int64_t position = index % common[axis];
    index /= common[axis];
    if (operand[own] != 1) source += position * stride;
    stride *= operand[own];
  }
  return static_cast<std::size_t>(source);
}

Numbers apply(const OnnxNode& node, double (*compute)(const double*),
              const std::vector<Numbers>& operands) {
  Numbers result;
  result.shape = common_shape(node, operands);
  const std::int64_t count = result.shape.elements();
  result.values.reserve(static_cast<std::size_t>(count));
  double x[3] = {};
  for (std::int64_t index = 0; index < count; ++index) {
    for (std::size_t operand = 0; operand < operands.size(); ++operand)
      x[operand] =
          operands[operand].values[source_index(result.shape, operands[operand].shape, index)];
    result.values.push_back(compute(x));
  }
  return result;
}

void set_numbers(OnnxNode& node, const Numbers& numbers, DataType type) {
  if (type == DataType::kInt32) {
    std::vector<std::int64_t> values;
    for (const double value : numbers.values) {
      // Division by zero and the like; as good as any other number, but defined.
      const double finite = std::isnan(value) ? 0 : std::clamp(value, -2147483648.0, 2147483647.0);
      values.push_back(static_cast<std::int64_t>(std::trunc(finite)));
    }
    node.set_output(0, node.integer_constant(values, numbers.shape));
  } else {
    node.set_output(
        0, node.float_constant({numbers.values.begin(), numbers.values.end()}, numbers.shape));
  }
}

const Function* function_of(const OnnxNode& node) {
  const auto* found = std::ranges::find_if(
      kFunctions, [&](const Function& row) { return node.kind() == row.name; });
  return found != std::end(kFunctions) ? found : nullptr;
}

void compute(OnnxNode& node) {
  const Function& function = *function_of(node);
  if (function.operands > 0 && node.input_count() > function.operands)
    node.refuse("it has " + std::to_string(node.input_count()) + " inputs; the file is damaged");
  std::vector<Numbers> operands;
  for (int index = 0; index < std::max(function.operands, node.input_count()); ++index) {
    if (node.kind() == "Clip" && !node.has_input(index)) {
      operands.push_back({Shape{},
                          {index == 1 ? -std::numeric_limits<double>::infinity()
                                      : std::numeric_limits<double>::infinity()}});
      continue;
    }
    operands.push_back(numbers_of(node.tensor(node.input(index))));
  }
  // The last operand has the result's type: Where's first is its condition.
  const DataType type =
      function.gives_truth
          ? DataType::kInt32
          : node.type(node.input(node.kind() == "Clip" ? 0 : node.input_count() - 1));
  if (function.operands >= 0) {
    const bool divisor_sign = node.kind() != "Mod" || node.integer("fmod", 0) == 0;
    return set_numbers(
        node, apply(node, divisor_sign ? function.compute : remainder_of_dividend, operands), type);
  }
  Numbers result = operands.at(0);
  for (std::size_t index = 1; index < operands.size(); ++index)
    result = apply(node, function.compute, {result, operands[index]});
  set_numbers(node, result, type);
}

}  // namespace

bool fold_integers(OnnxNode& node) {
  if (node.input_count() == 0) return false;
  for (int index = 0; index < node.input_count(); ++index)
    if (node.has_input(index) &&
        (!node.constant(node.input(index)) || node.type(node.input(index)) != DataType::kInt32))
      return false;
  compute(node);
  return true;
}

void fold_or_refuse(OnnxNode& node) {
  for (int index = 0; index < node.input_count(); ++index)
    if (!node.constant(node.input(index)))
      node.refuse(
          "it works on the model's data, which is not supported; it can only compute shapes and "
          "constants");
  compute(node);
}

}  // namespace figment::converter
