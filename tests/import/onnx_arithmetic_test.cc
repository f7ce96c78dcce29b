// ONNX's functions of two or more numbers, with broadcasting.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "converter/graph/graph.h"
#include "tests/import/onnx_builder.h"

namespace figment::testing {
namespace {

// x [1,2,3] with a constant [3]: broadcast along the last axis.
void check(const std::string& kind, const std::function<double(double, double)>& function) {
  const std::vector<float> x = {0.5F, 1, 1.5F, 2, 2.5F, 3};
  const std::vector<float> y = {2, 0.5F, -1};
  std::vector<double> expected;
  for (std::size_t index = 0; index < x.size(); ++index)
    expected.push_back(function(static_cast<double>(x[index]), static_cast<double>(y[index % 3])));
  check_node(13, kind, {1, 2, 3}, x, {float_tensor("c", {3}, y)}, {}, {1, 2, 3}, expected);
}

}  // namespace

TEST_CASE("two operands broadcast") {
  check("Add", [](double a, double b) { return a + b; });
  check("Sub", [](double a, double b) { return a - b; });
  check("Mul", [](double a, double b) { return a * b; });
  check("Div", [](double a, double b) { return a / b; });
  check("Pow", [](double a, double b) { return std::pow(a, b); });
  check("Max", [](double a, double b) { return std::max(a, b); });
  check("Min", [](double a, double b) { return std::min(a, b); });
}

TEST_CASE("PRelu's slope is one a channel, in N,C,H,W") {
  check_node(9, "PRelu", {1, 2, 1, 2}, {-1, 2, -4, -8},
             {float_tensor("slope", {2, 1, 1}, {0.5F, 0.25F})}, {}, {1, 2, 1, 2},
             {-0.5, 2, -1, -2});
}

TEST_CASE("Max, Min, Sum and Mean take any number of operands") {
  const auto run = [](const std::string& kind, const std::vector<double>& expected) {
    OnnxBuilder builder(13);
    builder.input("x", {1, 3}).floats("a", {3}, {1, 5, -2}).floats("b", {1}, {2});
    builder.node(kind, {"x", "a", "b"}, {"y"}).output("y");
    check_values(builder, {{0, 1, 2}}, {1, 3}, expected);
  };
  run("Max", {2, 5, 2});
  run("Min", {0, 1, -2});
  run("Sum", {3, 8, 2});
  run("Mean", {1, 8.0 / 3, 2.0 / 3});
  OnnxBuilder builder(13);
  builder.input("x", {1, 3}).node("Sum", {"x"}, {"y"}).output("y");
  check_values(builder, {{1, 2, 3}}, {1, 3}, {1, 2, 3});
}

TEST_CASE("an exponent of integers is taken as numbers") {
  check_node(13, "Pow", {1, 3}, {-1, 2, 3}, {integer_tensor("two", {}, {2})}, {}, {1, 3},
             {1, 4, 9});
}

// One node over inputs of the types given; the result is read as it is.
void check_typed(const std::string& kind, const std::vector<int>& types,
                 const std::vector<std::vector<float>>& operands,
                 const std::vector<double>& expected, DataType type,
                 const std::vector<onnx::AttributeProto>& attributes = {}) {
  CAPTURE(kind);
  OnnxBuilder builder(13);
  std::vector<std::string> names;
  const auto count = static_cast<std::int64_t>(expected.size());
  for (std::size_t index = 0; index < types.size(); ++index) {
    names.push_back("x" + std::to_string(index));
    builder.input(names.back(), {1, count}, types[index]);
  }
  builder.node(kind, names, {"y"}, attributes).output("y");
  const converter::Graph graph = builder.import();
  CHECK(graph.tensor(graph.outputs[0].tensor).type == type);
  check_values(builder, operands, {1, count}, expected);
}

TEST_CASE("integers stay integers") {
  constexpr int kFloat = onnx::TensorProto::FLOAT;
  constexpr int kWhole = onnx::TensorProto::INT64;
  const auto whole = [&](const std::string& kind, const std::vector<std::vector<float>>& operands,
                         const std::vector<double>& expected) {
    check_typed(kind, std::vector<int>(operands.size(), kWhole), operands, expected,
                DataType::kInt32);
  };
  whole("Abs", {{-3, 0, 2}}, {3, 0, 2});
  whole("Neg", {{-3, 0, 2}}, {3, 0, -2});
  whole("Sign", {{-3, 0, 2}}, {-1, 0, 1});
  whole("Relu", {{-3, 0, 2}}, {0, 0, 2});
  whole("Add", {{-3, 0, 2}, {1, 2, 3}}, {-2, 2, 5});
  whole("Div", {{-7, 7, 2}, {2, 2, 3}}, {-3, 3, 0});
  whole("Max", {{-3, 0, 2}, {1, -1, 2}, {0, 0, 9}}, {1, 0, 9});
  whole("Pow", {{-3, 2, 5}, {2, 10, 0}}, {9, 1024, 1});
  whole("Clip", {{-3, 1, 9}}, {-3, 1, 9});
  // The power's type is the base's.
  check_typed("Pow", {kFloat, kWhole}, {{-1.5F, 2}, {2, -1}}, {2.25, 0.5}, DataType::kFloat32);
  check_typed("Pow", {kWhole, kFloat}, {{4, 2}, {0.5F, 1.5F}}, {2, 2}, DataType::kInt32);
}

TEST_CASE("integers are clipped to limits of integers") {
  OnnxBuilder builder(12);
  builder.input("x", {1, 3}, onnx::TensorProto::INT32).integers("low", {}, {-1});
  builder.integers("high", {}, {4}).node("Clip", {"x", "low", "high"}, {"y"}).output("y");
  check_values(builder, {{-3, 1, 9}}, {1, 3}, {-1, 1, 4});
}

TEST_CASE("Mod has the divisor's sign, or C's") {
  constexpr int kWhole = onnx::TensorProto::INT64;
  const std::vector<onnx::AttributeProto> as_in_c = {attribute("fmod", 1)};
  const std::vector<std::vector<float>> operands = {{-7, 7, -7, 7}, {3, -3, -3, 3}};
  check_typed("Mod", {kWhole, kWhole}, operands, {2, -2, -1, 1}, DataType::kInt32);
  check_typed("Mod", {kWhole, kWhole}, operands, {-1, 1, -1, 1}, DataType::kInt32, as_in_c);
  check_typed("Mod", {onnx::TensorProto::FLOAT, onnx::TensorProto::FLOAT}, {{-5.5F, 5.5F}, {2, -2}},
              {-1.5, 1.5}, DataType::kFloat32, as_in_c);
}

TEST_CASE("before opset 7 a slope of PRelu is one a channel") {
  const onnx::TensorProto slope = float_tensor("slope", {2}, {0.5F, 0.25F});
  check_node(6, "PRelu", {1, 2, 1, 2}, {-1, 2, -4, -8}, {slope}, {}, {1, 2, 1, 2},
             {-0.5, 2, -1, -2});
  check_node(7, "PRelu", {1, 2, 1, 2}, {-1, 2, -4, -8}, {slope}, {}, {1, 2, 1, 2},
             {-0.5, 2, -2, -2});
}

TEST_CASE("shapes that do not broadcast are refused with the runtime's sentence") {
  OnnxBuilder builder(13);
  builder.input("x", {1, 3})
      .floats("c", {4}, {1, 2, 3, 4})
      .node("Add", {"x", "c"}, {"y"})
      .output("y");
  CHECK(builder.refusal().find("node 'the_Add'") == 0);
}

}  // namespace figment::testing
