// Turns N,C,H,W into N,H,W,C once.
//
// Importers put a Transpose before and after every spatial operator. Those before (channels to
// last) move up, all others move down, through every operator that has a rule in relabel.cc, until
// a Transpose meets its inverse, reaches an input or output of the model (whose port then records
// the order), or stands at a Reshape next to a Dense (whose weights are permuted instead).
#include <algorithm>
#include <set>

#include "converter/passes/edit.h"
#include "converter/passes/passes.h"
#include "converter/passes/permute_features.h"
#include "converter/passes/relabel.h"

namespace figment::converter {
namespace {

class Mover {
 public:
  explicit Mover(Graph& graph) : graph_(graph) {
    links_ = link(graph);
    for (const Node& node : graph.nodes)
      if (is_kind<format::TransposeT>(node) && is_towards_last(node)) upward_.insert(node.output);
  }

  // One step; false when nothing can move.
  bool step() {
    links_ = link(graph_);
    for (std::size_t index = 0; index < graph_.nodes.size(); ++index) {
      if (!is_plain_transpose(graph_.nodes[index])) continue;
      if (drop(index) || join(index) || merge(index) || absorb_in_input(index) ||
          absorb_in_output(index))
        return true;
    }
    for (std::size_t index = 0; index < graph_.nodes.size(); ++index)
      if (move_down(index) || permute_dense_after(index)) return true;
    for (std::size_t index = 0; index < graph_.nodes.size(); ++index)
      if (move_up(index) || permute_dense_before(index)) return true;
    return false;
  }

 private:
  bool drop(std::size_t index);
  bool join(std::size_t index);
  bool merge(std::size_t index);
  bool absorb_in_input(std::size_t index);
  bool absorb_in_output(std::size_t index);
  bool move_down(std::size_t index);
  bool move_up(std::size_t index);
  bool permute_dense_after(std::size_t index);
  bool permute_dense_before(std::size_t index);

  static const Permutation& permutation_of(const Node& node) {
    return node.as<format::TransposeT>().permutation;
  }
  // Whether the Transpose stands before something that wants its channels last.
  bool is_towards_last(const Node& node) const;
  bool wants_channels_last(TensorId id) const;
  static bool is_plain_transpose(const Node& node) {
    return is_kind<format::TransposeT>(node) && !node.activation;
  }
  // The Transpose that writes `id`, or null.
  const Node* transpose_of(TensorId id) const {
    return written_by<format::TransposeT>(graph_, links_, id);
  }
  void erase(std::size_t index) {
    graph_.nodes.erase(graph_.nodes.begin() + static_cast<std::ptrdiff_t>(index));
  }
  TensorId add_tensor(GraphTensor tensor) {
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<TensorId>(graph_.tensors.size()) - 1;
  }
  // Puts transpose(id) before the node at `position`, which moves on by one.
  TensorId put_transpose(std::size_t& position, TensorId id, const Permutation& permutation,
                         bool upward);
  // The one Transpose that all readers of `id` are, none of them an output; null when it is not so.
  const Node* only_transpose_after(TensorId id) const;
  TensorId with_full_rank(std::size_t& position, TensorId id, int rank);
  bool operands_have_rank(const Node& node, int rank) const;

  Graph& graph_;
  Links links_;
  std::set<TensorId> upward_;  // outputs of Transposes that move up
};

TensorId Mover::put_transpose(std::size_t& position, TensorId id, const Permutation& permutation,
                              bool upward) {
  if (is_identity(permutation)) return id;
  Node node;
  node.name = graph_.tensor(id).name + ".transposed";
  node.options = make_options(format::TransposeT{{}, permutation});
  node.inputs = {id};
  node.output = add_tensor(permuted(graph_.tensor(id), permutation));
  if (upward) upward_.insert(node.output);
  const TensorId output = node.output;
  graph_.nodes.insert(graph_.nodes.begin() + static_cast<std::ptrdiff_t>(position),
                      std::move(node));
  ++position;
  return output;
}

bool Mover::is_towards_last(const Node& node) const {
  const Permutation& permutation = permutation_of(node);
  const int rank = static_cast<int>(permutation.size());
  if (rank < 3 || permutation != channels_to_last(rank)) return false;
  // N,C,L to N,L,C and the way back are the same Transpose: who reads it tells them apart.
  return rank > 3 || wants_channels_last(node.output);
}

bool Mover::wants_channels_last(TensorId id) const {
  return std::any_of(links_.readers[id].begin(), links_.readers[id].end(), [&](int index) {
    const Node& node = graph_.nodes[index];
    switch (node.kind()) {
      case format::OperatorOptions::BatchNormalization:
      case format::OperatorOptions::GroupNormalization:
      case format::OperatorOptions::LayerNormalization:
      case format::OperatorOptions::Dense:
      case format::OperatorOptions::Conv2D:
      case format::OperatorOptions::ConvTranspose2D:
      case format::OperatorOptions::Pool2D:
      case format::OperatorOptions::Resize:
        return true;
      case format::OperatorOptions::Reshape:
        return graph_.tensor(node.output).shape.rank > 3 && wants_channels_last(node.output);
      default:
        return false;
    }
  });
}

// A Transpose that nobody reads, or that keeps every axis.
bool Mover::drop(std::size_t index) {
  const Node& node = graph_.nodes[index];
  const bool is_unused = links_.readers[node.output].empty() && !links_.is_output[node.output];
  if (!is_unused) {
    if (!is_identity(permutation_of(node)) || !may_bypass(graph_, links_, node)) return false;
    redirect(graph_, node.output, node.inputs[0]);
  }
  erase(index);
  return true;
}

// A Transpose of a Transpose is one.
bool Mover::join(std::size_t index) {
  Node& node = graph_.nodes[index];
  const Node* first = transpose_of(node.inputs[0]);
  if (first == nullptr) return false;
  Permutation joined = compose(permutation_of(*first), permutation_of(node));
  node.inputs[0] = first->inputs[0];
  node.as<format::TransposeT>().permutation = std::move(joined);
  upward_.erase(node.output);
  if (is_towards_last(node)) upward_.insert(node.output);
  return true;
}

// Two Transposes of the same tensor in the same order are one.
bool Mover::merge(std::size_t index) {
  const Node& node = graph_.nodes[index];
  for (const int other : links_.readers[node.inputs[0]]) {
    const Node& later = graph_.nodes[other];
    if (other <= static_cast<int>(index) || !is_plain_transpose(later)) continue;
    if (permutation_of(later) != permutation_of(node) || links_.is_output[later.output]) continue;
    redirect(graph_, later.output, node.output);
    erase(static_cast<std::size_t>(other));
    return true;
  }
  return false;
}

const Node* Mover::only_transpose_after(TensorId id) const {
  if (links_.is_output[id] || links_.readers[id].size() != 1) return nullptr;
  const Node& node = graph_.nodes[links_.readers[id][0]];
  return is_plain_transpose(node) ? &node : nullptr;
}

// The model's input itself comes in the order that its only reader wants.
bool Mover::absorb_in_input(std::size_t index) {
  const Node& node = graph_.nodes[index];
  const TensorId input = node.inputs[0];
  if (!upward_.contains(node.output) || links_.is_output[node.output]) return false;
  if (only_transpose_after(input) != &node) return false;
  for (GraphPort& port : graph_.inputs) {
    if (port.tensor != input) continue;
    const Permutation where = inverse(permutation_of(node));
    std::vector<std::uint8_t> axes;
    for (std::size_t axis = 0; axis < where.size(); ++axis) {
      const std::size_t own = port.source_axes.empty() ? axis : port.source_axes[axis];
      axes.push_back(static_cast<std::uint8_t>(where[own]));
    }
    port.source_axes = std::move(axes);
    graph_.tensor(input) = permuted(graph_.tensor(input), permutation_of(node));
    redirect(graph_, node.output, input);
    erase(index);
    return true;
  }
  return false;
}

// The model's output is what the last Transpose read.
bool Mover::absorb_in_output(std::size_t index) {
  const Node& node = graph_.nodes[index];
  const Permutation& permutation = permutation_of(node);
  const int rank = static_cast<int>(permutation.size());
  if (!links_.is_output[node.output] || links_.producer[node.inputs[0]] < 0) return false;
  if (rank < 3 || inverse(permutation) != channels_to_last(rank)) return false;
  for (GraphPort& port : graph_.outputs) {
    if (port.tensor != node.output) continue;
    std::vector<std::uint8_t> axes;
    for (std::size_t axis = 0; axis < permutation.size(); ++axis) {
      const std::size_t own = port.source_axes.empty() ? axis : port.source_axes[axis];
      axes.push_back(static_cast<std::uint8_t>(permutation[own]));
    }
    port.source_axes = std::move(axes);
    port.tensor = node.inputs[0];
  }
  return true;
}

bool Mover::operands_have_rank(const Node& node, int rank) const {
  const auto moving = moving_inputs(graph_, node);
  return !moving.empty() && std::all_of(moving.begin(), moving.end(), [&](std::size_t input) {
    return graph_.tensor(node.inputs[input]).shape.rank <= rank;
  });
}

// `id` with axes of extent 1 in front, as broadcasting reads it.
TensorId Mover::with_full_rank(std::size_t& position, TensorId id, int rank) {
  const int missing = rank - graph_.tensor(id).shape.rank;
  if (missing == 0) return id;
  GraphTensor tensor = graph_.tensor(id);
  tensor.shape.rank = rank;
  for (int axis = rank - 1; axis >= 0; --axis)
    tensor.shape[axis] = axis < missing ? 1 : tensor.shape[axis - missing];
  if (tensor.batch_axis >= 0) tensor.batch_axis += missing;
  Node reshape;
  reshape.name = tensor.name + ".reshaped";
  reshape.options = make_options(format::ReshapeT{});
  reshape.inputs = {id};
  reshape.output = add_tensor(std::move(tensor));
  const TensorId output = reshape.output;
  graph_.nodes.insert(graph_.nodes.begin() + static_cast<std::ptrdiff_t>(position),
                      std::move(reshape));
  ++position;
  return output;
}

// node(transpose(x)) becomes transpose(node'(x)).
bool Mover::move_down(std::size_t index) {
  const auto moving = moving_inputs(graph_, graph_.nodes[index]);
  const Node* transpose = nullptr;
  for (const std::size_t input : moving) {
    const Node* found = transpose_of(graph_.nodes[index].inputs[input]);
    if (transpose == nullptr && found != nullptr && !upward_.contains(found->output))
      transpose = found;
  }
  if (transpose == nullptr) return false;
  const Permutation back = permutation_of(*transpose);
  const Permutation forth = inverse(back);
  const int rank = static_cast<int>(back.size());
  if (!operands_have_rank(graph_.nodes[index], rank)) return false;
  // Operands that do not come transposed get a Transpose of their own, which moves up in turn: only
  // pictures are worth that.
  const bool is_picture = rank >= 3 && forth == channels_to_last(rank);
  for (const std::size_t input : moving) {
    const Node* other = transpose_of(graph_.nodes[index].inputs[input]);
    if ((other == nullptr || permutation_of(*other) != back) && !is_picture) return false;
  }

  Node moved = graph_.nodes[index];
  const std::optional<Permutation> result = relabel(graph_, moved, forth);
  if (!result) return false;
  std::size_t position = index;
  for (const std::size_t input : moving) {
    const Node* other = transpose_of(moved.inputs[input]);
    if (other != nullptr && permutation_of(*other) == back) {
      moved.inputs[input] = other->inputs[0];
      continue;
    }
    const TensorId full = with_full_rank(position, moved.inputs[input], rank);
    moved.inputs[input] = put_transpose(position, full, forth, true);
    links_ = link(graph_);
  }
  const TensorId output = moved.output;
  moved.output = add_tensor(permuted(graph_.tensor(output), *result));
  Node after;
  after.name = moved.name + ".transposed";
  after.options = make_options(format::TransposeT{{}, inverse(*result)});
  after.inputs = {moved.output};
  after.output = output;
  graph_.nodes[position] = std::move(moved);
  graph_.nodes.insert(graph_.nodes.begin() + static_cast<std::ptrdiff_t>(position) + 1,
                      std::move(after));
  return true;
}

// transpose(node(x)) becomes node'(transpose(x)).
bool Mover::move_up(std::size_t index) {
  const Node& transpose = graph_.nodes[index];
  if (!is_plain_transpose(transpose) || !upward_.contains(transpose.output)) return false;
  const TensorId between = transpose.inputs[0];
  if (links_.producer[between] < 0 || only_transpose_after(between) != &transpose) return false;
  std::size_t position = static_cast<std::size_t>(links_.producer[between]);
  Node moved = graph_.nodes[position];
  const auto wanted = wanted_of_operands(graph_, moved, permutation_of(transpose));
  if (!wanted) return false;
  const int rank = static_cast<int>(wanted->size());
  if (!operands_have_rank(moved, rank) || !relabel(graph_, moved, *wanted)) return false;
  moved.output = transpose.output;
  erase(index);
  for (const std::size_t input : moving_inputs(graph_, moved)) {
    const TensorId full = with_full_rank(position, moved.inputs[input], rank);
    moved.inputs[input] = put_transpose(position, full, *wanted, true);
  }
  graph_.nodes[position] = std::move(moved);
  return true;
}

// reshape(transpose(x)) flattens pictures for a Dense: permute its columns, and flatten x itself.
bool Mover::permute_dense_after(std::size_t index) {
  Node& reshape = graph_.nodes[index];
  if (!is_kind<format::ReshapeT>(reshape) || reshape.activation) return false;
  const Node* transpose = transpose_of(reshape.inputs[0]);
  if (transpose == nullptr) return false;
  const int first =
      first_of_features(graph_.tensor(transpose->output), graph_.tensor(reshape.output));
  if (first < 0) return false;
  const GraphTensor& x = graph_.tensor(transpose->inputs[0]);
  const auto order = feature_order(x.shape, permutation_of(*transpose), first);
  // Place i held feature (*order)[i] of x; the new order is x's own.
  if (!order || !permute_for_readers(graph_, links_, reshape.output, inverse(*order))) return false;
  graph_.nodes[index].inputs[0] = transpose->inputs[0];
  return true;
}

// transpose(reshape(features)) makes pictures of what a Dense wrote: permute its rows, and give the
// features the pictures' shape at once.
bool Mover::permute_dense_before(std::size_t index) {
  const Node& transpose = graph_.nodes[index];
  if (!is_plain_transpose(transpose)) return false;
  const TensorId between = transpose.inputs[0];
  const Node* reshape = written_by<format::ReshapeT>(graph_, links_, between);
  if (reshape == nullptr || only_transpose_after(between) != &transpose) return false;
  const TensorId features = reshape->inputs[0];
  const int first = first_of_features(graph_.tensor(between), graph_.tensor(features));
  if (first < 0) return false;
  const auto order = feature_order(graph_.tensor(between).shape, permutation_of(transpose), first);
  if (!order || !permute_at_writer(graph_, links_, features, *order)) return false;
  graph_.nodes[links_.producer[between]].output = transpose.output;
  erase(index);
  return true;
}

// The numbers that Transposes move, in one run.
std::int64_t moved_elements(const Graph& graph) {
  std::int64_t sum = 0;
  for (const Node& node : graph.nodes)
    if (is_kind<format::TransposeT>(node) &&
        !moves_nothing(node.as<format::TransposeT>().permutation,
                       symbolic_extents(graph.tensor(node.inputs[0]))))
      sum += graph.tensor(node.output).shape.elements();
  return sum;
}

int count_transposes(const Graph& graph) {
  return static_cast<int>(
      std::count_if(graph.nodes.begin(), graph.nodes.end(), is_kind<format::TransposeT>));
}

}  // namespace

PassResult to_nhwc(Graph& graph) {
  const int before = count_transposes(graph);
  Graph turned = graph;
  Mover mover(turned);
  // Every step brings a Transpose nearer to an end; the limit is for graphs nobody has thought of.
  const int limit = 1000 + 200 * static_cast<int>(graph.nodes.size());
  int steps = 0;
  while (steps < limit && mover.step()) ++steps;
  sweep(turned);

  PassResult result;
  const bool holds = holds_at_batch(turned, 1) && (!turned.any_batch || holds_at_batch(turned, 3));
  if (steps == limit || !holds || moved_elements(turned) > moved_elements(graph)) {
    result.sentence =
        "left " + counted(before, "Transpose") + " where they were: moving them does not pay";
    return result;
  }
  graph = std::move(turned);
  result.changes = steps;
  result.sentence = counted(before, "Transpose") + " before, " +
                    std::to_string(count_transposes(graph)) + " after";
  return result;
}

}  // namespace figment::converter
