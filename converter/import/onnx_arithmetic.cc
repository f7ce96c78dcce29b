// Functions of two or more numbers, broadcast as NumPy does.
#include "converter/import/onnx_constant_math.h"
#include "converter/import/onnx_families.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;

bool fold(OnnxNode& node) {
  return fold_integers(node) || fold_empty(node, node.type(node.input(0)));
}

template <BinaryFunction kFunction>
void plain(OnnxNode& node) {
  if (fold(node)) return;
  node.set_output(0, node.binary(kFunction, node.input(0), node.input(1)));
}

// The result has the base's type. Integers are taken as float32, which holds them up to 2^24.
void power(OnnxNode& node) {
  if (fold(node)) return;
  const TensorId base = node.cast(node.input(0), DataType::kFloat32);
  const TensorId exponent = node.cast(node.input(1), DataType::kFloat32);
  node.set_output(
      0, node.cast(node.binary(BinaryFunction::Pow, base, exponent), node.type(node.input(0))));
}

// What division leaves over: with the divisor's sign, or as C has it.
void modulo(OnnxNode& node) {
  const bool as_in_c = node.flag("fmod", false);
  if (fold(node)) return;
  node.set_output(0, node.binary(as_in_c ? BinaryFunction::Remainder : BinaryFunction::Modulo,
                                 node.input(0), node.input(1)));
}

// Before opset 7 a slope is one a channel, in axis 1; later it broadcasts.
void prelu(OnnxNode& node) {
  const TensorId x = node.input(0);
  TensorId slope = node.input(1);
  if (node.opset() < 7 && node.rank(slope) == 1 && node.shape(slope)[0] > 1 && node.rank(x) > 2) {
    std::vector<std::int64_t> extents(static_cast<std::size_t>(node.rank(x)) - 1, 1);
    extents[0] = node.shape(slope)[0];
    slope = node.reshape_to(slope, extents);
  }
  node.set_output(0, node.binary(BinaryFunction::PRelu, x, slope));
}

// One or more operands, taken in pairs from the left.
template <BinaryFunction kFunction>
TensorId chain(OnnxNode& node) {
  TensorId result = node.input(0);
  for (int index = 1; index < node.input_count(); ++index)
    result = node.binary(kFunction, result, node.input(index));
  return result;
}

template <BinaryFunction kFunction>
void several(OnnxNode& node) {
  if (fold(node)) return;
  node.set_output(0, chain<kFunction>(node));
}

void mean(OnnxNode& node) {
  const TensorId sum = chain<BinaryFunction::Add>(node);
  const float share = 1.0F / static_cast<float>(node.input_count());
  node.set_output(
      0, node.input_count() == 1 ? sum : node.binary(BinaryFunction::Mul, sum, node.scalar(share)));
}

constexpr OnnxOperator kRows[] = {
    {"Add", plain<BinaryFunction::Add>},
    {"Div", plain<BinaryFunction::Div>},
    {"Max", several<BinaryFunction::Max>},
    {"Mean", mean},
    {"Min", several<BinaryFunction::Min>},
    {"Mod", modulo},
    {"Mul", plain<BinaryFunction::Mul>},
    {"PRelu", prelu},
    {"Pow", power},
    {"Sub", plain<BinaryFunction::Sub>},
    {"Sum", several<BinaryFunction::Add>},
};

}  // namespace

const std::span<const OnnxOperator> kOnnxArithmetic = kRows;

}  // namespace figment::converter
