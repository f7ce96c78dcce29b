// Weights of dense layers become int4 with a scale for each block; what cannot, and what is no
// weight of a dense layer, stays.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "converter/passes/passes.h"
#include "runtime/math/int4.h"
#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;
using figment::DataType;
namespace math = figment::math;

namespace {

constexpr std::size_t kBlock = 32;

// What an int4 constant stands for.
std::vector<float> values_of(const GraphTensor& tensor) {
  REQUIRE(tensor.type == DataType::kInt4);
  REQUIRE(tensor.data->size() == static_cast<std::size_t>(math::int4_bytes(tensor.shape)));
  figment::Tensor view;
  view.data = const_cast<std::byte*>(tensor.data->data());
  view.shape = tensor.shape;
  const auto depth = static_cast<std::size_t>(tensor.shape[1]);
  std::vector<std::int8_t> numbers(depth + kBlock);
  std::vector<float> scales(depth / kBlock + 1);
  std::vector<float> values;
  for (int row = 0; row < tensor.shape[0]; ++row) {
    math::widen_int4(view, row, tensor.shape[1], numbers.data(), scales.data());
    for (std::size_t i = 0; i < depth; ++i) values.push_back(scales[i / kBlock] * numbers[i]);
  }
  return values;
}

double squared_error(const float* a, const float* b, std::size_t count) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += std::pow(double{a[i]} - double{b[i]}, 2);
  return sum;
}

// The error of a block whose largest weight is 7 steps.
double plain_error(const float* weights, std::size_t count) {
  float largest = 0;
  for (std::size_t i = 0; i < count; ++i) largest = std::fmax(largest, std::fabs(weights[i]));
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i)
    sum += std::pow(double{weights[i]} -
                        double{largest / 7} * std::nearbyint(double{weights[i] / (largest / 7)}),
                    2);
  return sum;
}

Graph one_layer(const std::vector<std::int64_t>& shape, const std::vector<float>& weights) {
  Graph graph;
  const TensorId x = add_batch_input(graph, "x", {1, shape[1]});
  add_output(graph, graph.add_node("dense", make_options(format::DenseT{}),
                                   {x, graph.add_floats("w", make_shape(shape), weights)}));
  return graph;
}

}  // namespace

TEST_CASE("weights of dense layers become int4; biases and other weights do not") {
  Graph before;
  TensorId x = add_batch_input(before, "x", {1, 3, 4, 2});
  x = convolution(before, x, 5, 1);
  x = reshape(before, x, {1, 60});
  before.any_batch = false;  // the reshape fixes it
  x = dense(before, x, 33, 2);
  x = dense(before, x, 3, 4);
  add_output(before, x);
  Graph after = before;
  const PassResult result = quantize_dense(after);
  CHECK(result.changes == 2);
  CHECK(result.sentence ==
        "stored 2 weight tensors of dense layers as int4, with a scale for each block of 32");
  for (std::size_t i = 0; i < after.nodes.size(); ++i) {
    const Node& node = after.nodes[i];
    const bool is_dense = node.kind() == format::OperatorOptions::Dense;
    if (node.inputs.size() < 3) continue;
    CHECK(after.tensor(node.inputs[1]).type == (is_dense ? DataType::kInt4 : DataType::kFloat32));
    CHECK(after.tensor(node.inputs[2]).type == DataType::kFloat32);
  }
  const double error = difference(before, after);
  CHECK(error > 0.0);
  CHECK(error < 1.0);
  CHECK(quantize_dense(after).changes == 0);
  CHECK(quantize_weights(after).changes == 1);
}

TEST_CASE("each block has a scale of its own, better than its largest weight alone would give") {
  for (const std::size_t depth : {32, 33, 63, 65, 100}) {
    CAPTURE(depth);
    std::vector<float> weights = some_floats(7 * depth, 1);
    // Blocks of very different sizes.
    for (std::size_t i = 0; i < weights.size(); ++i)
      weights[i] *= std::ldexp(1.0f, static_cast<int>(i % depth / kBlock * 5));
    Graph graph = one_layer({7, static_cast<std::int64_t>(depth)}, weights);
    CHECK(quantize_dense(graph).changes == 1);
    const std::vector<float> found = values_of(graph.tensor(graph.nodes[0].inputs[1]));
    double best = 0;
    double plain = 0;
    for (std::size_t row = 0; row < 7; ++row)
      for (std::size_t i = row * depth; i < (row + 1) * depth; i += kBlock) {
        const std::size_t count = std::min(kBlock, (row + 1) * depth - i);
        const double error = squared_error(&weights[i], &found[i], count);
        const double simple = plain_error(&weights[i], count);
        // A scale of 8 bits may lie a little beside the one of float32.
        CHECK(error <= simple * 1.1 + 1e-4 * std::pow(double{weights[i]}, 2));
        if (count < kBlock) continue;  // few weights may lie on steps by themselves
        best += error / simple;
        plain += 1;
      }
    CHECK(best < 0.95 * plain);
  }
}

TEST_CASE("what int4 holds stays what it was") {
  std::vector<float> weights(64);
  for (std::size_t i = 0; i < 64; ++i)
    weights[i] = static_cast<float>(static_cast<int>(i % 16) - 8) * (i < 32 ? 0.5f : 64.0f);
  Graph graph = one_layer({1, 64}, weights);
  CHECK(quantize_dense(graph).changes == 1);
  CHECK(values_of(graph.tensor(graph.nodes[0].inputs[1])) == weights);
}

TEST_CASE("blocks of zeros, of numbers next to nothing, and of huge ones") {
  std::vector<float> weights(96, 0.0f);
  weights[33] = 1e-44f;
  weights[70] = -3e38f;
  Graph graph = one_layer({1, 96}, weights);
  CHECK(quantize_dense(graph).changes == 1);
  const std::vector<float> found = values_of(graph.tensor(graph.nodes[0].inputs[1]));
  for (std::size_t i = 0; i < 96; ++i) {
    if (i != 70) CHECK(found[i] == 0.0f);
  }
  CHECK(found[70] == doctest::Approx(weights[70]).epsilon(0.01));
  CHECK(run_graph(graph).size() == 1);  // the runtime takes these scales
}

TEST_CASE("short rows, numbers that are not finite, and products stay for others") {
  Graph graph;
  TensorId x = add_batch_input(graph, "x", {1, 31});
  x = dense(graph, x, 40, 1);
  std::vector<float> weights = some_floats(80, 2);
  weights[5] = std::numeric_limits<float>::infinity();
  x = graph.add_node("dense", make_options(format::DenseT{}),
                     {x, graph.add_floats("infinite", make_shape({2, 40}), weights)});
  x = graph.add_node("product", make_options(format::MatMulT{}), {x, add_some(graph, {2, 64}, 3)});
  add_output(graph, x);
  CHECK(quantize_dense(graph).changes == 0);
  for (const Node& node : graph.nodes)
    CHECK(graph.tensor(node.inputs[1]).type == DataType::kFloat32);
}

TEST_CASE("weights that another kind of operator reads too stay for it") {
  Graph before;
  const TensorId x = add_batch_input(before, "x", {1, 40});
  const TensorId weights = add_some(before, {3, 40}, 1);
  const TensorId y =
      before.add_node("dense", make_options(format::DenseT{}), {x, weights, kAbsent});
  add_output(before, before.add_node("product", make_options(format::MatMulT{}), {y, weights}));
  Graph after = before;
  CHECK(quantize_dense(after).changes == 1);
  CHECK(after.tensor(after.nodes[0].inputs[1]).type == DataType::kInt4);
  CHECK(after.tensor(after.nodes[1].inputs[1]).type == DataType::kFloat32);
  CHECK(difference(before, after) < 0.5);
}
