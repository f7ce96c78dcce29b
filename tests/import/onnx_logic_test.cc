// ONNX's comparisons, logic, and what is chosen by their results, over the model's data.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "converter/graph/graph.h"
#include "tests/import/onnx_builder.h"

namespace figment::testing {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// Two inputs of one type, of different shapes.
void check_pair(const std::string& kind, int type, const std::vector<float>& a,
                const std::vector<float>& b, const std::vector<double>& expected) {
  CAPTURE(kind);
  OnnxBuilder builder(16);
  builder.input("a", {2, 3}, type).input("b", {3}, type);
  builder.node(kind, {"a", "b"}, {"y"}).output("y");
  CHECK(builder.import().nodes.size() == 1);
  check_values(builder, {a, b}, {2, 3}, expected);
}

}  // namespace

TEST_CASE("comparisons of numbers and of integers broadcast") {
  const std::vector<float> a = {1, 2, 3, 3, 2, 1};
  const std::vector<float> b = {2, 2, 2};
  for (const int type : {onnx::TensorProto::FLOAT, onnx::TensorProto::INT64}) {
    check_pair("Equal", type, a, b, {0, 1, 0, 0, 1, 0});
    check_pair("Less", type, a, b, {1, 0, 0, 0, 0, 1});
    check_pair("LessOrEqual", type, a, b, {1, 1, 0, 0, 1, 1});
    check_pair("Greater", type, a, b, {0, 0, 1, 1, 0, 0});
    check_pair("GreaterOrEqual", type, a, b, {0, 1, 1, 1, 1, 0});
  }
}

TEST_CASE("logic of booleans broadcasts") {
  const std::vector<float> a = {0, 1, 0, 1, 0, 1};
  const std::vector<float> b = {0, 0, 1};
  check_pair("And", onnx::TensorProto::BOOL, a, b, {0, 0, 0, 0, 0, 1});
  check_pair("Or", onnx::TensorProto::BOOL, a, b, {0, 1, 1, 1, 0, 1});
  check_pair("Xor", onnx::TensorProto::BOOL, a, b, {0, 1, 1, 1, 0, 0});
  OnnxBuilder builder(13);
  builder.input("x", {1, 3}, onnx::TensorProto::BOOL).node("Not", {"x"}, {"y"}).output("y");
  check_values(builder, {{1, 0, 1}}, {1, 3}, {0, 1, 0});
}

TEST_CASE("comparisons lead to others, and to numbers") {
  // Numbers between 0 and 1 are doubled.
  OnnxBuilder builder(13);
  builder.input("x", {1, 4}).floats("zero", {}, {0}).floats("one", {}, {1});
  builder.node("Greater", {"x", "zero"}, {"a"}).node("Less", {"x", "one"}, {"b"});
  builder.node("And", {"a", "b"}, {"c"});
  builder.node("Cast", {"c"}, {"d"}, {attribute("to", onnx::TensorProto::FLOAT)});
  builder.node("Mul", {"d", "x"}, {"e"}).node("Add", {"x", "e"}, {"y"}).output("y");
  check_values(builder, {{-0.5F, 0.25F, 0.75F, 2}}, {1, 4}, {-0.5, 0.5, 1.5, 2});
}

TEST_CASE("NaN and infinities are found") {
  const std::vector<float> x = {1, kNaN, kInfinity, -kInfinity, 0};
  check_node(13, "IsNaN", {1, 5}, x, {}, {}, {1, 5}, {0, 1, 0, 0, 0});
  check_node(10, "IsInf", {1, 5}, x, {}, {}, {1, 5}, {0, 0, 1, 1, 0});
  check_node(10, "IsInf", {1, 5}, x, {}, {attribute("detect_negative", 0)}, {1, 5},
             {0, 0, 1, 0, 0});
  check_node(10, "IsInf", {1, 5}, x, {}, {attribute("detect_positive", 0)}, {1, 5},
             {0, 0, 0, 1, 0});
  check_node(10, "IsInf", {1, 5}, x, {},
             {attribute("detect_positive", 0), attribute("detect_negative", 0)}, {1, 5},
             {0, 0, 0, 0, 0});
}

TEST_CASE("Where chooses element by element") {
  OnnxBuilder mask(13);
  mask.input("x", {1, 2}).integers("c", {2}, {1, 0}).floats("z", {1, 2}, {5, 6});
  mask.node("Where", {"c", "x", "z"}, {"y"}).output("y");
  check_values(mask, {{8, 9}}, {1, 2}, {8, 6});
  OnnxBuilder data(13);
  data.input("c", {2, 1}, onnx::TensorProto::BOOL).input("a", {1, 3}, onnx::TensorProto::INT64);
  data.integers("b", {}, {7}).node("Where", {"c", "a", "b"}, {"y"}).output("y");
  check_values(data, {{0, 1}, {1, 2, 3}}, {2, 3}, {7, 7, 7, 1, 2, 3});
  check_node_refused(13, "Where", {1, 3},
                     {float_tensor("a", {3}, {1, 2, 3}), float_tensor("b", {3}, {4, 5, 6})}, {},
                     "its condition must be boolean");
}

TEST_CASE("Where with a condition that is the same everywhere leaves one operand") {
  for (const bool first : {true, false}) {
    OnnxBuilder builder(13);
    builder.input("x", {1, 1})
        .integers("c", {3}, first ? Extents{1, 1, 1} : Extents{0, 0, 0})
        .floats("z", {2, 1}, {5, 6});
    builder.node("Where", {"c", "x", "z"}, {"w"}).node("Add", {"w", "x"}, {"y"}).output("y");
    for (const converter::Node& node : builder.import().nodes)
      CHECK(node.kind() != format::OperatorOptions::Select);
    check_values(builder, {{4}}, {2, 3},
                 first ? std::vector<double>(6, 8) : std::vector<double>{9, 9, 9, 10, 10, 10});
  }
}

TEST_CASE("Trilu keeps a triangle, of any type and on any diagonal") {
  const std::vector<float> x = {1, 2, 3, 4, 5, 6, kNaN, 8, 9, 10, 11, 12};  // [3,4]
  const auto diagonal = [](std::int64_t k) { return integer_tensor("k", {}, {k}); };
  const std::vector<onnx::AttributeProto> lower = {attribute("upper", 0)};
  check_node(14, "Trilu", {1, 3, 4}, x, {}, lower, {1, 3, 4},
             {1, 0, 0, 0, 5, 6, 0, 0, 9, 10, 11, 0});
  check_node(14, "Trilu", {1, 3, 4}, x, {diagonal(2)}, {}, {1, 3, 4},
             {0, 0, 3, 4, 0, 0, 0, 8, 0, 0, 0, 0});
  check_node(14, "Trilu", {1, 3, 4}, x, {diagonal(-1)}, lower, {1, 3, 4},
             {0, 0, 0, 0, 5, 0, 0, 0, 9, 10, 0, 0});
  check_node(14, "Trilu", {1, 3, 4}, x, {diagonal(-100)}, lower, {1, 3, 4},
             std::vector<double>(12, 0));
  OnnxBuilder whole(14);
  whole.input("x", {2, 2, 2}, onnx::TensorProto::INT64).node("Trilu", {"x"}, {"y"}).output("y");
  check_values(whole, {{1, 2, 3, 4, 5, 6, 7, 8}}, {2, 2, 2}, {1, 2, 0, 4, 5, 6, 0, 8});
  check_node_refused(14, "Trilu", {3}, {}, {}, "at least two axes");
  OnnxBuilder computed(14);
  computed.input("x", {1, 2, 2}).input("k", {}, onnx::TensorProto::INT64);
  computed.node("Trilu", {"x", "k"}, {"y"}).output("y");
  CHECK(computed.refusal().find("its diagonal depends on the model's inputs") != std::string::npos);
}

}  // namespace figment::testing
