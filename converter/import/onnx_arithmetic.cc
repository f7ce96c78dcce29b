// Functions of two or more numbers, broadcast as NumPy does.
#include "converter/import/onnx_constant_math.h"
#include "converter/import/onnx_families.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;

template <BinaryFunction kFunction>
void plain(OnnxNode& node) {
  if (fold_integers(node)) return;
  node.set_output(0, node.binary(kFunction, node.input(0), node.input(1)));
}

// The exponent may be of integers where the base is not.
void power(OnnxNode& node) {
  if (fold_integers(node)) return;
  TensorId exponent = node.input(1);
  if (node.type(node.input(0)) == DataType::kFloat32 && node.type(exponent) == DataType::kInt32) {
    format::CastT cast;
    cast.to = format::DataType::Float32;
    exponent = node.emit(cast, {exponent});
  }
  node.set_output(0, node.binary(BinaryFunction::Pow, node.input(0), exponent));
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
  if (fold_integers(node)) return;
  node.set_output(0, chain<kFunction>(node));
}

void mean(OnnxNode& node) {
  const TensorId sum = chain<BinaryFunction::Add>(node);
  const float share = 1.0F / static_cast<float>(node.input_count());
  node.set_output(
      0, node.input_count() == 1 ? sum : node.binary(BinaryFunction::Mul, sum, node.scalar(share)));
}

// Comparisons, logic and rounding: over constants alone.
constexpr OnnxOperator kRows[] = {
    {"Add", plain<BinaryFunction::Add>},
    {"And", fold_or_refuse},
    {"Ceil", fold_or_refuse},
    {"Div", plain<BinaryFunction::Div>},
    {"Equal", fold_or_refuse},
    {"Floor", fold_or_refuse},
    {"Greater", fold_or_refuse},
    {"GreaterOrEqual", fold_or_refuse},
    {"Less", fold_or_refuse},
    {"LessOrEqual", fold_or_refuse},
    {"Max", several<BinaryFunction::Max>},
    {"Mean", mean},
    {"Min", several<BinaryFunction::Min>},
    {"Mod", fold_or_refuse},
    {"Mul", plain<BinaryFunction::Mul>},
    {"Not", fold_or_refuse},
    {"Or", fold_or_refuse},
    {"PRelu", plain<BinaryFunction::PRelu>},
    {"Pow", power},
    {"Round", fold_or_refuse},
    {"Sign", fold_or_refuse},
    {"Sub", plain<BinaryFunction::Sub>},
    {"Sum", several<BinaryFunction::Add>},
    {"Xor", fold_or_refuse},
};

}  // namespace

const std::span<const OnnxOperator> kOnnxArithmetic = kRows;

}  // namespace figment::converter
