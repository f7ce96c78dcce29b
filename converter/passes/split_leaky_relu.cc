// Splits a LeakyRelu between two dense layers into its linear part and a Relu, for the runtime does
// not read the weights that a Relu's zeros meet (simd/product_row.cc). With h = W1 z + b1,
//
//   leaky(h) = alpha h + (1 - alpha) relu(h)
//   W2 leaky(h) + b2 = [(1 - alpha) W2 | alpha W2 W1] [relu(h); z] + (b2 + alpha W2 b1):
//
// the second layer reads the Relu's output with the first layer's input behind it. Its weights grow
// by as many columns as the first layer has inputs, which pays where those are few and there is one
// row: a single latent.
#include "converter/passes/edit.h"
#include "converter/passes/passes.h"

namespace figment::converter {
namespace {

// The first layer's inputs are at most one in so many of its outputs.
constexpr int kLeastWidening = 8;
// What the runtime looks for zeros in: rows no longer, of products with more columns.
constexpr int kMostInputs = 4096;
constexpr int kOneVector = 16;

bool is_float_constant(const Graph& graph, TensorId id) {
  return graph.tensor(id).constant() && graph.tensor(id).type == DataType::kFloat32;
}

bool has_bias(const Node& dense) { return dense.inputs.size() > 2 && dense.inputs[2] != kAbsent; }

// A Dense of one row, with constant float32 weights and bias.
bool is_plain_dense(const Graph& graph, const Node& node) {
  if (!is_kind<format::DenseT>(node) || !is_float_constant(graph, node.inputs[1])) return false;
  if (has_bias(node) && !is_float_constant(graph, node.inputs[2])) return false;
  return graph.tensor(node.output).shape.elements() == graph.tensor(node.inputs[1]).shape[0];
}

// Whether zeros among the second layer's inputs save more than the new columns take.
bool pays(const Shape& first_weights, const Shape& second_weights) {
  const std::int32_t hidden = first_weights[0], inputs = first_weights[1];
  return inputs <= hidden / kLeastWidening && hidden + inputs <= kMostInputs &&
         second_weights[0] > kOneVector;
}

// The LeakyRelu that a node computes, as its activation or by itself; null: it computes none, or
// another function too.
format::UnaryT* leaky_relu_of(Node& node) {
  format::UnaryT* unary = nullptr;
  if (is_kind<format::DenseT>(node) && node.activation) unary = &*node.activation;
  if (is_kind<format::UnaryT>(node) && !node.activation) unary = &node.as<format::UnaryT>();
  const bool is_leaky = unary != nullptr && unary->function == format::UnaryFunction::LeakyRelu;
  return is_leaky ? unary : nullptr;
}

// Indices of two layers and of the node whose LeakyRelu stands between them: the first, or a Unary.
struct Pair {
  int first, between, second;
};

// The pair whose second layer is node `second`.
std::optional<Pair> pair_before(Graph& graph, const Links& links, int second) {
  const Node& reader = graph.nodes[second];
  if (!is_plain_dense(graph, reader) || !links.has_one_reader(reader.inputs[0]))
    return std::nullopt;
  const int between = links.producer[reader.inputs[0]];
  if (between < 0 || leaky_relu_of(graph.nodes[between]) == nullptr) return std::nullopt;
  int first = between;
  if (is_kind<format::UnaryT>(graph.nodes[between])) {
    first = links.producer[graph.nodes[between].inputs[0]];
    if (first < 0 || graph.nodes[first].activation) return std::nullopt;
  }
  const Node& wide = graph.nodes[first];
  if (!is_plain_dense(graph, wide) ||
      !pays(graph.tensor(wide.inputs[1]).shape, graph.tensor(reader.inputs[1]).shape))
    return std::nullopt;
  return Pair{first, between, second};
}

std::optional<Pair> find_pair(Graph& graph) {
  const Links links = link(graph);
  for (int second = 0; second < static_cast<int>(graph.nodes.size()); ++second)
    if (const std::optional<Pair> pair = pair_before(graph, links, second)) return pair;
  return std::nullopt;
}

// [(1 - alpha) W2 | alpha W2 W1], row-major [outputs, hidden + inputs], and b2 + alpha W2 b1.
struct SplitWeights {
  std::vector<float> weights, bias;
};

SplitWeights split_weights(const Graph& graph, const Node& first, const Node& second,
                           double alpha) {
  const GraphTensor& w1 = graph.tensor(first.inputs[1]);   // [hidden, inputs]
  const GraphTensor& w2 = graph.tensor(second.inputs[1]);  // [outputs, hidden]
  const std::int64_t hidden = w1.shape[0], inputs = w1.shape[1];
  SplitWeights result;
  for (std::int64_t output = 0; output < w2.shape[0]; ++output) {
    const float* row = w2.floats() + output * hidden;
    std::vector<double> products(static_cast<std::size_t>(inputs), 0.0);
    double bias = 0;
    for (std::int64_t k = 0; k < hidden; ++k) {
      const double weight = static_cast<double>(row[k]);
      result.weights.push_back(static_cast<float>((1 - alpha) * weight));
      for (std::int64_t input = 0; input < inputs; ++input)
        products[static_cast<std::size_t>(input)] +=
            weight * static_cast<double>(w1.floats()[k * inputs + input]);
      if (has_bias(first))
        bias += weight * static_cast<double>(graph.tensor(first.inputs[2]).floats()[k]);
    }
    for (const double product : products)
      result.weights.push_back(static_cast<float>(alpha * product));
    bias *= alpha;
    if (has_bias(second))
      bias += static_cast<double>(graph.tensor(second.inputs[2]).floats()[output]);
    result.bias.push_back(static_cast<float>(bias));
  }
  return result;
}

void split(Graph& graph, const Pair& pair) {
  format::UnaryT& unary = *leaky_relu_of(graph.nodes[pair.between]);
  const SplitWeights split = split_weights(graph, graph.nodes[pair.first], graph.nodes[pair.second],
                                           static_cast<double>(unary.alpha));
  unary = format::UnaryT{{}, format::UnaryFunction::Relu, 0.0f, 0.0f};

  const TensorId rectified = graph.nodes[pair.second].inputs[0];
  const TensorId latent = graph.nodes[pair.first].inputs[0];
  const std::string name = graph.nodes[pair.second].name;
  const int last = graph.tensor(rectified).shape.rank - 1;
  std::size_t position = static_cast<std::size_t>(pair.second);
  const TensorId both = add_before(graph, position, name + ".inputs",
                                   make_options(format::ConcatT{{}, last}), {rectified, latent});
  const auto outputs = static_cast<std::int64_t>(split.bias.size());
  const std::int64_t inputs = graph.tensor(both).shape[last];
  const TensorId weights =
      graph.add_floats(name + ".split_weights", make_shape({outputs, inputs}), split.weights);
  const TensorId bias = graph.add_floats(name + ".split_bias", make_shape({outputs}), split.bias);
  graph.nodes[position].inputs = {both, weights, bias};
}

}  // namespace

PassResult split_leaky_relu(Graph& graph) {
  PassResult result;
  while (const std::optional<Pair> pair = find_pair(graph)) {
    split(graph, *pair);
    ++result.changes;
  }
  sweep(graph);
  result.sentence =
      "split " + counted(result.changes, "LeakyRelu") + " between dense layers for one row";
  return result;
}

}  // namespace figment::converter
