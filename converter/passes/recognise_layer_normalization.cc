// Finds LayerNormalization over the last axes in the primitives of exporters before opset 17:
//   d = x - mean(x);  y = d / sqrt(mean(d^2) + epsilon) [* scale] [+ bias]
#include <algorithm>

#include "converter/passes/match.h"
#include "converter/passes/passes.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;

const Node* binary_of(const Graph& graph, const Links& links, TensorId id,
                      BinaryFunction function) {
  const Node* node = written_by<format::BinaryT>(graph, links, id);
  return node != nullptr && node->as<format::BinaryT>().function == function ? node : nullptr;
}

// The Reduce that writes `id` as a mean over the last axes, which it keeps with extent 1; null
// otherwise. `axes` receives how many.
const Node* mean_of(const Graph& graph, const Links& links, TensorId id, int& axes) {
  const Node* node = written_by<format::ReduceT>(graph, links, id);
  if (node == nullptr) return nullptr;
  const format::ReduceT& reduce = node->as<format::ReduceT>();
  if (reduce.function != format::ReduceFunction::Mean || !reduce.keep_axes || reduce.axes.empty())
    return nullptr;
  const int rank = graph.tensor(node->inputs[0]).shape.rank;
  std::vector<std::int32_t> reduced = reduce.axes;
  std::sort(reduced.begin(), reduced.end());
  axes = static_cast<int>(reduced.size());
  for (int i = 0; i < axes; ++i)
    if (reduced[i] != rank - axes + i) return nullptr;
  return node;
}

// x, when `id` is x - mean(x).
TensorId centred(const Graph& graph, const Links& links, TensorId id, int& axes) {
  const Node* difference = binary_of(graph, links, id, BinaryFunction::Sub);
  if (difference == nullptr) return kAbsent;
  const Node* mean = mean_of(graph, links, difference->inputs[1], axes);
  const bool fits = mean != nullptr && mean->inputs[0] == difference->inputs[0];
  return fits ? difference->inputs[0] : kAbsent;
}

// What is squared in `id`: d in d^2 or d*d.
TensorId squared(const Graph& graph, const Links& links, TensorId id) {
  const Node* product = binary_of(graph, links, id, BinaryFunction::Mul);
  if (product != nullptr && product->inputs[0] == product->inputs[1]) return product->inputs[0];
  const Node* power = binary_of(graph, links, id, BinaryFunction::Pow);
  const bool is_square = power != nullptr && scalar_value(graph, power->inputs[1]) == 2.0f;
  return is_square ? power->inputs[0] : kAbsent;
}

struct Match {
  TensorId x = kAbsent;
  int axes = 0;
  float epsilon = 0;
};

// Whether `deviation` is sqrt(mean(d^2) + epsilon) of the same x.
bool match_deviation(const Graph& graph, const Links& links, TensorId deviation, Match& match) {
  const Node* root = written_by_unary(graph, links, deviation, format::UnaryFunction::Sqrt);
  if (root == nullptr) return false;
  const auto sum = with_number(graph, links, root->inputs[0], BinaryFunction::Add);
  if (!sum || sum->number < 0.0) return false;
  int axes = 0, inner_axes = 0;
  const Node* variance = mean_of(graph, links, sum->tensor, axes);
  if (variance == nullptr || axes != match.axes) return false;
  const TensorId difference = squared(graph, links, variance->inputs[0]);
  if (difference == kAbsent || centred(graph, links, difference, inner_axes) != match.x)
    return false;
  match.epsilon = static_cast<float>(sum->number);
  return inner_axes == match.axes;
}

std::optional<Match> match_normalization(const Graph& graph, const Links& links, const Node& node) {
  if (!is_kind<format::BinaryT>(node) || node.activation) return std::nullopt;
  const BinaryFunction function = node.as<format::BinaryT>().function;
  for (int side = 0; side < 2; ++side) {
    if (function == BinaryFunction::Div && side == 1) break;
    Match match;
    match.x = centred(graph, links, node.inputs[side], match.axes);
    if (match.x == kAbsent) continue;
    TensorId deviation = node.inputs[1 - side];
    if (function == BinaryFunction::Mul) {  // by the reciprocal
      const Node* reciprocal = binary_of(graph, links, deviation, BinaryFunction::Div);
      if (reciprocal == nullptr || scalar_value(graph, reciprocal->inputs[0]) != 1.0f) continue;
      deviation = reciprocal->inputs[1];
    } else if (function != BinaryFunction::Div) {
      continue;
    }
    if (match_deviation(graph, links, deviation, match)) return match;
  }
  return std::nullopt;
}

// The other operand of the one node that reads `id` when that is a Binary of `function` with a
// constant of just the normalized shape (axes of extent 1 before it do not count).
struct Parameter {
  int reader;
  TensorId constant;
};
std::optional<Parameter> parameter_after(const Graph& graph, const Links& links, TensorId id,
                                         int axes, BinaryFunction function) {
  if (!links.has_one_reader(id)) return std::nullopt;
  const int reader = links.readers[id][0];
  const Node& node = graph.nodes[reader];
  if (!is_kind<format::BinaryT>(node) || node.as<format::BinaryT>().function != function)
    return std::nullopt;
  const TensorId constant = node.inputs[node.inputs[0] == id ? 1 : 0];
  const Shape& whole = graph.tensor(id).shape;
  const Shape& shape = graph.tensor(constant).shape;
  if (!graph.tensor(constant).constant() || shape.rank > whole.rank || shape.rank < axes)
    return std::nullopt;
  for (int axis = 0; axis < shape.rank; ++axis) {
    const int from_end = shape.rank - axis;
    const std::int32_t expected = from_end <= axes ? whole[whole.rank - from_end] : 1;
    if (shape[axis] != expected) return std::nullopt;
  }
  return Parameter{reader, constant};
}

TensorId without_leading_axes(Graph& graph, TensorId id, int axes) {
  const GraphTensor& tensor = graph.tensor(id);
  Shape shape;
  shape.rank = axes;
  for (int axis = 0; axis < axes; ++axis)
    shape[axis] = tensor.shape[tensor.shape.rank - axes + axis];
  const std::string name = tensor.name;
  std::vector<std::byte> values = *tensor.data;
  return graph.add_constant(name, tensor.type, shape, std::move(values));
}

bool recognise_one(Graph& graph) {
  const Links links = link(graph);
  for (Node& node : graph.nodes) {
    const auto match = match_normalization(graph, links, node);
    if (!match) continue;
    node.options = make_options(format::LayerNormalizationT{{}, match->axes, match->epsilon});
    node.inputs = {match->x};
    return true;
  }
  // Then the scale and the bias, in that order.
  for (Node& node : graph.nodes) {
    if (!is_kind<format::LayerNormalizationT>(node) || node.activation) continue;
    const int axes = node.as<format::LayerNormalizationT>().axes;
    node.inputs.resize(3, kAbsent);
    for (const std::size_t index : {1, 2}) {
      if (node.inputs[index] != kAbsent || (index == 1 && node.inputs[2] != kAbsent)) continue;
      const auto parameter = parameter_after(
          graph, links, node.output, axes, index == 1 ? BinaryFunction::Mul : BinaryFunction::Add);
      if (!parameter) continue;
      node.inputs[index] = without_leading_axes(graph, parameter->constant, axes);
      Node& absorbed = graph.nodes[parameter->reader];
      node.activation = absorbed.activation;
      redirect(graph, absorbed.output, node.output);
      graph.nodes.erase(graph.nodes.begin() + parameter->reader);
      return true;
    }
  }
  return false;
}

}  // namespace

PassResult recognise_layer_normalization(Graph& graph) {
  const auto count = [&] {
    return static_cast<int>(std::count_if(graph.nodes.begin(), graph.nodes.end(),
                                          is_kind<format::LayerNormalizationT>));
  };
  const int before = count();
  while (recognise_one(graph)) {
  }
  sweep(graph);
  PassResult result;
  result.changes = count() - before;
  result.sentence = "found " + counted(result.changes, "LayerNormalization") + " in its primitives";
  return result;
}

}  // namespace figment::converter
