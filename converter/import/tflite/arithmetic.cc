// Arithmetic on two tensors, with a fused activation; sums of int8 in integers.
#include "converter/import/tflite/families.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;
using tflite::ActivationFunctionType;

template <typename Options>
ActivationFunctionType activation_of(const TfliteNode& node) {
  const auto* options = node.options_or_null<Options>();
  return options == nullptr ? ActivationFunctionType::NONE : options->fused_activation_function();
}

template <BinaryFunction kFunction, typename Options>
void arithmetic(TfliteNode& node) {
  const TensorId y = node.binary(kFunction, node.input(0), node.input(1));
  node.set_output(0, node.activate(y, activation_of<Options>(node)));
}

template <BinaryFunction kFunction>
void plain(TfliteNode& node) {
  node.set_output(0, node.binary(kFunction, node.input(0), node.input(1)));
}

// -x of int8 is -1 - q, with the zero point -1 - zero_point: exact for all 256.
TensorId negate(TfliteNode& node, TensorId x, Int8Range& range) {
  std::vector<std::byte> table;
  for (int q = INT8_MIN; q <= INT8_MAX; ++q) table.push_back(static_cast<std::byte>(-1 - q));
  range.zero_point = -1 - range.zero_point;
  const TensorId constant = node.graph().add_constant(node.label() + "/table", DataType::kInt8,
                                                      make_shape({256}), std::move(table));
  return node.emit(format::QuantizedUnaryT{}, {x, constant});
}

// a + b or a - b of two int8 tensors of one shape; false when they are not.
bool integer_sum(TfliteNode& node, ActivationFunctionType activation, bool minus) {
  if (!node.gives_int8() || !node.has_int8(0) || !node.has_int8(1)) return false;
  const auto clamp = node.clamp(activation);
  const TensorId a = node.int8(0);
  TensorId b = node.int8(1);
  if (!clamp || !(node.shape(a) == node.shape(b))) return false;
  const Int8Range a_range = node.range(0);
  Int8Range b_range = node.range(1);
  const Int8Range y_range = node.output_range();
  // Beyond these the fixed-point numbers hold no sum of any use.
  const auto sensible = [&](const Int8Range& range) {
    const double factor = double{range.scale} / double{y_range.scale};
    return factor >= 0x1p-9 && factor <= 0x1p9;
  };
  if (!sensible(a_range) || !sensible(b_range)) return false;
  if (minus) b = negate(node, b, b_range);
  const TensorId numbers = node.graph().add_integers(
      node.label() + "/numbers", make_shape({8}), sum_numbers(a_range, b_range, y_range, *clamp));
  node.set_output(0, node.emit(format::QuantizedAddT{}, {a, b, numbers}));
  return true;
}

void add(TfliteNode& node) {
  if (integer_sum(node, activation_of<tflite::AddOptions>(node), false)) return;
  arithmetic<BinaryFunction::Add, tflite::AddOptions>(node);
}

void subtract(TfliteNode& node) {
  if (integer_sum(node, activation_of<tflite::SubOptions>(node), true)) return;
  arithmetic<BinaryFunction::Sub, tflite::SubOptions>(node);
}

void add_many(TfliteNode& node) {
  TensorId sum = node.input(0);
  for (int index = 1; index < node.input_count(); ++index)
    sum = node.binary(BinaryFunction::Add, sum, node.input(index));
  node.set_output(0, sum);
}

void squared_difference(TfliteNode& node) {
  const TensorId difference = node.binary(BinaryFunction::Sub, node.input(0), node.input(1));
  node.set_output(0, node.binary(BinaryFunction::Mul, difference, difference));
}

constexpr TfliteForm kElementwise = TfliteForm::kElementwise;
constexpr TfliteOperator kRows[] = {
    {"ADD", add, kElementwise},
    {"ADD_N", add_many},
    {"DIV", arithmetic<BinaryFunction::Div, tflite::DivOptions>, kElementwise},
    {"FLOOR_MOD", plain<BinaryFunction::Modulo>, kElementwise},
    {"MAXIMUM", plain<BinaryFunction::Max>, kElementwise},
    {"MINIMUM", plain<BinaryFunction::Min>, kElementwise},
    {"MUL", arithmetic<BinaryFunction::Mul, tflite::MulOptions>, kElementwise},
    {"POW", plain<BinaryFunction::Pow>, kElementwise},
    {"SQUARED_DIFFERENCE", squared_difference, kElementwise},
    {"SUB", subtract, kElementwise},
};

}  // namespace

const std::span<const TfliteOperator> kTfliteArithmetic = kRows;

}  // namespace figment::converter
