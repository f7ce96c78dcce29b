// Comparisons, logic, and what is chosen by their results. Booleans are int32 of 0 or 1.
#include <limits>

#include "converter/import/onnx_constant_math.h"
#include "converter/import/onnx_families.h"

namespace figment::converter {
namespace {

using format::CompareFunction;

template <CompareFunction kFunction>
void plain(OnnxNode& node) {
  if (fold_empty(node, DataType::kInt32)) return;
  node.set_output(0, node.compare(kFunction, node.input(0), node.input(1)));
}

// a > b is b < a.
template <CompareFunction kFunction>
void swapped(OnnxNode& node) {
  if (fold_empty(node, DataType::kInt32)) return;
  node.set_output(0, node.compare(kFunction, node.input(1), node.input(0)));
}

void logical_not(OnnxNode& node) {
  if (fold_empty(node, DataType::kInt32)) return;
  node.set_output(0, node.compare(CompareFunction::Equal, node.input(0), node.integer(0)));
}

// NaN alone is not what it is.
void is_nan(OnnxNode& node) {
  node.set_output(0, node.compare(CompareFunction::NotEqual, node.input(0), node.input(0)));
}

void is_infinite(OnnxNode& node) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const bool positive = node.flag("detect_positive", true);
  const bool negative = node.flag("detect_negative", true);
  TensorId x = node.input(0);
  if (!positive && !negative)
    return node.set_output(0, node.compare(CompareFunction::Less, x, x));  // nothing is
  if (positive && negative) x = node.unary(format::UnaryFunction::Abs, x);
  node.set_output(
      0, node.compare(CompareFunction::Equal, x, node.scalar(positive ? kInfinity : -kInfinity)));
}

// ---- Choosing ----

// Whether all elements of a constant condition say the same.
bool is_uniform(const GraphTensor& condition) {
  const std::int32_t* values = condition.integers();
  for (std::int64_t index = 1; index < condition.shape.elements(); ++index)
    if ((values[index] != 0) != (values[0] != 0)) return false;
  return true;
}

void where(OnnxNode& node) {
  const TensorId condition = node.input(0);
  if (node.type(condition) != DataType::kInt32)
    node.refuse("its condition must be boolean; the file is damaged");
  if (fold_empty(node, node.type(node.input(1)))) return;
  // A condition that is the same everywhere leaves one of the operands.
  if (node.constant(condition) && is_uniform(node.known(condition))) {
    const bool first = node.known(condition).integers()[0] != 0;
    const Shape choice = node.shape(condition);
    const TensorId chosen = node.input(first ? 1 : 2);
    const TensorId other = node.input(first ? 2 : 1);
    return node.set_output(0, node.expand(node.expand(chosen, node.shape(other)), choice));
  }
  node.set_output(0, node.select(condition, node.input(1), node.input(2)));
}

// Keeps what stands on or above (or on or below) a diagonal of the last two axes; 0 elsewhere.
void triangle(OnnxNode& node) {
  const TensorId x = node.input(0);
  const Shape shape = node.shape(x);
  if (shape.rank < 2)
    node.refuse("its input has shape " + describe(shape) + ", but must have at least two axes");
  const bool upper = node.flag("upper", true);
  const std::int64_t diagonal =
      node.has_input(1) ? node.integer_operand(node.input(1), "diagonal") : 0;
  if (shape.elements() == 0) return node.set_output(0, x);
  const int rows = shape[shape.rank - 2];
  const int columns = shape[shape.rank - 1];
  std::vector<std::int64_t> kept;
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t column = 0; column < columns; ++column)
      kept.push_back(upper ? column - row >= diagonal : column - row <= diagonal);
  const TensorId mask = node.integer_constant(kept, make_shape({rows, columns}));
  node.set_output(0, node.select(mask, x, node.zero_like(x)));
}

constexpr OnnxOperator kRows[] = {
    {"And", plain<CompareFunction::And>},
    {"Equal", plain<CompareFunction::Equal>},
    {"Greater", swapped<CompareFunction::Less>},
    {"GreaterOrEqual", swapped<CompareFunction::LessOrEqual>},
    {"IsInf", is_infinite},
    {"IsNaN", is_nan},
    {"Less", plain<CompareFunction::Less>},
    {"LessOrEqual", plain<CompareFunction::LessOrEqual>},
    {"Not", logical_not},
    {"Or", plain<CompareFunction::Or>},
    {"Trilu", triangle},
    {"Where", where},
    {"Xor", plain<CompareFunction::Xor>},
};

}  // namespace

const std::span<const OnnxOperator> kOnnxLogic = kRows;

}  // namespace figment::converter
