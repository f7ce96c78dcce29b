// The arithmetic that exporters leave in a model to compute shapes.
#include "converter/import/onnx_constant_math.h"

#include <algorithm>
#include <cmath>

#include "runtime/math/broadcast.h"

namespace figment::converter {
namespace {

// Numbers are carried as double, in which every int32 is exact. Results are rounded towards 0.
struct Function {
  const char* name;
  double (*compute)(double a, double b);
};

constexpr Function kFunctions[] = {
    {"Add", [](double a, double b) { return a + b; }},
    {"Div", [](double a, double b) { return a / b; }},
    {"Mul", [](double a, double b) { return a * b; }},
    {"Pow", [](double a, double b) { return std::pow(a, b); }},
    {"Sub", [](double a, double b) { return a - b; }},
    {"Sum", [](double a, double b) { return a + b; }},
};

struct Numbers {
  Shape shape;
  std::vector<double> values;
};

Numbers numbers_of(const GraphTensor& tensor) {
  return {tensor.shape, {tensor.integers(), tensor.integers() + tensor.shape.elements()}};
}

// The shape that both are broadcast to.
Shape common_shape(const OnnxNode& node, const Shape& a, const Shape& b) {
  Shape together;
  if (!math::broadcast_shapes(a, b, together))
    node.refuse("its operands cannot be broadcast to one shape; the file is damaged");
  if (together.elements() > (std::int64_t{1} << 28))
    node.refuse("its constant result is too large");
  return together;
}

Numbers apply(const OnnxNode& node, const Function& function, const Numbers& a, const Numbers& b) {
  Numbers result;
  result.shape = common_shape(node, a.shape, b.shape);
  if (result.shape.elements() == 0) return result;
  const math::Axes<2> axes = math::broadcast_axes(a.shape, b.shape, result.shape);
  axes.for_each_row([&](const std::int64_t* offsets) {
    for (std::int64_t i = 0; i < axes.row_length(); ++i)
      result.values.push_back(function.compute(
          a.values[static_cast<std::size_t>(offsets[0] + i * axes.row_stride(0))],
          b.values[static_cast<std::size_t>(offsets[1] + i * axes.row_stride(1))]));
  });
  return result;
}

void set_integers(OnnxNode& node, const Numbers& numbers) {
  std::vector<std::int64_t> values;
  for (const double value : numbers.values) {
    // Division by zero and the like; as good as any other number, but defined.
    const double finite = std::isnan(value) ? 0 : std::clamp(value, -2147483648.0, 2147483647.0);
    values.push_back(static_cast<std::int64_t>(std::trunc(finite)));
  }
  node.set_output(0, node.integer_constant(values, numbers.shape));
}

}  // namespace

bool fold_integers(OnnxNode& node) {
  const auto* function = std::ranges::find_if(
      kFunctions, [&](const Function& row) { return node.kind() == row.name; });
  if (function == std::end(kFunctions) || node.input_count() == 0) return false;
  for (int index = 0; index < node.input_count(); ++index)
    if (!node.constant(node.input(index)) || node.type(node.input(index)) != DataType::kInt32)
      return false;
  Numbers result = numbers_of(node.known(node.input(0)));
  for (int index = 1; index < node.input_count(); ++index)
    result = apply(node, *function, result, numbers_of(node.known(node.input(index))));
  set_integers(node, result);
  return true;
}

bool fold_empty(OnnxNode& node, DataType type) {
  bool empty = false;
  for (int index = 0; index < node.input_count(); ++index)
    empty = empty || (node.has_input(index) && node.shape(node.input(index)).elements() == 0);
  if (!empty) return false;
  OnnxArray result;
  result.type = type;
  for (int index = 0; index < node.input_count(); ++index)
    if (node.has_input(index))
      result.shape = common_shape(node, result.shape, node.shape(node.input(index)));
  node.set_output(0, node.add_array(std::move(result)));
  return true;
}

}  // namespace figment::converter
