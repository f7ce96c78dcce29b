// QuantizeLinear and DequantizeLinear against their definition.
#include <doctest/doctest.h>

#include "tests/import/onnx_builder.h"
#include "tests/import/run_graph.h"
#include "tests/support/packed_numbers.h"

namespace figment::testing {
namespace {

onnx::TensorProto zero_point(onnx::TensorProto_DataType type, const Extents& values) {
  onnx::TensorProto tensor = integer_tensor(
      "zero", values.size() == 1 ? Extents{} : Extents{static_cast<std::int64_t>(values.size())},
      values);
  tensor.set_data_type(type);
  tensor.clear_int64_data();
  tensor.set_int32_data(packed_varints(values));
  return tensor;
}

}  // namespace

TEST_CASE("numbers are rounded to even and held in the zero point's type") {
  const std::vector<float> x = {-300, -1.25F, -0.75F, 0, 0.25F, 0.75F, 1.25F, 1000};
  const onnx::TensorProto scale = float_tensor("scale", {}, {0.5F});
  check_node(13, "QuantizeLinear", {1, 8}, x, {scale, zero_point(onnx::TensorProto::UINT8, {128})},
             {}, {1, 8}, {0, 126, 126, 128, 128, 130, 130, 255});
  check_node(13, "QuantizeLinear", {1, 8}, x, {scale, zero_point(onnx::TensorProto::INT8, {-3})},
             {}, {1, 8}, {-128, -5, -5, -3, -3, -1, -1, 127});
  // Without a zero point: uint8.
  check_node(13, "QuantizeLinear", {1, 8}, x, {scale}, {}, {1, 8}, {0, 0, 0, 0, 0, 2, 2, 255});
}

TEST_CASE("one scale for each position along an axis") {
  const onnx::TensorProto scales = float_tensor("scale", {3}, {1, 2, 4});
  const onnx::TensorProto zeros = zero_point(onnx::TensorProto::INT8, {0, 1, 2});
  check_node(13, "QuantizeLinear", {1, 3, 2}, {4, 6, 4, 6, 4, 8}, {scales, zeros}, {}, {1, 3, 2},
             {4, 6, 3, 4, 3, 4});
  check_node(13, "QuantizeLinear", {1, 2, 3}, {4, 4, 4, 8, 8, 8}, {scales, zeros},
             {attribute("axis", -1)}, {1, 2, 3}, {4, 3, 3, 8, 5, 4});
  check_node_refused(13, "QuantizeLinear", {1, 2, 3}, {scales, zeros}, {}, "along axis 1");
}

TEST_CASE("weights that are dequantized become float32 constants") {
  OnnxBuilder builder(13);
  builder.input("x", {1, 2}).floats("s", {2}, {0.5F, 2});
  onnx::TensorProto weights = integer_tensor("w", {2, 2}, {});
  weights.set_data_type(onnx::TensorProto::INT8);
  weights.set_int32_data(packed_varints({-128, 127, 3, -4}));
  *builder.model().mutable_graph()->add_initializer() = weights;
  builder.node("DequantizeLinear", {"w", "s"}, {"dw"}, {attribute("axis", 0)});
  builder.node("MatMul", {"x", "dw"}, {"y"}).output("y");
  CHECK(builder.import().nodes.size() == 1);
  check_values(builder, {{1, 1}}, {1, 2}, {-64 + 6, 63.5 - 8});
}

TEST_CASE("there and back is the nearest step") {
  OnnxBuilder builder(13);
  builder.input("x", {1, 4}).floats("s", {}, {0.1F});
  *builder.model().mutable_graph()->add_initializer() = zero_point(onnx::TensorProto::UINT8, {10});
  builder.node("QuantizeLinear", {"x", "s", "zero"}, {"q"});
  builder.node("DequantizeLinear", {"q", "s", "zero"}, {"y"}).output("y");
  check_values(builder, {{-5, 0.04F, 0.26F, 100}}, {1, 4}, {-1, 0, 0.3, 24.5});
}

TEST_CASE("types and blocks that are not supported are refused") {
  const onnx::TensorProto scale = float_tensor("scale", {}, {0.5F});
  check_node_refused(13, "QuantizeLinear", {1, 2},
                     {scale, zero_point(onnx::TensorProto::INT32, {0})}, {}, "type INT32");
  check_node_refused(21, "QuantizeLinear", {1, 2}, {scale}, {attribute("block_size", 2)}, "blocks");
}

}  // namespace figment::testing
