// Operators that move or rename numbers without computing any.
#include <doctest/doctest.h>

#include "tests/import/onnx_builder.h"

namespace figment::testing {
namespace {

const std::vector<float> kX = ramp(12, 0, 1);
const std::vector<double> kSame = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
const Extents kShape = {1, 3, 4};

onnx::TensorProto list(const Extents& values) {
  return integer_tensor("list", {static_cast<std::int64_t>(values.size())}, values);
}

}  // namespace

TEST_CASE("Reshape: 0 keeps an extent, -1 is the rest") {
  check_node(13, "Reshape", kShape, kX, {list({2, 6})}, {}, {2, 6}, kSame);
  check_node(13, "Reshape", kShape, kX, {list({0, -1, 2, 2})}, {}, {1, 3, 2, 2}, kSame);
  check_node(14, "Reshape", kShape, kX, {list({-1})}, {attribute("allowzero", 1)}, {12}, kSame);
  check_node_refused(13, "Reshape", kShape, {list({-1, -1})}, {}, "two extents of -1");
  check_node_refused(13, "Reshape", kShape, {list({5, 2})}, {}, "");
  check_node_refused(13, "Reshape", kShape, {list({1, 3, 4, 0})}, {}, "keeps axis 3");
  check_node_refused(13, "Reshape", kShape, {list({-3, 4})}, {}, "extent -3");
  OnnxBuilder builder(13);
  builder.input("x", kShape)
      .input("s", {2}, onnx::TensorProto::INT64)
      .node("Reshape", {"x", "s"}, {"y"})
      .output("y");
  CHECK(builder.refusal().find("its shape depends on the model's inputs") != std::string::npos);
}

TEST_CASE("Flatten, Squeeze, Unsqueeze") {
  check_node(13, "Flatten", {2, 3, 2}, kX, {}, {}, {2, 6}, kSame);
  check_node(13, "Flatten", {2, 3, 2}, kX, {}, {attribute("axis", -1)}, {6, 2}, kSame);
  check_node(13, "Flatten", {2, 3, 2}, kX, {}, {attribute("axis", 0)}, {1, 12}, kSame);
  check_node(11, "Squeeze", {1, 12, 1}, kX, {}, {attribute("axes", Extents{-1})}, {1, 12}, kSame);
  check_node(13, "Squeeze", {1, 12, 1}, kX, {list({0, 2})}, {}, {12}, kSame);
  check_node(13, "Squeeze", {1, 12, 1}, kX, {}, {}, {12}, kSame);
  check_node(11, "Unsqueeze", {12}, kX, {}, {attribute("axes", Extents{0, -1})}, {1, 12, 1}, kSame);
  check_node(13, "Unsqueeze", {12}, kX, {list({1})}, {}, {12, 1}, kSame);
  check_node_refused(13, "Squeeze", {1, 12, 1}, {list({1})}, {}, "whose extent is not 1");
  check_node_refused(13, "Unsqueeze", {12}, {list({0, 0})}, {}, "an axis twice");
  check_node_refused(13, "Unsqueeze", {12}, {}, {}, "lacks its axes");
}

TEST_CASE("Transpose, by default in reverse") {
  check_node(13, "Transpose", {2, 3}, {0, 1, 2, 3, 4, 5}, {}, {}, {3, 2}, {0, 3, 1, 4, 2, 5});
  check_node(13, "Transpose", {1, 2, 3}, {0, 1, 2, 3, 4, 5}, {},
             {attribute("perm", Extents{0, 2, 1})}, {1, 3, 2}, {0, 3, 1, 4, 2, 5});
  check_node_refused(13, "Transpose", {2, 3}, {}, {attribute("perm", Extents{0, 0})},
                     "an axis twice");
  check_node_refused(13, "Transpose", {2, 3}, {}, {attribute("perm", Extents{0})},
                     "perm has 1 axes");
}

TEST_CASE("Identity, and Dropout in inference") {
  check_node(13, "Identity", kShape, kX, {}, {}, kShape, kSame);
  check_node(11, "Dropout", kShape, kX, {}, {attribute("ratio", 0.5F)}, kShape, kSame);
  check_node(13, "Dropout", kShape, kX,
             {float_tensor("ratio", {}, {0.5F}), integer_tensor("t", {}, {0})}, {}, kShape, kSame);
  check_node_refused(13, "Dropout", kShape,
                     {float_tensor("ratio", {}, {0.5F}), integer_tensor("t", {}, {1})}, {},
                     "in training mode");
  // Training that drops nothing, and the mask of what is kept.
  check_node(13, "Dropout", kShape, kX,
             {float_tensor("ratio", {}, {0}), integer_tensor("t", {}, {1})}, {}, kShape, kSame);
  OnnxBuilder builder(13);
  builder.input("x", {1, 2}).node("Dropout", {"x"}, {"y", "mask"}).output("y").output("mask");
  const converter::Graph graph = builder.import();
  const converter::GraphTensor& mask = graph.tensor(graph.outputs[1].tensor);
  REQUIRE(mask.constant());
  CHECK(mask.integers()[0] == 1);
  CHECK(mask.integers()[1] == 1);
}

TEST_CASE("Cast") {
  // Half and double precision are float32 here.
  check_node(13, "Cast", {1, 3}, {1.5F, -2.5F, 3}, {},
             {attribute("to", onnx::TensorProto::FLOAT16)}, {1, 3}, {1.5, -2.5, 3});
  check_node(13, "Cast", {1, 3}, {1.5F, -2.5F, 3}, {}, {attribute("to", onnx::TensorProto::INT64)},
             {1, 3}, {1, -2, 3});
  check_node(15, "CastLike", {1, 3}, {1.5F, -2.5F, 3}, {integer_tensor("like", {1}, {0})}, {},
             {1, 3}, {1, -2, 3});
  OnnxBuilder builder(13);
  builder.input("x", {1, 3}, onnx::TensorProto::INT32);
  builder.node("Cast", {"x"}, {"y"}, {attribute("to", onnx::TensorProto::FLOAT)}).output("y");
  check_values(builder, {{1, -2, 3}}, {1, 3}, {1, -2, 3});
  OnnxBuilder truth(13);
  truth.input("x", {1, 3}).floats("c", {3}, {0, -2, 0.5F});
  truth.node("Cast", {"c"}, {"b"}, {attribute("to", onnx::TensorProto::BOOL)});
  truth.node("Cast", {"b"}, {"n"}, {attribute("to", onnx::TensorProto::FLOAT)})
      .node("Mul", {"x", "n"}, {"y"})
      .output("y");
  check_values(truth, {{5, 6, 7}}, {1, 3}, {0, 6, 7});
  check_node(13, "Cast", {1, 3}, {0, -2, 0.5F}, {}, {attribute("to", onnx::TensorProto::BOOL)},
             {1, 3}, {0, 1, 1});
  OnnxBuilder whole(13);
  whole.input("x", {1, 3}, onnx::TensorProto::INT64);
  whole.node("Cast", {"x"}, {"y"}, {attribute("to", onnx::TensorProto::BOOL)}).output("y");
  check_values(whole, {{0, -2, 256}}, {1, 3}, {0, 1, 1});
  check_node_refused(13, "Cast", {1, 3}, {}, {attribute("to", onnx::TensorProto::STRING)},
                     "type STRING");
}

TEST_CASE("Expand and Tile") {
  check_node(13, "Expand", {1, 2}, {1, 2}, {list({3, 1})}, {}, {3, 2}, {1, 2, 1, 2, 1, 2});
  check_node(13, "Expand", {2, 1}, {1, 2}, {list({2, 1, 3})}, {}, {2, 2, 3},
             {1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2});
  check_node(13, "Tile", {1, 2}, {1, 2}, {list({2, 2})}, {}, {2, 4}, {1, 2, 1, 2, 1, 2, 1, 2});
  check_node_refused(13, "Expand", {1, 2}, {list({3})}, {}, "cannot be broadcast to 3");
  check_node_refused(13, "Tile", {1, 2}, {list({2})}, {}, "1 repeats");
  check_node_refused(13, "Tile", {1, 2}, {list({0, 2})}, {}, "repeat is 0");
}

TEST_CASE("older opsets' forms") {
  const std::vector<float> x = {1, 2, 3, 4};
  const std::vector<double> same(x.begin(), x.end());
  check_node(1, "Reshape", {1, 4}, x, {}, {attribute("shape", Extents{2, -1})}, {2, 2}, same);
  check_node_refused(1, "Reshape", {1, 4}, {integer_tensor("shape", {1}, {4})}, {},
                     "lacks the attribute 'shape'");
  check_node_refused(5, "Reshape", {1, 4}, {integer_tensor("shape", {1}, {4})},
                     {attribute("shape", Extents{4})}, "attribute 'shape' is not supported");
  check_node(6, "Dropout", {1, 4}, x, {}, {attribute("is_test", 1)}, {1, 4}, same);
  check_node_refused(6, "Dropout", {1, 4}, {}, {}, "in training mode");
  check_node_refused(7, "Dropout", {1, 4}, {}, {attribute("is_test", 1)},
                     "attribute 'is_test' is not supported");
  check_node(1, "Cast", {1, 2}, {1.5F, -2.5F}, {}, {attribute("to", "INT64")}, {1, 2}, {1, -2});
  check_node_refused(1, "Cast", {1, 2}, {}, {attribute("to", "INTEGER")},
                     "its type 'INTEGER' is unknown");
  check_node_refused(6, "Cast", {1, 2}, {}, {attribute("to", "INT64")}, "'to' must be an integer");
  const onnx::TensorProto two = float_tensor("tiles", {1}, {2});
  check_node(1, "Tile", {1, 2}, {1, 2}, {two, float_tensor("axis", {1}, {1})}, {}, {1, 4},
             {1, 2, 1, 2});
  check_node(1, "Tile", {1, 2}, {1, 2}, {two, integer_tensor("axis", {}, {0})}, {}, {2, 2},
             {1, 2, 1, 2});
  check_node_refused(1, "Tile", {1, 2}, {two, integer_tensor("axis", {}, {2})}, {},
                     "axis 2 is outside");
}

}  // namespace figment::testing
