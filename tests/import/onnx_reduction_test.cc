// Reductions: axes as attribute, as operand, and absent.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/import/onnx_builder.h"
#include "tests/import/run_graph.h"

namespace figment::testing {
namespace {

const std::vector<float> kX = {1, 2, 3, 4, 5, -6};  // [1,2,3]

onnx::TensorProto axes(const Extents& values) {
  return integer_tensor("axes", {static_cast<std::int64_t>(values.size())}, values);
}

}  // namespace

TEST_CASE("axes are an attribute first and an operand later") {
  check_node(11, "ReduceMean", {1, 2, 3}, kX, {}, {attribute("axes", Extents{2})}, {1, 2, 1},
             {2, 1});
  check_node(17, "ReduceMean", {1, 2, 3}, kX, {},
             {attribute("axes", Extents{-1}), attribute("keepdims", 0)}, {1, 2}, {2, 1});
  check_node(18, "ReduceMean", {1, 2, 3}, kX, {axes({2})}, {}, {1, 2, 1}, {2, 1});
  check_node(11, "ReduceSum", {1, 2, 3}, kX, {}, {attribute("axes", Extents{1, 2})}, {1, 1, 1},
             {9});
  check_node(13, "ReduceSum", {1, 2, 3}, kX, {axes({1})}, {attribute("keepdims", 0)}, {1, 3},
             {5, 7, -3});
  check_node_refused(13, "ReduceSum", {1, 2, 3}, {}, {attribute("axes", Extents{1})},
                     "'axes' is not supported in opset 13");
  check_node_refused(18, "ReduceMax", {1, 2, 3}, {axes({3})}, {}, "axis 3 is outside");
}

TEST_CASE("no axes means all of them, unless it means none") {
  check_node(13, "ReduceSum", {1, 2, 3}, kX, {}, {}, {1, 1, 1}, {9});
  check_node(13, "ReduceSum", {1, 2, 3}, kX, {}, {attribute("keepdims", 0)}, {}, {9});
  check_node(13, "ReduceSum", {1, 2, 3}, kX, {}, {attribute("noop_with_empty_axes", 1)}, {1, 2, 3},
             {1, 2, 3, 4, 5, -6});
}

TEST_CASE("all functions") {
  const std::vector<onnx::AttributeProto> last = {attribute("axes", Extents{2})};
  check_node(11, "ReduceMax", {1, 2, 3}, kX, {}, last, {1, 2, 1}, {3, 5});
  check_node(11, "ReduceMin", {1, 2, 3}, kX, {}, last, {1, 2, 1}, {1, -6});
  check_node(11, "ReduceProd", {1, 2, 3}, kX, {}, last, {1, 2, 1}, {6, -120});
  check_node(11, "ReduceL1", {1, 2, 3}, kX, {}, last, {1, 2, 1}, {6, 15});
  check_node(11, "ReduceL2", {1, 2, 3}, kX, {}, last, {1, 2, 1},
             {std::sqrt(14.0), std::sqrt(77.0)});
  check_node(11, "ReduceSumSquare", {1, 2, 3}, kX, {}, last, {1, 2, 1}, {14, 77});
}

TEST_CASE("ReduceLogSum and ReduceLogSumExp") {
  const std::vector<float> x = {1, 2, 3, 4, 5, 6};
  const std::vector<onnx::AttributeProto> last = {attribute("axes", Extents{2})};
  check_node(11, "ReduceLogSum", {1, 2, 3}, x, {}, last, {1, 2, 1}, {std::log(6), std::log(15)});
  const double tail = std::log(1 + std::exp(-1) + std::exp(-2));
  check_node(11, "ReduceLogSumExp", {1, 2, 3}, x, {}, last, {1, 2, 1}, {3 + tail, 6 + tail});
  check_node(18, "ReduceLogSumExp", {1, 2, 3}, x, {axes({-1})}, {attribute("keepdims", 0)}, {1, 2},
             {3 + tail, 6 + tail});
  check_node(13, "ReduceLogSumExp", {1, 3}, {1000, 1000, -1000}, {}, {attribute("keepdims", 0)}, {},
             {1000 + std::log(2.0)});
}

TEST_CASE("ReduceLogSumExp of infinities") {
  const float infinity = std::numeric_limits<float>::infinity();
  OnnxBuilder builder(13);
  builder.input("x", {3, 2}).node("ReduceLogSumExp", {"x"}, {"y"}, {attribute("axes", Extents{1})});
  const GraphRun run =
      run_graph(builder.output("y").import(), {{-infinity, -infinity, 0, infinity, -infinity, 2}});
  CHECK(run.values[0] == std::vector<double>{-HUGE_VAL, HUGE_VAL, 2});
}

TEST_CASE("CumSum, whose axis is an operand") {
  const auto axis = [](std::int64_t value) { return integer_tensor("axis", {}, {value}); };
  check_node(14, "CumSum", {1, 2, 3}, kX, {axis(2)}, {}, {1, 2, 3}, {1, 3, 6, 4, 9, 3});
  check_node(11, "CumSum", {1, 2, 3}, kX, {axis(-2)}, {}, {1, 2, 3}, {1, 2, 3, 5, 7, -3});
  check_node(14, "CumSum", {1, 2, 3}, kX, {axis(2)},
             {attribute("exclusive", 1), attribute("reverse", 1)}, {1, 2, 3}, {5, 3, 0, -1, -6, 0});
  check_node_refused(14, "CumSum", {1, 3}, {axis(2)}, {}, "axis 2 is outside");
  OnnxBuilder whole(14);
  whole.input("x", {1, 3}, onnx::TensorProto::INT64).integers("axis", {1}, {1});
  whole.node("CumSum", {"x", "axis"}, {"y"}).output("y");
  check_values(whole, {{1, 2, 3}}, {1, 3}, {1, 3, 6});
}

TEST_CASE("LpNormalization; a vector of zeros stays one") {
  const std::vector<float> x = {3, -4, 0, 0, 1e-30F, 0};
  check_node(1, "LpNormalization", {1, 3, 2}, x, {}, {attribute("p", 1)}, {1, 3, 2},
             {3.0 / 7, -4.0 / 7, 0, 0, 1, 0});
  check_node(1, "LpNormalization", {1, 2, 2}, {3, -4, 0, 0}, {}, {}, {1, 2, 2}, {0.6, -0.8, 0, 0});
  check_node(1, "LpNormalization", {1, 2, 2}, {3, 5, 4, 12}, {}, {attribute("axis", 1)}, {1, 2, 2},
             {0.6, 5.0 / 13, 0.8, 12.0 / 13});
  check_node_refused(1, "LpNormalization", {1, 2}, {}, {attribute("p", 3)}, "must be 1 or 2");
}

TEST_CASE("GlobalLpPool") {
  const std::vector<float> x = {3, -4, 0, 1, -2, 2, 0, 0};
  check_node(2, "GlobalLpPool", {1, 2, 2, 2}, x, {}, {}, {1, 2, 1, 1},
             {std::sqrt(26.0), std::sqrt(8.0)});
  check_node(2, "GlobalLpPool", {1, 2, 4}, x, {}, {attribute("p", 1)}, {1, 2, 1}, {8, 4});
  check_node(2, "GlobalLpPool", {1, 2, 4}, x, {}, {attribute("p", 3)}, {1, 2, 1},
             {std::cbrt(92.0), std::cbrt(16.0)});
  check_node(1, "GlobalLpPool", {1, 2, 4}, x, {}, {attribute("p", 1.0F)}, {1, 2, 1}, {8, 4});
  check_node_refused(2, "GlobalLpPool", {1, 2}, {}, {}, "must be N,C");
  check_node_refused(2, "GlobalLpPool", {1, 2, 2}, {}, {attribute("p", 0)}, "is not positive");
}

TEST_CASE("MeanVarianceNormalization, per channel by default") {
  const std::vector<float> x = {1, 3, 10, 10, 5, 7, 30, 50};  // [2,2,1,2]
  const double root = std::sqrt(5.0);
  check_node(13, "MeanVarianceNormalization", {2, 2, 1, 2}, x, {}, {}, {2, 2, 1, 2},
             {-3 / root, -1 / root, -15 / std::sqrt(275.0), -15 / std::sqrt(275.0), 1 / root,
              3 / root, 5 / std::sqrt(275.0), 25 / std::sqrt(275.0)});
  check_node(13, "MeanVarianceNormalization", {1, 1, 2, 2}, {1, 3, 10, 10}, {},
             {attribute("axes", Extents{-1})}, {1, 1, 2, 2}, {-1, 1, 0, 0});
}

}  // namespace figment::testing
