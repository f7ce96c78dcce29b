// ONNX's functions of two or more numbers, with broadcasting.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

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

TEST_CASE("comparisons and rounding of the model's data are refused by name") {
  for (const char* kind : {"Equal", "Less", "And"})
    check_node_refused(13, kind, {1, 3}, {float_tensor("c", {3}, {1, 2, 3})}, {},
                       "it works on the model's data");
  check_node_refused(13, "Floor", {1, 3}, {}, {}, "it works on the model's data");
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
