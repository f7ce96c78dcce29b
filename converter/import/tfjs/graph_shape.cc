// Shapes in TensorFlow graphs: what reads them, computes them, and makes tensors of them.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "converter/import/tfjs/graph_node.h"

namespace figment::converter {
namespace {

void shape_of(GraphNode& node) {
  const Shape shape = node.shape(node.input(0));
  std::vector<std::int64_t> extents(shape.dims, shape.dims + shape.rank);
  node.set_output(node.integer_constant(extents, make_shape({shape.rank})));
}

void rank_of(GraphNode& node) { node.set_output(node.integer(node.rank(node.input(0)))); }

void size_of(GraphNode& node) {
  node.set_output(node.integer(node.shape(node.input(0)).elements()));
}

// x, shape: one of its numbers may be -1
void reshape(GraphNode& node) {
  const TensorId x = node.input(0);
  std::vector<std::int64_t> to = node.integers(1, "shape");
  std::int64_t product = 1;
  for (const std::int64_t extent : to)
    if (extent < -1 || (extent != -1 && __builtin_mul_overflow(
                                            product, std::max<std::int64_t>(extent, 1), &product)))
      node.refuse("its shape is impossible; the file is damaged");
  if (const auto open = std::ranges::find(to, -1); open != to.end())
    *open = node.shape(x).elements() / product;
  node.set_output(node.reshape_to(x, to));
}

void squeeze(GraphNode& node) {
  const TensorId x = node.input(0);
  const Shape shape = node.shape(x);
  std::vector<bool> drop(static_cast<std::size_t>(shape.rank), false);
  std::vector<std::int64_t> axes = node.integer_list("squeeze_dims");
  if (axes.empty()) axes = node.integer_list("axis");
  for (const std::int64_t axis : axes)
    drop[static_cast<std::size_t>(node.checked_axis(axis, shape.rank))] = true;
  std::vector<std::int64_t> to;
  for (int axis = 0; axis < shape.rank; ++axis) {
    const bool listed = drop[static_cast<std::size_t>(axis)];
    if (listed && shape[axis] != 1) node.refuse("it drops an axis that is longer than 1");
    if (!listed && !(axes.empty() && shape[axis] == 1)) to.push_back(shape[axis]);
  }
  node.set_output(node.reshape_to(x, to));
}

TensorId with_axis(GraphNode& node, TensorId x, int axis) {
  const Shape shape = node.shape(x);
  std::vector<std::int64_t> to(shape.dims, shape.dims + shape.rank);
  to.insert(to.begin() + axis, 1);
  return node.reshape_to(x, to);
}

void expand_dims(GraphNode& node) {
  const TensorId x = node.input(0);
  const int axis = node.checked_axis(node.integer_input(1, "axis"), node.rank(x) + 1);
  node.set_output(with_axis(node, x, axis));
}

void pack(GraphNode& node) {
  const int axis =
      node.checked_axis(node.integer_attribute("axis", 0), node.rank(node.input(0)) + 1);
  std::vector<TensorId> parts;
  for (const TensorId input : node.inputs()) {
    if (!(node.shape(input) == node.shape(node.input(0))))
      node.refuse("its inputs have different shapes; the file is damaged");
    parts.push_back(with_axis(node, input, axis));
  }
  format::ConcatT options;
  options.axis = axis;
  node.set_output(parts.size() == 1 ? parts[0] : node.emit(options, std::move(parts)));
}

// values..., axis (Concat has it first)
void concat(GraphNode& node) {
  if (node.input_count() < 2) node.refuse("it has no inputs; the file is damaged");
  const bool axis_first = node.kind() == "Concat";
  const std::size_t at = axis_first ? 0 : node.input_count() - 1;
  std::vector<TensorId> parts(node.inputs().begin() + (axis_first ? 1 : 0),
                              node.inputs().end() - (axis_first ? 0 : 1));
  format::ConcatT options;
  options.axis = node.checked_axis(node.integer_input(at, "axis"), node.rank(parts[0]));
  node.set_output(parts.size() == 1 ? parts[0] : node.emit(options, std::move(parts)));
}

void transpose(GraphNode& node) {
  const TensorId x = node.input(0);
  std::vector<int> permutation;
  for (const std::int64_t axis : node.integers(1, "permutation"))
    permutation.push_back(node.checked_axis(axis, node.rank(x)));
  std::vector<int> sorted = permutation;
  std::ranges::sort(sorted);
  for (std::size_t index = 0; index < sorted.size(); ++index)
    if (sorted[index] != static_cast<int>(index) || static_cast<int>(sorted.size()) != node.rank(x))
      node.refuse("its permutation is none; the file is damaged");
  node.set_output(node.transpose(x, permutation));
}

void fill(GraphNode& node) {
  node.set_output(node.expand(node.input(1), make_shape(node.integers(0, "shape"))));
}

template <int kValue>
void filled_like(GraphNode& node) {
  const TensorId x = node.input(0);
  const TensorId value =
      node.type(x) == DataType::kInt32 ? node.integer(kValue) : node.scalar(kValue);
  node.set_output(node.expand(value, node.shape(x)));
}

void broadcast_to(GraphNode& node) {
  node.set_output(node.expand(node.input(0), make_shape(node.integers(1, "shape"))));
}

void tile(GraphNode& node) {
  const TensorId x = node.input(0);
  const std::vector<std::int64_t> times = node.integers(1, "multiples");
  const Shape shape = node.shape(x);
  if (times.size() != static_cast<std::size_t>(shape.rank))
    node.refuse("it must have as many multiples as its input has axes; the file is damaged");
  std::vector<std::int64_t> to;
  to.reserve(times.size());
  for (int axis = 0; axis < shape.rank; ++axis)
    to.push_back(std::int64_t{shape[axis]} *
                 node.checked_int(times[static_cast<std::size_t>(axis)], "multiple", 1));
  node.set_output(node.tile(x, make_shape(to)));
}

// start, limit, step
void range(GraphNode& node) {
  const std::int64_t start = node.integer_input(0, "start"), limit = node.integer_input(1, "limit");
  const std::int64_t step = node.integer_input(2, "step");
  if (step == 0) node.refuse("its step is 0; the file is damaged");
  node.check_made(static_cast<double>(limit - start) / static_cast<double>(step));
  std::vector<std::int64_t> values;
  for (std::int64_t value = start; step > 0 ? value < limit : value > limit; value += step)
    values.push_back(value);
  const auto count = static_cast<std::int64_t>(values.size());
  node.set_output(node.integer_constant(values, make_shape({count})));
}

// x, [[before, after], ...]
format::PadT read_pads(GraphNode& node) {
  const std::vector<std::int64_t> pads = node.integers(1, "paddings");
  const auto rank = static_cast<std::size_t>(node.rank(node.input(0)));
  if (pads.size() != 2 * rank) node.refuse("it must have two paddings an axis");
  format::PadT options;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    options.before.push_back(node.checked_int(pads[2 * axis], "padding"));
    options.after.push_back(node.checked_int(pads[2 * axis + 1], "padding"));
  }
  return options;
}

void pad(GraphNode& node) {
  format::PadT options = read_pads(node);
  if (node.input_count() > 2) {
    const GraphTensor& value = node.known(node.input(2));
    if (!value.constant() || value.shape.elements() != 1)
      node.refuse("the value it pads with is computed from the model's input, but must be known");
    options.value = value.type == DataType::kInt32 ? static_cast<float>(value.integers()[0])
                                                   : value.floats()[0];
  }
  node.set_output(node.emit(std::move(options), {node.input(0)}));
}

void mirror_pad(GraphNode& node) {
  if (node.text_attribute("mode", "REFLECT") != "REFLECT")
    node.refuse("its mode SYMMETRIC is not supported; use REFLECT");
  format::PadT options = read_pads(node);
  options.mode = format::PadMode::Reflect;
  node.set_output(node.emit(std::move(options), {node.input(0)}));
}

constexpr GraphOperator kRows[] = {
    {"BroadcastTo", broadcast_to},
    {"Concat", concat},
    {"ConcatV2", concat},
    {"ExpandDims", expand_dims},
    {"Fill", fill},
    {"MirrorPad", mirror_pad},
    {"OnesLike", filled_like<1>},
    {"Pack", pack},
    {"Pad", pad},
    {"PadV2", pad},
    {"Range", range},
    {"Rank", rank_of},
    {"Reshape", reshape},
    {"Shape", shape_of},
    {"Size", size_of},
    {"Squeeze", squeeze},
    {"Tile", tile},
    {"Transpose", transpose},
    {"ZerosLike", filled_like<0>},
};

}  // namespace

const std::span<const GraphOperator> kGraphShape = kRows;

}  // namespace figment::converter
