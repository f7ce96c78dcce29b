// Operators that move or rename numbers without computing any.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "converter/import/onnx_families.h"

namespace figment::converter {
namespace {

using format::CompareFunction;
using onnx::TensorProto;

void identity(OnnxNode& node) { node.set_output(0, node.input(0)); }

void dropout(OnnxNode& node) {
  const TensorId x = node.input(0);
  const bool training = node.has_input(2) &&
                        node.integer_operand(node.input(2), "training mode") != 0 &&
                        !node.for_training();
  // In training mode a ratio of 0 drops nothing either.
  if (training && (!node.has_input(1) || node.number(node.input(1), "ratio") != 0))
    node.refuse(
        "it is in training mode; export the model for inference, or convert it --for-training");
  // Before opset 7 the node says by itself that it is not in training.
  if (node.opset() < 7 && !node.flag("is_test", false) && !node.for_training())
    node.refuse("it is in training mode; export the model for inference");
  node.ignore("ratio");
  node.ignore("seed");
  node.set_output(0, x);
  if (!node.output_used(1)) return;
  // The mask: everything is kept.
  const Shape shape = node.shape(x);
  node.set_output(
      1, node.integer_constant(
             std::vector<std::int64_t>(static_cast<std::size_t>(shape.elements()), 1), shape));
}

// The shape is an attribute before opset 5 and an operand from there on.
std::vector<std::int64_t> shape_given(const OnnxNode& node) {
  if (node.opset() >= 5) return node.integers(node.input(1), "shape");
  const auto list = node.integer_list("shape");
  if (!list) node.refuse("it lacks the attribute 'shape'; the file is damaged");
  return *list;
}

// 0 keeps the source's extent (unless allowzero), -1 is what remains.
void reshape(OnnxNode& node) {
  const TensorId x = node.input(0);
  const Shape from = node.shape(x);
  std::vector<std::int64_t> to = shape_given(node);
  const bool zero_is_zero = node.flag("allowzero", false);
  std::int64_t known = 1;
  std::int64_t* open = nullptr;
  for (std::size_t axis = 0; axis < to.size(); ++axis) {
    if (to[axis] == 0 && !zero_is_zero) {
      if (axis >= static_cast<std::size_t>(from.rank))
        node.refuse("its shape keeps axis " + std::to_string(axis) + " of a tensor of shape " +
                    describe(from));
      to[axis] = from[static_cast<int>(axis)];
    }
    if (to[axis] == -1) {
      if (open != nullptr) node.refuse("its shape has two extents of -1; the file is damaged");
      open = &to[axis];
    } else if (to[axis] < 0 || (known *= to[axis]) > INT32_MAX) {
      node.refuse("its shape has the extent " + std::to_string(to[axis]) + "; the file is damaged");
    }
  }
  if (open != nullptr) *open = known != 0 ? from.elements() / known : 0;
  node.set_output(0, node.reshape_to(x, to));
}

void flatten(OnnxNode& node) {
  const TensorId x = node.input(0);
  const Shape from = node.shape(x);
  std::int64_t axis = node.integer("axis", 1);
  if (axis < 0) axis += from.rank;
  if (axis < 0 || axis > from.rank)
    node.refuse("its axis is outside a tensor of shape " + describe(from));
  std::int64_t before = 1, after = 1;
  for (int index = 0; index < from.rank; ++index) (index < axis ? before : after) *= from[index];
  node.set_output(0, node.reshape_to(x, {before, after}));
}

// Axes are an attribute before opset 13 and an operand from there on.
std::optional<std::vector<std::int64_t>> axes_of(const OnnxNode& node) {
  if (node.opset() < 13) return node.integer_list("axes");
  if (!node.has_input(1)) return std::nullopt;
  return node.integers(node.input(1), "axes");
}

void squeeze(OnnxNode& node) {
  const TensorId x = node.input(0);
  const Shape from = node.shape(x);
  std::vector<bool> dropped(static_cast<std::size_t>(from.rank), false);
  if (const auto axes = axes_of(node)) {
    for (const std::int64_t axis : *axes) {
      const int checked = node.checked_axis(axis, from.rank);
      if (from[checked] != 1)
        node.refuse("it drops axis " + std::to_string(axis) + " of a tensor of shape " +
                    describe(from) + ", whose extent is not 1");
      dropped[static_cast<std::size_t>(checked)] = true;
    }
  } else {
    for (int axis = 0; axis < from.rank; ++axis)
      dropped[static_cast<std::size_t>(axis)] = from[axis] == 1;
  }
  std::vector<std::int64_t> to;
  for (int axis = 0; axis < from.rank; ++axis)
    if (!dropped[static_cast<std::size_t>(axis)]) to.push_back(from[axis]);
  node.set_output(0, node.reshape_to(x, to));
}

void unsqueeze(OnnxNode& node) {
  const TensorId x = node.input(0);
  const Shape from = node.shape(x);
  const auto axes = axes_of(node);
  if (!axes) node.refuse("it lacks its axes; the file is damaged");
  const std::size_t rank = static_cast<std::size_t>(from.rank) + axes->size();
  if (rank > static_cast<std::size_t>(kMaxRank))
    node.refuse("it makes a tensor of more than 8 axes");
  std::vector<std::int64_t> to(rank, 0);
  for (const std::int64_t axis : *axes) {
    std::int64_t& extent =
        to[static_cast<std::size_t>(node.checked_axis(axis, static_cast<int>(rank)))];
    if (extent != 0) node.refuse("it names an axis twice; the file is damaged");
    extent = 1;
  }
  int next = 0;
  for (std::int64_t& extent : to)
    if (extent == 0) extent = from[next++];
  node.set_output(0, node.reshape_to(x, to));
}

void transpose(OnnxNode& node) {
  const TensorId x = node.input(0);
  const int rank = node.rank(x);
  std::vector<int> permutation(static_cast<std::size_t>(rank));
  std::iota(permutation.rbegin(), permutation.rend(), 0);
  if (const auto given = node.integer_list("perm")) {
    if (given->size() != permutation.size())
      node.refuse("its perm has " + std::to_string(given->size()) + " axes where its input has " +
                  std::to_string(rank));
    for (std::size_t axis = 0; axis < given->size(); ++axis)
      permutation[axis] = node.checked_axis((*given)[axis], rank);
    std::vector<int> sorted = permutation;
    std::ranges::sort(sorted);
    if (std::ranges::adjacent_find(sorted) != sorted.end())
      node.refuse("its perm names an axis twice");
  }
  node.set_output(0, node.transpose(x, permutation));
}

// ---- Types ----

// All floating types are float32 here; all integers int32; booleans int32 of 0 or 1.
// `source_type` is the ONNX type that `to` stands for; a boolean is whether x is not 0.
void cast_to(OnnxNode& node, DataType to, int source_type) {
  const TensorId x = node.input(0);
  const bool truth = source_type == TensorProto::BOOL;
  if (node.type(x) == to && !truth) return node.set_output(0, x);
  if (node.shape(x).elements() == 0) {
    OnnxArray empty;
    empty.type = to;
    empty.shape = node.shape(x);
    return node.set_output(0, node.add_array(std::move(empty)));
  }
  const TensorId y =
      truth ? node.compare(CompareFunction::NotEqual, x, node.zero_like(x)) : node.cast(x, to);
  if (y != x) node.note_source_type(y, source_type);
  node.set_output(0, y);
}

// A number, which before opset 6 is given by its name.
std::int64_t type_given(const OnnxNode& node) {
  if (node.opset() >= 6) return node.integer("to", TensorProto::UNDEFINED);
  const std::string name = node.text("to", "");
  TensorProto::DataType type = TensorProto::UNDEFINED;
  if (!TensorProto::DataType_Parse(name, &type))
    node.refuse("its type '" + name + "' is unknown; the file is damaged");
  return type;
}

void cast(OnnxNode& node) {
  node.ignore("saturate");
  const std::int64_t to = type_given(node);
  if (to < 0 || to > INT32_MAX)
    node.refuse("its type " + std::to_string(to) + " is unknown; the file is damaged");
  cast_to(node, graph_type(static_cast<int>(to), "its result"), static_cast<int>(to));
}

// The second operand gives the type.
void cast_like(OnnxNode& node) {
  node.ignore("saturate");
  const TensorId like = node.input(1);
  cast_to(node, node.type(like), node.source_type(like));
}

// ---- Repetition ----

void expand(OnnxNode& node) {
  node.set_output(0, node.expand(node.input(0), make_shape(node.integers(node.input(1), "shape"))));
}

// One number an axis; before opset 6 one number, and the axis it is about.
std::vector<std::int64_t> repeats_given(OnnxNode& node, int rank) {
  if (node.opset() >= 6) return node.integers(node.input(1), "repeats");
  std::vector<std::int64_t> repeats(static_cast<std::size_t>(rank), 1);
  const auto whole = [&](int index, const char* what) {
    return node.integer_operand(node.cast(node.input(index), DataType::kInt32), what);
  };
  const int axis = node.checked_axis(whole(2, "axis"), rank);
  repeats[static_cast<std::size_t>(axis)] = whole(1, "repeats");
  return repeats;
}

void tile(OnnxNode& node) {
  const TensorId x = node.input(0);
  Shape shape = node.shape(x);
  const std::vector<std::int64_t> repeats = repeats_given(node, shape.rank);
  if (repeats.size() != static_cast<std::size_t>(shape.rank))
    node.refuse("it has " + std::to_string(repeats.size()) + " repeats for a tensor of shape " +
                describe(shape));
  for (int axis = 0; axis < shape.rank; ++axis) {
    const std::int64_t repeat =
        node.checked_int(repeats[static_cast<std::size_t>(axis)], "repeat", 1);
    shape[axis] = node.checked_int(shape[axis] * repeat, "output's extent", 0);
  }
  node.set_output(0, node.tile(x, shape));
}

constexpr OnnxOperator kRows[] = {
    {"Cast", cast},       {"CastLike", cast_like},  {"Dropout", dropout},     {"Expand", expand},
    {"Flatten", flatten}, {"Identity", identity},   {"Reshape", reshape},     {"Squeeze", squeeze},
    {"Tile", tile},       {"Transpose", transpose}, {"Unsqueeze", unsqueeze},
};

}  // namespace

const std::span<const OnnxOperator> kOnnxShape = kRows;

}  // namespace figment::converter
