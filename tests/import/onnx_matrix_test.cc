// Matrix products.
#include <doctest/doctest.h>

#include "tests/import/onnx_builder.h"
#include "tests/import/run_graph.h"

namespace figment::testing {
namespace {

// x [2,3] * b [3,2]: 1..6 and 1, -1, 2, 0, 0.5, 3
const std::vector<float> kX = ramp(6, 1, 1);
const std::vector<double> kProduct = {6.5, 8, 17, 14};
const onnx::TensorProto kB = float_tensor("b", {3, 2}, {1, -1, 2, 0, 0.5F, 3});
const onnx::TensorProto kTurned = float_tensor("b", {2, 3}, {1, 2, 0.5F, -1, 0, 3});

std::vector<double> scaled(double alpha, double beta, const std::vector<double>& c) {
  std::vector<double> expected;
  for (std::size_t index = 0; index < 4; ++index)
    expected.push_back(alpha * kProduct[index] + beta * c[index]);
  return expected;
}

}  // namespace

TEST_CASE("Gemm with constant weights") {
  check_node(11, "Gemm", {2, 3}, kX, {kB}, {}, {2, 2}, kProduct);
  check_node(11, "Gemm", {2, 3}, kX, {kTurned}, {attribute("transB", 1)}, {2, 2}, kProduct);
  check_node(11, "Gemm", {3, 2}, {1, 4, 2, 5, 3, 6}, {kB}, {attribute("transA", 1)}, {2, 2},
             kProduct);
  const std::vector<onnx::AttributeProto> factors = {attribute("alpha", 0.5F),
                                                     attribute("beta", 2.0F)};
  check_node(11, "Gemm", {2, 3}, kX, {kB, float_tensor("c", {2}, {1, 2})}, factors, {2, 2},
             scaled(0.5, 2, {1, 2, 1, 2}));
  check_node(11, "Gemm", {2, 3}, kX, {kB, float_tensor("c", {1, 2}, {1, 2})}, factors, {2, 2},
             scaled(0.5, 2, {1, 2, 1, 2}));
  check_node(11, "Gemm", {2, 3}, kX, {kB, float_tensor("c", {}, {3})}, factors, {2, 2},
             scaled(0.5, 2, {3, 3, 3, 3}));
  check_node(11, "Gemm", {2, 3}, kX, {kB, float_tensor("c", {2, 2}, {1, 2, 3, 4})}, factors, {2, 2},
             scaled(0.5, 2, {1, 2, 3, 4}));
  check_node(11, "Gemm", {2, 3}, kX, {kB, float_tensor("c", {2, 1}, {1, 2})}, factors, {2, 2},
             scaled(0.5, 2, {1, 1, 2, 2}));
}

TEST_CASE("Gemm with a bias of one number an output is one Dense") {
  OnnxBuilder builder(11);
  builder.input("x", {1, 3}).floats("b", {2, 3}, ramp(6)).floats("c", {2}, {1, 2});
  builder.node("Gemm", {"x", "b", "c"}, {"y"}, {attribute("transB", 1), attribute("alpha", 3.0F)})
      .output("y");
  const converter::Graph graph = builder.import();
  REQUIRE(graph.nodes.size() == 1);
  CHECK(kind_name(graph.nodes[0]) == "Dense");
}

TEST_CASE("Gemm of two inputs") {
  OnnxBuilder builder(11);
  builder.input("x", {2, 3}).input("b", {2, 3}).floats("c", {2}, {1, 2});
  builder.node("Gemm", {"x", "b", "c"}, {"y"},
               {attribute("transB", 1), attribute("alpha", 0.5F), attribute("beta", 2.0F)});
  builder.output("y");
  check_values(builder, {kX, {1, 2, 0.5F, -1, 0, 3}}, {2, 2}, scaled(0.5, 2, {1, 2, 1, 2}));
}

TEST_CASE("MatMul") {
  check_node(13, "MatMul", {2, 3}, kX, {kB}, {}, {2, 2}, kProduct);
  check_node(13, "MatMul", {1, 2, 3}, kX, {kB}, {}, {1, 2, 2}, kProduct);
  check_node(13, "MatMul", {3}, {1, 2, 3}, {kB}, {}, {2}, {6.5, 8});
  check_node(13, "MatMul", {2, 3}, kX, {float_tensor("b", {3}, {1, 2, 0.5F})}, {}, {2}, {6.5, 17});
  check_node(13, "MatMul", {3}, {1, 2, 3}, {float_tensor("b", {3}, {1, 2, 0.5F})}, {}, {}, {6.5});
  check_node(13, "MatMul", {2, 1, 3}, kX, {float_tensor("b", {2, 3, 1}, {1, 2, 0.5F, -1, 0, 3})},
             {}, {2, 1, 1}, {6.5, 14});
  // A constant from the left.
  OnnxBuilder builder(13);
  builder.input("x", {3, 2}).floats("a", {2, 3}, kX).node("MatMul", {"a", "x"}, {"y"}).output("y");
  check_values(builder, {{1, -1, 2, 0, 0.5F, 3}}, {2, 2}, kProduct);
}

TEST_CASE("what is refused") {
  check_node_refused(11, "Gemm", {1, 2, 3}, {kB}, {}, "but must be matrices");
  check_node_refused(13, "MatMul", {2, 4}, {kB}, {}, "");
  check_node_refused(13, "MatMul", {2, 4}, {float_tensor("b", {}, {1})}, {},
                     "a factor is a scalar");
}

}  // namespace figment::testing
