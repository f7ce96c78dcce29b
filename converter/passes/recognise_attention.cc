// Finds Attention in the primitives that exporters write it with:
//   MatMul(query, key^T) [* scale] [+ mask] -> Softmax over the last axis -> MatMul(..., value)
// where query and key may carry factors of their own, and the mask may be a Select between the
// scores and a number far below them. So the scores of all rows never stand in memory at once. The
// Transpose that made key^T is taken back.
#include <cmath>
#include <numeric>
#include <utility>

#include "converter/passes/match.h"
#include "converter/passes/passes.h"
#include "converter/passes/permutation.h"
#include "runtime/math/broadcast.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;

// Scores that a Select sets to such a number or less take no part in the softmax; added to any
// usual score it is that number again.
constexpr float kFarBelow = -1e9F;

// What chooses the scores that count.
struct Mask {
  TensorId added = kAbsent;      // a tensor that is added to the scores, or:
  TensorId condition = kAbsent;  // where scores are replaced by `number` ...
  TensorId number = kAbsent;
  bool keeps = false;  // ... or where they are not
};

struct Match {
  TensorId query = kAbsent;
  TensorId key = kAbsent;       // before its axes are put in order
  Permutation key_permutation;  // what does so
  TensorId value = kAbsent;
  Mask mask;
  double scale = 1;
};

// The last two axes change places, the others stay.
Permutation last_two_swapped(int rank) {
  Permutation permutation(static_cast<std::size_t>(rank));
  std::iota(permutation.begin(), permutation.end(), 0);
  std::swap(permutation[permutation.size() - 2], permutation[permutation.size() - 1]);
  return permutation;
}

// Takes numbers that `id` is multiplied with or divided by into `scale`; returns what is left.
// `alone`: no further than tensors that one node reads.
TensorId without_factors(const Graph& graph, const Links& links, TensorId id, bool alone,
                         double& scale) {
  while (!alone || links.has_one_reader(id)) {
    TensorId inner = kAbsent;
    double factor = 1;
    const Node* binary = written_by<format::BinaryT>(graph, links, id);
    if (const auto product = with_number(graph, links, id, BinaryFunction::Mul)) {
      inner = product->tensor;
      factor = product->number;
    } else if (binary != nullptr && binary->as<format::BinaryT>().function == BinaryFunction::Div) {
      const std::optional<float> divisor = scalar_value(graph, binary->inputs[1]);
      if (!divisor) return id;
      inner = binary->inputs[0];
      factor = 1 / static_cast<double>(*divisor);
    }
    // A number of more axes than the tensor gives it those.
    if (inner == kAbsent || !(graph.tensor(inner).shape == graph.tensor(id).shape)) return id;
    scale *= factor;
    id = inner;
  }
  return id;
}

// Whether `id` is query key^T times numbers, that nobody else reads.
bool match_product(const Graph& graph, const Links& links, TensorId id, Match& match) {
  double scale = 1;
  const TensorId scores = without_factors(graph, links, id, true, scale);
  const Node* product = written_by<format::MatMulT>(graph, links, scores);
  if (product == nullptr || !links.has_one_reader(scores)) return false;
  const int rank = graph.tensor(scores).shape.rank;
  match.query = without_factors(graph, links, product->inputs[0], false, scale);
  match.key = without_factors(graph, links, product->inputs[1], false, scale);
  if (graph.tensor(match.query).shape.rank != rank || graph.tensor(match.key).shape.rank != rank)
    return false;
  match.key_permutation = last_two_swapped(rank);
  if (const Node* turn = written_by<format::TransposeT>(graph, links, match.key)) {
    match.key_permutation =
        compose(turn->as<format::TransposeT>().permutation, match.key_permutation);
    match.key = without_factors(graph, links, turn->inputs[0], false, scale);
  }
  match.scale = scale;
  return std::isfinite(static_cast<float>(scale));
}

// Whether the tensor takes the scores' shape by broadcasting, and adds nothing to it.
bool broadcasts(const Graph& graph, TensorId id, const Shape& scores) {
  Shape together;
  return math::broadcast_shapes(graph.tensor(id).shape, scores, together) && together == scores;
}

// Whether `id` is scores, masked or not.
bool match_scores(const Graph& graph, const Links& links, TensorId id, Match& match) {
  if (match_product(graph, links, id, match)) return true;
  if (!links.has_one_reader(id)) return false;
  const Shape& shape = graph.tensor(id).shape;
  const Node* sum = written_by<format::BinaryT>(graph, links, id);
  if (sum != nullptr && sum->as<format::BinaryT>().function == BinaryFunction::Add) {
    for (const std::size_t side : {0, 1}) {
      if (!(graph.tensor(sum->inputs[side]).shape == shape)) continue;
      match.mask = {.added = sum->inputs[1 - side]};
      if (match_product(graph, links, sum->inputs[side], match)) return true;
    }
  }
  const Node* choice = written_by<format::SelectT>(graph, links, id);
  if (choice == nullptr) return false;
  for (const std::size_t side : {1, 2}) {
    const std::optional<float> number = scalar_value(graph, choice->inputs[3 - side]);
    const TensorId condition = choice->inputs[0];
    if (!number || *number > kFarBelow || !(graph.tensor(choice->inputs[side]).shape == shape) ||
        !broadcasts(graph, condition, shape))
      continue;
    match.mask = {.condition = condition, .number = choice->inputs[3 - side], .keeps = side == 1};
    if (match_product(graph, links, choice->inputs[side], match)) return true;
  }
  return false;
}

// Whether all axes but the last two are the same, at any batch.
bool same_leading_axes(const GraphTensor& a, const GraphTensor& b) {
  if (a.shape.rank != b.shape.rank || a.batch_axis != b.batch_axis) return false;
  if (a.batch_axis >= a.shape.rank - 2) return false;
  for (int axis = 0; axis < a.shape.rank - 2; ++axis)
    if (a.shape[axis] != b.shape[axis]) return false;
  return true;
}

std::optional<Match> match_attention(const Graph& graph, const Links& links, const Node& node) {
  if (!is_kind<format::MatMulT>(node)) return std::nullopt;
  const TensorId weights = node.inputs[0];
  const Node* softmax = written_by<format::SoftmaxT>(graph, links, weights);
  if (softmax == nullptr || !links.has_one_reader(weights)) return std::nullopt;
  const int rank = graph.tensor(weights).shape.rank;
  if (rank < 2 || softmax->as<format::SoftmaxT>().axis != rank - 1) return std::nullopt;
  Match match;
  match.value = node.inputs[1];
  if (!match_scores(graph, links, softmax->inputs[0], match)) return std::nullopt;
  const GraphTensor& query = graph.tensor(match.query);
  const GraphTensor key = permuted(graph.tensor(match.key), match.key_permutation);
  const GraphTensor& value = graph.tensor(match.value);
  const bool is_float = query.type == DataType::kFloat32 && key.type == DataType::kFloat32 &&
                        value.type == DataType::kFloat32;
  if (!is_float || !same_leading_axes(query, key) || !same_leading_axes(query, value))
    return std::nullopt;
  return match;
}

// The mask as a tensor that is added.
TensorId make_mask(Graph& graph, std::size_t& position, const std::string& name, const Mask& mask) {
  if (mask.condition == kAbsent) return mask.added;
  const TensorId zero = graph.add_floats(name + ".zero", Shape{}, {0.0F});
  const TensorId first = mask.keeps ? zero : mask.number;
  const TensorId second = mask.keeps ? mask.number : zero;
  return add_before(graph, position, name + ".mask", make_options(format::SelectT{}),
                    {mask.condition, first, second});
}

bool recognise_one(Graph& graph) {
  const Links links = link(graph);
  for (std::size_t position = 0; position < graph.nodes.size(); ++position) {
    const auto match = match_attention(graph, links, graph.nodes[position]);
    if (!match) continue;
    const std::string name = graph.nodes[position].name;
    TensorId key = match->key;
    if (!is_identity(match->key_permutation))
      key = add_before(graph, position, name + ".key",
                       make_options(format::TransposeT{{}, match->key_permutation}), {key});
    std::vector<TensorId> inputs{match->query, key, match->value};
    const TensorId mask = make_mask(graph, position, name, match->mask);
    if (mask != kAbsent) inputs.push_back(mask);
    Node& node = graph.nodes[position];
    node.inputs = std::move(inputs);
    node.options = make_options(format::AttentionT{{}, static_cast<float>(match->scale)});
    return true;
  }
  return false;
}

}  // namespace

PassResult recognise_attention(Graph& graph) {
  PassResult result;
  while (recognise_one(graph)) {
    sweep(graph);
    ++result.changes;
  }
  result.sentence = "found " + counted(result.changes, "Attention") + " in its primitives";
  return result;
}

}  // namespace figment::converter
