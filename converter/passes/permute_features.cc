// Puts the features of a tensor in another order by changing the weights around it.
#include "converter/passes/permute_features.h"

#include <cstring>
#include <numeric>

#include "converter/passes/relabel.h"

namespace figment::converter {
namespace {

using format::OperatorOptions;

// Whether changes are only tried or made.
enum class Mode { kTry, kMake };

std::int32_t last_extent(const Graph& graph, TensorId id) {
  const Shape& shape = graph.tensor(id).shape;
  return shape.rank == 0 ? 0 : shape[shape.rank - 1];
}

bool is_constant(const Graph& graph, TensorId id) {
  return id != kAbsent && graph.tensor(id).constant();
}

// A constant with one axis in another order; the rest of the shape may be anything. Scales of
// weights [outputs, inputs] go with their outputs.
TensorId reorder_axis(Graph& graph, TensorId id, int axis, const FeatureOrder& order) {
  const GraphTensor& source = graph.tensor(id);
  const Shape shape = source.shape;
  std::size_t outer = 1, inner = source.data->size() / static_cast<std::size_t>(shape.elements());
  for (int i = 0; i < axis; ++i) outer *= static_cast<std::size_t>(shape[i]);
  for (int i = axis + 1; i < shape.rank; ++i) inner *= static_cast<std::size_t>(shape[i]);
  std::vector<std::byte> values(source.data->size());
  const std::byte* from = source.data->data();
  for (std::size_t block = 0; block < outer; ++block)
    for (std::size_t i = 0; i < order.size(); ++i) {
      const std::size_t first = block * order.size();
      std::memcpy(values.data() + (first + i) * inner,
                  from + (first + static_cast<std::size_t>(order[i])) * inner, inner);
    }
  std::vector<float> scales = source.scales;
  for (std::size_t i = 0; axis == 0 && i < scales.size(); ++i)
    scales[i] = source.scales[static_cast<std::size_t>(order[i])];
  const std::string name = source.name;
  const TensorId reordered = graph.add_constant(name, source.type, shape, std::move(values));
  graph.tensor(reordered).scales = std::move(scales);
  return reordered;
}

// Reorders inputs [first, last) of a node along their axis `axis`, where they are given.
void reorder_inputs(Graph& graph, Node& node, std::size_t first, std::size_t last, int axis,
                    const FeatureOrder& order) {
  for (std::size_t index = first; index < last && index < node.inputs.size(); ++index)
    if (node.inputs[index] != kAbsent)
      node.inputs[index] = reorder_axis(graph, node.inputs[index], axis, order);
}

// For an elementwise node with at most one value per feature beside it: the index of its input that
// has the features. Its constants are reordered when `mode` says so. Nothing for other nodes.
std::optional<std::size_t> pass_through(Graph& graph, Node& node, const FeatureOrder& order,
                                        Mode mode) {
  const std::int32_t features = static_cast<std::int32_t>(order.size());
  if (last_extent(graph, node.output) != features) return std::nullopt;
  switch (node.kind()) {
    case OperatorOptions::Unary:
      return 0;
    case OperatorOptions::Reshape:
      if (last_extent(graph, node.inputs[0]) != features) return std::nullopt;
      return 0;
    case OperatorOptions::BatchNormalization:
      for (std::size_t index = 1; index < node.inputs.size(); ++index)
        if (!is_constant(graph, node.inputs[index])) return std::nullopt;
      if (mode == Mode::kMake) reorder_inputs(graph, node, 1, node.inputs.size(), 0, order);
      return 0;
    case OperatorOptions::Binary:
      for (std::size_t side = 0; side < 2; ++side) {
        const TensorId x = node.inputs[side], constant = node.inputs[1 - side];
        if (!is_constant(graph, constant) || is_constant(graph, x)) continue;
        const GraphTensor& whole = graph.tensor(x);
        if (!(whole.shape == graph.tensor(node.output).shape)) continue;
        if (!channel_values(graph, constant, whole.shape)) continue;
        if (mode == Mode::kMake && graph.tensor(constant).shape.elements() > 1) {
          const int axis = graph.tensor(constant).shape.rank - 1;
          node.inputs[1 - side] = reorder_axis(graph, constant, axis, order);
        }
        return side;
      }
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

bool visit_readers(Graph& graph, const Links& links, TensorId id, const FeatureOrder& order,
                   Mode mode) {
  if (links.is_output[id] || links.readers[id].empty()) return false;
  if (last_extent(graph, id) != static_cast<std::int32_t>(order.size())) return false;
  for (const int index : links.readers[id]) {
    Node& node = graph.nodes[index];
    if (is_kind<format::DenseT>(node)) {
      if (node.inputs[0] != id || !is_constant(graph, node.inputs[1])) return false;
      if (mode == Mode::kMake) reorder_inputs(graph, node, 1, 2, 1, order);
      continue;
    }
    if (is_kind<format::MatMulT>(node)) {
      const bool fits = node.inputs[0] == id && is_constant(graph, node.inputs[1]) &&
                        graph.tensor(node.inputs[1]).shape.rank == 2;
      if (!fits) return false;
      if (mode == Mode::kMake) reorder_inputs(graph, node, 1, 2, 0, order);
      continue;
    }
    const std::optional<std::size_t> input = pass_through(graph, node, order, mode);
    if (!input || node.inputs[*input] != id) return false;
    if (!visit_readers(graph, links, node.output, order, mode)) return false;
  }
  return true;
}

bool visit_writer(Graph& graph, const Links& links, TensorId id, const FeatureOrder& order,
                  Mode mode) {
  if (!links.has_one_reader(id) || links.producer[id] < 0) return false;
  if (last_extent(graph, id) != static_cast<std::int32_t>(order.size())) return false;
  Node& node = graph.nodes[links.producer[id]];
  if (is_kind<format::DenseT>(node)) {
    const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kAbsent;
    if (!is_constant(graph, node.inputs[1]) || (has_bias && !is_constant(graph, node.inputs[2])))
      return false;
    if (mode == Mode::kMake) reorder_inputs(graph, node, 1, 3, 0, order);
    return true;
  }
  if (is_kind<format::MatMulT>(node)) {
    if (!is_constant(graph, node.inputs[1]) || graph.tensor(node.inputs[1]).shape.rank != 2)
      return false;
    if (mode == Mode::kMake) reorder_inputs(graph, node, 1, 2, 1, order);
    return true;
  }
  const std::optional<std::size_t> input = pass_through(graph, node, order, mode);
  return input && visit_writer(graph, links, node.inputs[*input], order, mode);
}

}  // namespace

std::optional<FeatureOrder> feature_order(const Shape& shape, const Permutation& permutation,
                                          int first) {
  std::int64_t features = 1;
  for (int axis = 0; axis < shape.rank; ++axis) {
    if (axis < first && permutation[axis] != axis) return std::nullopt;
    if (axis >= first) features *= shape[axis];
  }
  // Numbers the features as they are read; the Transpose says where each one is written.
  Graph scratch;
  std::vector<std::int32_t> numbers(static_cast<std::size_t>(features));
  std::iota(numbers.begin(), numbers.end(), 0);
  Shape picture;
  Permutation inner;
  for (int axis = first; axis < shape.rank; ++axis) {
    picture[picture.rank++] = shape[axis];
    inner.push_back(permutation[axis] - first);
  }
  const TensorId id = scratch.add_integers("", picture, numbers);
  const GraphTensor& written = scratch.tensor(permute_constant(scratch, id, inner));
  return FeatureOrder(written.integers(), written.integers() + features);
}

int first_of_features(const GraphTensor& many, const GraphTensor& one) {
  const auto groups = group_axes(symbolic_extents(many), symbolic_extents(one));
  if (groups.empty() || one.shape.rank == 0) return -1;
  const AxisGroup& last = groups.back();
  if (last.after.size() != 1 || last.after[0] != one.shape.rank - 1) return -1;
  // Axes of extent 1 behind the last group's first axis belong to the features too.
  return last.before.front();
}

bool permute_for_readers(Graph& graph, const Links& links, TensorId id, const FeatureOrder& order) {
  if (!visit_readers(graph, links, id, order, Mode::kTry)) return false;
  return visit_readers(graph, links, id, order, Mode::kMake);
}

bool permute_at_writer(Graph& graph, const Links& links, TensorId id, const FeatureOrder& order) {
  if (!visit_writer(graph, links, id, order, Mode::kTry)) return false;
  return visit_writer(graph, links, id, order, Mode::kMake);
}

}  // namespace figment::converter
