// Finds GroupNormalization as PyTorch exports nn.GroupNorm:
//   x [N,C,...] -> Reshape [N,groups,-1] -> instance normalization -> Reshape to x's shape
// (the factor and summand per channel that follow are folded by fold_batch_normalization).
// Importers write the instance normalization as Transpose, GroupNormalization, Transpose.
#include "converter/passes/edit.h"
#include "converter/passes/passes.h"
#include "converter/passes/permutation.h"

namespace figment::converter {
namespace {

// What stands around the inner normalization.
struct Match {
  int last = -1;         // index of the last Reshape
  TensorId x = kAbsent;  // [N,C,...]
  std::int32_t groups = 0;
};

const Node* swap_before(const Graph& graph, const Links& links, TensorId id) {
  const Node* node = written_by<format::TransposeT>(graph, links, id);
  const bool swaps =
      node != nullptr && node->as<format::TransposeT>().permutation == Permutation{0, 2, 1};
  return swaps ? node : nullptr;
}

// The one node of kind T that reads `id`, or null.
template <typename T>
const Node* only_reader(const Graph& graph, const Links& links, TensorId id) {
  if (!links.has_one_reader(id)) return nullptr;
  const Node& node = graph.nodes[links.readers[id][0]];
  return is_kind<T>(node) ? &node : nullptr;
}

std::optional<Match> match_around(const Graph& graph, const Links& links, const Node& inner) {
  const Node* before = swap_before(graph, links, inner.inputs[0]);
  if (before == nullptr) return std::nullopt;
  const Node* split = written_by<format::ReshapeT>(graph, links, before->inputs[0]);
  const Node* after = only_reader<format::TransposeT>(graph, links, inner.output);
  if (split == nullptr || after == nullptr) return std::nullopt;
  if (after->as<format::TransposeT>().permutation != Permutation{0, 2, 1} || after->activation)
    return std::nullopt;
  const Node* whole = only_reader<format::ReshapeT>(graph, links, after->output);
  if (whole == nullptr) return std::nullopt;

  const GraphTensor& x = graph.tensor(split->inputs[0]);
  const GraphTensor& grouped = graph.tensor(split->output);
  const GraphTensor& result = graph.tensor(whole->output);
  const std::int32_t groups = inner.as<format::GroupNormalizationT>().groups;
  const bool fits = x.shape.rank >= 3 && x.shape == result.shape && grouped.shape.rank == 3 &&
                    x.shape[0] == grouped.shape[0] && x.batch_axis == grouped.batch_axis &&
                    x.batch_axis <= 0 && groups == grouped.shape[1] && x.shape[1] % groups == 0;
  if (!fits) return std::nullopt;
  return Match{links.producer[whole->output], split->inputs[0], groups};
}

// One value a group becomes one value a channel; kAbsent stays. Nothing when it is no constant.
std::optional<TensorId> spread(Graph& graph, const Node& inner, std::size_t index,
                               std::int32_t channels) {
  if (index >= inner.inputs.size() || inner.inputs[index] == kAbsent) return kAbsent;
  const TensorId id = inner.inputs[index];
  if (!graph.tensor(id).constant()) return std::nullopt;
  const std::vector<float> values = float_values(graph.tensor(id));
  const std::size_t repeat = static_cast<std::size_t>(channels) / values.size();
  std::vector<float> spread_values;
  for (const float value : values) spread_values.insert(spread_values.end(), repeat, value);
  const std::string name = graph.tensor(id).name;
  return graph.add_floats(name, make_shape({channels}), spread_values);
}

bool recognise_one(Graph& graph) {
  const Links links = link(graph);
  for (std::size_t index = 0; index < graph.nodes.size(); ++index) {
    if (!is_kind<format::GroupNormalizationT>(graph.nodes[index])) continue;
    const Node inner = graph.nodes[index];
    const auto match = match_around(graph, links, inner);
    if (!match || inner.activation) continue;
    const std::int32_t channels = graph.tensor(match->x).shape[1];
    const auto scale = spread(graph, inner, 1, channels);
    const auto bias = spread(graph, inner, 2, channels);
    if (!scale || !bias) continue;

    std::size_t position = static_cast<std::size_t>(match->last);
    const Permutation to_last = channels_to_last(graph.tensor(match->x).shape.rank);
    const TensorId last = add_before(graph, position, inner.name,
                                     make_options(format::TransposeT{{}, to_last}), {match->x});
    const float epsilon = inner.as<format::GroupNormalizationT>().epsilon;
    const TensorId normalized =
        add_before(graph, position, inner.name,
                   make_options(format::GroupNormalizationT{{}, match->groups, epsilon}),
                   {last, *scale, *bias});
    Node& whole = graph.nodes[position];
    whole.options = make_options(format::TransposeT{{}, inverse(to_last)});
    whole.inputs = {normalized};
    return true;
  }
  return false;
}

}  // namespace

PassResult recognise_group_normalization(Graph& graph) {
  PassResult result;
  while (recognise_one(graph)) {
    sweep(graph);
    ++result.changes;
  }
  result.sentence = "found " + counted(result.changes, "GroupNormalization") + " in its primitives";
  return result;
}

}  // namespace figment::converter
