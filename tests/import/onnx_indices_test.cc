// ONNX's operators that find indices, and that choose or mark by them.
#include <doctest/doctest.h>

#include "converter/graph/graph.h"
#include "tests/import/onnx_builder.h"

namespace figment::testing {
namespace {

const std::vector<float> kX = {1, 5, 5, 7, 2, 2};  // [1,2,3]

using Attributes = std::vector<onnx::AttributeProto>;

}  // namespace

TEST_CASE("ArgMax and ArgMin: axis, what is kept, and which of equal ones") {
  check_node(13, "ArgMax", {1, 2, 3}, kX, {}, {attribute("axis", 2)}, {1, 2, 1}, {1, 0});
  check_node(13, "ArgMin", {1, 2, 3}, kX, {}, {attribute("axis", -1), attribute("keepdims", 0)},
             {1, 2}, {0, 1});
  check_node(12, "ArgMax", {1, 2, 3}, kX, {},
             {attribute("axis", 2), attribute("select_last_index", 1)}, {1, 2, 1}, {2, 0});
  check_node(12, "ArgMin", {1, 2, 3}, kX, {},
             {attribute("axis", 2), attribute("select_last_index", 1)}, {1, 2, 1}, {0, 2});
  check_node(1, "ArgMax", {1, 2, 3}, kX, {}, {}, {1, 2, 3}, std::vector<double>(6, 0));
  check_node_refused(13, "ArgMax", {1, 3}, {}, {attribute("axis", 2)}, "axis 2 is outside");
  OnnxBuilder whole(13);
  whole.input("x", {1, 3}, onnx::TensorProto::INT32);
  whole.node("ArgMax", {"x"}, {"y"}, {attribute("axis", 1)}).output("y");
  check_values(whole, {{-3, -1, -2}}, {1, 1}, {1});
}

TEST_CASE("GatherElements takes each number by its own index") {
  const auto indices = [](const Extents& shape, const Extents& values) {
    return integer_tensor("indices", shape, values);
  };
  check_node(13, "GatherElements", {1, 2, 3}, kX, {indices({1, 2, 2}, {2, 0, -1, -3})},
             {attribute("axis", 2)}, {1, 2, 2}, {5, 1, 2, 7});
  check_node(11, "GatherElements", {2, 3}, kX, {indices({1, 3}, {1, 0, 1})}, {}, {1, 3}, {7, 5, 2});
  check_node_refused(13, "GatherElements", {2, 3}, {indices({1, 1}, {2})}, {},
                     "its index 2 is outside an axis of extent 2");
  check_node_refused(13, "GatherElements", {2, 3}, {float_tensor("indices", {1, 1}, {0})}, {},
                     "its indices must be integers");
  OnnxBuilder data(13);
  data.input("x", {2, 2}).input("i", {2, 1}, onnx::TensorProto::INT64);
  data.node("GatherElements", {"x", "i"}, {"y"}, {attribute("axis", 1)}).output("y");
  check_values(data, {{1, 2, 3, 4}, {1, -2}}, {2, 1}, {2, 3});
}

TEST_CASE("OneHot marks along a new axis; indices outside mark nothing") {
  const auto build = [](OnnxBuilder& builder, int type, const Attributes& attributes) {
    builder.input("i", {1, 2}, type).integers("depth", {}, {3}).floats("v", {2}, {-1, 5});
    builder.node("OneHot", {"i", "depth", "v"}, {"y"}, attributes).output("y");
  };
  for (const int type : {onnx::TensorProto::INT64, onnx::TensorProto::FLOAT}) {
    OnnxBuilder last(11);
    build(last, type, {});
    check_values(last, {{1, -1}}, {1, 2, 3}, {-1, 5, -1, -1, -1, 5});
    check_values(last, {{3, -4}}, {1, 2, 3}, std::vector<double>(6, -1));
  }
  OnnxBuilder middle(11);
  build(middle, onnx::TensorProto::INT64, {attribute("axis", 1)});
  check_values(middle, {{1, 2}}, {1, 3, 2}, {-1, -1, 5, -1, -1, 5});
  OnnxBuilder first(11);
  build(first, onnx::TensorProto::INT64, {attribute("axis", -3)});
  check_values(first, {{0, 2}}, {3, 1, 2}, {5, -1, -1, -1, -1, 5});
}

TEST_CASE("OneHot's values may be data, its depth may not") {
  OnnxBuilder builder(11);
  builder.input("i", {2}, onnx::TensorProto::INT64).input("v", {2}, onnx::TensorProto::INT64);
  builder.floats("depth", {1}, {2}).node("OneHot", {"i", "depth", "v"}, {"y"}).output("y");
  check_values(builder, {{0, 1}, {7, 9}}, {2, 2}, {9, 7, 7, 9});
  OnnxBuilder computed(11);
  computed.input("i", {2}, onnx::TensorProto::INT64).input("depth", {1}).floats("v", {2}, {0, 1});
  computed.node("OneHot", {"i", "depth", "v"}, {"y"}).output("y");
  CHECK(computed.refusal().find("its depth depends on the model's inputs") != std::string::npos);
  const onnx::TensorProto values = float_tensor("v", {2}, {0, 1});
  for (const std::int64_t depth : {std::int64_t{0}, std::int64_t{1} << 31})
    check_node_refused(11, "OneHot", {2}, {integer_tensor("depth", {}, {depth}), values}, {},
                       "must be from 1 to 2^24");
  check_node_refused(11, "OneHot", {2},
                     {integer_tensor("depth", {}, {3}), float_tensor("v", {3}, {0, 1, 2})}, {},
                     "its values must be two numbers");
  check_node_refused(11, "OneHot", {2}, {integer_tensor("depth", {}, {3}), values},
                     {attribute("axis", 2)}, "axis 2 is outside");
}

TEST_CASE("Hardmax marks the first of the largest, along one axis or over all later ones") {
  check_node(13, "Hardmax", {1, 2, 3}, kX, {}, {}, {1, 2, 3}, {0, 1, 0, 1, 0, 0});
  check_node(13, "Hardmax", {1, 2, 3}, kX, {}, {attribute("axis", 1)}, {1, 2, 3},
             {0, 1, 1, 1, 0, 0});
  check_node(11, "Hardmax", {1, 2, 3}, kX, {}, {}, {1, 2, 3}, {0, 0, 0, 1, 0, 0});
}

}  // namespace figment::testing
