// Reductions: axes as attribute, as operand, and absent.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/import/onnx_builder.h"

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

}  // namespace figment::testing
