// QuantizeLinear and DequantizeLinear around float operators: the same numbers, by float32
// arithmetic. (Weights that are dequantized from constants become float32 weights.)
#include <limits>

#include "converter/import/onnx_families.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;

struct Range {
  float low, high;
};

// The numbers that an ONNX type holds.
Range range_of(const OnnxNode& node, int type) {
  switch (type) {
    case onnx::TensorProto::UINT8:
      return {0, 255};
    case onnx::TensorProto::INT8:
      return {-128, 127};
    case onnx::TensorProto::UINT16:
      return {0, 65535};
    case onnx::TensorProto::INT16:
      return {-32768, 32767};
    default:
      node.refuse("numbers of the type " + onnx_type_name(type) +
                  " are not supported; quantize to int8 or uint8");
  }
}

// A scale or zero point for all of x, or one for each position along `axis`, as it broadcasts to x.
TensorId along_axis(OnnxNode& node, TensorId parameter, TensorId x) {
  const Shape shape = node.shape(parameter);
  if (shape.elements() == 1) return node.reshape_to(parameter, {});
  const int axis = node.checked_axis(node.integer("axis", 1), node.rank(x));
  if (shape.rank != 1 || shape[0] != node.shape(x)[axis])
    node.refuse("its scales have shape " + describe(shape) +
                ", but must be one number, or one for " + "each of the " +
                std::to_string(node.shape(x)[axis]) + " positions along axis " +
                std::to_string(axis));
  std::vector<std::int64_t> extents(static_cast<std::size_t>(node.rank(x)), 1);
  extents[static_cast<std::size_t>(axis)] = shape[0];
  return node.reshape_to(parameter, extents);
}

void refuse_blocks(const OnnxNode& node) {
  if (node.integer("block_size", 0) != 0)
    node.refuse("it quantizes by blocks, which is not supported; quantize by axis");
}

// saturate(round(x / scale) + zero point), halves to even
void quantize(OnnxNode& node) {
  const TensorId x = node.input(0);
  refuse_blocks(node);
  node.ignore("axis");
  node.ignore("saturate");  // about 8-bit floats
  const int type = node.has_input(2)
                       ? node.source_type(node.input(2))
                       : static_cast<int>(node.integer("output_dtype", onnx::TensorProto::UINT8));
  node.ignore("output_dtype");
  const Range range = range_of(node, type);
  TensorId y = node.binary(BinaryFunction::Div, x, along_axis(node, node.input(1), x));
  y = node.unary(format::UnaryFunction::Round, y);
  if (node.has_input(2))
    y = node.binary(BinaryFunction::Add, y,
                    node.cast(along_axis(node, node.input(2), x), DataType::kFloat32));
  y = node.unary(format::UnaryFunction::Clip, y, range.low, range.high);
  const TensorId whole = node.cast(y, DataType::kInt32);
  node.note_source_type(whole, type);
  node.set_output(0, whole);
}

// (x - zero point) * scale
void dequantize(OnnxNode& node) {
  TensorId x = node.input(0);
  refuse_blocks(node);
  node.ignore("axis");
  const TensorId scale = along_axis(node, node.input(1), x);
  if (node.has_input(2))
    x = node.binary(BinaryFunction::Sub, x, along_axis(node, node.input(2), x));
  node.set_output(0, node.binary(BinaryFunction::Mul, node.cast(x, DataType::kFloat32), scale));
}

constexpr OnnxOperator kRows[] = {
    {"DequantizeLinear", dequantize},
    {"QuantizeLinear", quantize},
};

}  // namespace

const std::span<const OnnxOperator> kOnnxQuantization = kRows;

}  // namespace figment::converter
