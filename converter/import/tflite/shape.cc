// Operators that give the same numbers another shape, order or type.
#include <algorithm>

#include "converter/import/tflite/families.h"

namespace figment::converter {
namespace {

std::vector<std::int64_t> extents_of(const Shape& shape) {
  return {shape.dims, shape.dims + shape.rank};
}

// x, shape: one extent may be -1, the rest
void reshape(TfliteNode& node) {
  const TensorId x = node.input(0);
  std::vector<std::int64_t> to;
  if (node.has_input(1)) {
    to = node.integers(1, "shape");
  } else {
    const auto* list = node.options<tflite::ReshapeOptions>().new_shape();
    if (list != nullptr) to.assign(list->begin(), list->end());
  }
  if (to.size() > static_cast<std::size_t>(kMaxRank))
    node.refuse("it gives " + std::to_string(to.size()) + " axes; at most " +
                std::to_string(kMaxRank) + " are supported");
  std::int64_t known = 1;
  std::int64_t* open = nullptr;
  const std::int64_t elements = node.shape(x).elements();
  for (std::int64_t& extent : to) {
    if (extent == -1 && open == nullptr) {
      open = &extent;
    } else if (extent < 0 || (extent > 0 && known > INT32_MAX / extent)) {
      node.refuse("its shape has the extent " + std::to_string(extent) + "; the file is damaged");
    } else {
      known *= extent;
    }
  }
  if (open != nullptr) {
    if (known == 0 || elements % known != 0)
      node.refuse("its shape does not fit " + describe(node.shape(x)));
    *open = elements / known;
  }
  node.set_output(0, node.reshape_to(x, to));
}

void squeeze(TfliteNode& node) {
  const TensorId x = node.input(0);
  const Shape shape = node.shape(x);
  const auto* options = node.options_or_null<tflite::SqueezeOptions>();
  const auto* axes = options == nullptr ? nullptr : options->squeeze_dims();
  std::vector<bool> goes(static_cast<std::size_t>(shape.rank),
                         axes == nullptr || axes->size() == 0);
  for (std::uint32_t at = 0; axes != nullptr && at < axes->size(); ++at) {
    const int axis = node.checked_axis(axes->Get(at), shape.rank);
    if (shape[axis] != 1)
      node.refuse("it would drop axis " + std::to_string(axis) + " of " + describe(shape) +
                  ", which is not 1");
    goes[static_cast<std::size_t>(axis)] = true;
  }
  std::vector<std::int64_t> to;
  for (int axis = 0; axis < shape.rank; ++axis)
    if (shape[axis] != 1 || !goes[static_cast<std::size_t>(axis)]) to.push_back(shape[axis]);
  node.set_output(0, node.reshape_to(x, to));
}

// x with an axis of extent 1 before `axis`.
TensorId with_axis(TfliteNode& node, TensorId x, std::int64_t axis) {
  std::vector<std::int64_t> extents = extents_of(node.shape(x));
  const int at = node.checked_axis(axis, node.rank(x) + 1);
  extents.insert(extents.begin() + at, 1);
  return node.reshape_to(x, extents);
}

void expand_dims(TfliteNode& node) {
  node.set_output(0, with_axis(node, node.input(0), node.integer_operand(1, "axis")));
}

void pack(TfliteNode& node) {
  const std::int64_t axis = node.options<tflite::PackOptions>().axis();
  std::vector<TensorId> parts;
  parts.reserve(static_cast<std::size_t>(node.input_count()));
  for (int index = 0; index < node.input_count(); ++index)
    parts.push_back(with_axis(node, node.input(index), axis));
  if (parts.empty()) node.refuse("it packs nothing; the file is damaged");
  const int at = node.checked_axis(axis, node.rank(parts[0]));
  node.set_output(0, node.concat(std::move(parts), at));
}

void transpose(TfliteNode& node) {
  const TensorId x = node.input(0);
  const std::vector<std::int64_t> order = node.integers(1, "permutation");
  std::vector<int> permutation;
  permutation.reserve(order.size());
  for (const std::int64_t axis : order)
    permutation.push_back(node.checked_axis(axis, node.rank(x)));
  std::vector<int> sorted = permutation;
  std::ranges::sort(sorted);
  for (std::size_t at = 0; at < sorted.size(); ++at)
    if (sorted[at] != static_cast<int>(at)) node.refuse("its permutation names an axis twice");
  if (sorted.size() != static_cast<std::size_t>(node.rank(x)))
    node.refuse("its permutation has another number of axes than " + describe(node.shape(x)));
  node.set_output(0, node.transpose(x, permutation));
}

void shape(TfliteNode& node) {
  const std::vector<std::int64_t> extents = extents_of(node.shape(node.input(0)));
  const auto count = static_cast<std::int64_t>(extents.size());
  node.set_output(0, node.integer_constant(extents, make_shape({count})));
}

// x, how often along each axis
void tile(TfliteNode& node) {
  const TensorId x = node.input(0);
  const std::vector<std::int64_t> times = node.integers(1, "multiples");
  std::vector<std::int64_t> to = extents_of(node.shape(x));
  if (times.size() != to.size())
    node.refuse("its multiples have another number of axes than " + describe(node.shape(x)));
  for (std::size_t axis = 0; axis < to.size(); ++axis)
    to[axis] *= node.checked_int(times[axis], "multiple", 1);
  node.set_output(0, node.tile(x, make_shape(to)));
}

// x, shape
void broadcast_to(TfliteNode& node) {
  node.set_output(0, node.expand(node.input(0), make_shape(node.integers(1, "shape"))));
}

void cast(TfliteNode& node) {
  const TensorId x = node.input(0);
  switch (node.output_type(0)) {
    case tflite::TensorType::FLOAT32:
      return node.set_output(0, node.cast(x, DataType::kFloat32));
    case tflite::TensorType::INT32:
    case tflite::TensorType::INT64:
      return node.set_output(0, node.cast(x, DataType::kInt32));
    case tflite::TensorType::BOOL:
      return node.set_output(0,
                             node.compare(format::CompareFunction::NotEqual, x, node.zero_like(x)));
    default:
      node.refuse(std::string("it gives ") + tflite::EnumNameTensorType(node.output_type(0)) +
                  ", but only FLOAT32, INT32, INT64 and BOOL are supported");
  }
}

constexpr TfliteForm kMoves = TfliteForm::kMoves;
constexpr TfliteOperator kRows[] = {
    {"BROADCAST_TO", broadcast_to, kMoves}, {"CAST", cast},
    {"EXPAND_DIMS", expand_dims, kMoves},   {"PACK", pack, kMoves},
    {"RESHAPE", reshape, kMoves},           {"SHAPE", shape},
    {"SQUEEZE", squeeze, kMoves},           {"TILE", tile, kMoves},
    {"TRANSPOSE", transpose, kMoves},
};

}  // namespace

const std::span<const TfliteOperator> kTfliteShape = kRows;

}  // namespace figment::converter
