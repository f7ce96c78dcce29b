// Weights and channels of integer products: what they stand for, and which products have none.
#include "converter/passes/integer_weights.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;

namespace {

struct Product {
  Graph graph;
  Node& node() { return graph.nodes.back(); }
  GraphTensor& weights() { return graph.tensor(node().inputs[1]); }
  float* weight() { return reinterpret_cast<float*>(weights().data->data()); }
  float* bias() { return reinterpret_cast<float*>(graph.tensor(node().inputs[2]).data->data()); }
};

Product dense_product(int inputs, int outputs) {
  Product product;
  const TensorId x = add_batch_input(product.graph, "x", {1, inputs});
  add_output(product.graph, dense(product.graph, x, outputs, 3));
  return product;
}

constexpr Int8Range kX = {0.03125f, 5};
constexpr Int8Range kY = {0.0625f, -9};

// Weight and bias of each channel that the operands stand for, against those of the node.
void check(Product product) {
  const std::size_t count = static_cast<std::size_t>(product.weights().shape.elements());
  const std::vector<float> before(product.weight(), product.weight() + count);
  const std::vector<float> biases(
      product.bias(), product.bias() + product.graph.tensor(product.node().inputs[2]).shape[0]);
  const IntegerWeights operands = add_integer_weights(product.graph, product.node(), kX, kY);
  const GraphTensor& weights = product.graph.tensor(operands.weights);
  const GraphTensor& channels = product.graph.tensor(operands.channels);
  CHECK(weights.scales.empty());
  const std::size_t depth = count / biases.size();
  for (std::size_t o = 0; o < biases.size(); ++o) {
    const std::int32_t* numbers = channels.integers() + 3 * o;
    // y.scale * factor is what one unit of the sum stands for.
    const double unit = double{kY.scale} * std::ldexp(static_cast<double>(numbers[1]), -numbers[2]);
    CHECK(std::fabs(numbers[0] * unit - double{biases[o]}) <=
          unit * 0.51 + std::fabs(double{biases[o]}) * 1e-9);  // 31 bits of the multiplier
    const double scale = unit / double{kX.scale};
    for (std::size_t k = 0; k < depth; ++k) {
      const int q = static_cast<std::int8_t>((*weights.data)[o * depth + k]);
      CHECK(std::fabs(q * scale - double{before[o * depth + k]}) <= scale * 0.51);
    }
  }
}

}  // namespace

TEST_CASE("weights and biases to half a step") { check(dense_product(9, 5)); }

TEST_CASE("channels of zeros, and biases that do not fit") {
  Product product = dense_product(7, 3);
  std::fill_n(product.weight(), 7, 0.0f);
  product.bias()[0] = 0.9f;
  std::fill_n(product.weight() + 7, 7, 1e-9f);
  product.bias()[1] = 700;
  check(std::move(product));
}

TEST_CASE("products that stay float32") {
  CHECK(has_integer_weights(dense_product(4, 2).graph, dense_product(4, 2).node()));
  Product product = dense_product(4, 2);
  product.weight()[3] = std::numeric_limits<float>::infinity();
  CHECK_FALSE(has_integer_weights(product.graph, product.node()));
  product = dense_product(4, 2);
  product.bias()[1] = std::nanf("");
  CHECK_FALSE(has_integer_weights(product.graph, product.node()));
  product = dense_product(66000, 1);
  CHECK_FALSE(has_integer_weights(product.graph, product.node()));
  product = dense_product(4, 2);
  product.weights().data.reset();
  CHECK_FALSE(has_integer_weights(product.graph, product.node()));
}
