// Lists of tensors whose length is known: exporters write torch.split and torch.chunk as
// SplitToSequence and SequenceAt. A list is a thing of the importer alone; the graph has its
// tensors.
#include "converter/import/onnx_families.h"
#include "converter/import/onnx_selection.h"

namespace figment::converter {
namespace {

// The position that operand `index` names, counted from the end when negative; `count` where it is
// absent.
std::size_t position_in(OnnxNode& node, int index, std::size_t count, std::size_t most) {
  if (!node.has_input(index)) return count;
  const std::int64_t given = node.integer_operand(node.input(index), "position");
  const std::int64_t position = given < 0 ? given + static_cast<std::int64_t>(count) : given;
  if (position < 0 || position > static_cast<std::int64_t>(most))
    node.refuse("its position " + std::to_string(given) + " is outside a sequence of " +
                std::to_string(count));
  return static_cast<std::size_t>(position);
}

// Parts of the sizes given, of one size given (the last may be shorter), or of 1, whose axis goes
// unless keepdims says otherwise.
void split_to_sequence(OnnxNode& node) {
  const TensorId x = node.input(0);
  const int axis = node.checked_axis(node.integer("axis", 0), node.rank(x));
  const std::int64_t extent = node.shape(x)[axis];
  const bool keep_axis = node.flag("keepdims", true) || node.has_input(1);
  std::vector<std::int64_t> sizes{1};
  bool one_size = true;
  if (node.has_input(1)) {
    const TensorId given = node.input(1);
    sizes = node.integers(given, "split");
    one_size = node.rank(given) == 0;
  }
  std::vector<TensorId> parts;
  std::int64_t start = 0;
  for (std::size_t index = 0; start < extent; ++index) {
    const std::int64_t size = one_size               ? std::min(sizes.at(0), extent - start)
                              : index < sizes.size() ? sizes[index]
                                                     : 0;
    if (size <= 0 || size > extent - start)
      node.refuse("its parts do not fit an extent of " + std::to_string(extent));
    TensorId part = take_part(node, x, axis, start, start + size);
    if (!keep_axis) {
      std::vector<std::int64_t> extents;
      for (int other = 0; other < node.rank(x); ++other)
        if (other != axis) extents.push_back(node.shape(x)[other]);
      part = node.reshape_to(part, extents);
    }
    parts.push_back(part);
    start += size;
  }
  if (!one_size && parts.size() != sizes.size())
    node.refuse("its parts do not fit an extent of " + std::to_string(extent));
  node.set_sequence(0, std::move(parts));
}

void construct(OnnxNode& node) {
  std::vector<TensorId> parts;
  parts.reserve(static_cast<std::size_t>(node.input_count()));
  for (int index = 0; index < node.input_count(); ++index) parts.push_back(node.input(index));
  node.set_sequence(0, std::move(parts));
}

void empty(OnnxNode& node) {
  node.ignore("dtype");
  node.set_sequence(0, {});
}

void at(OnnxNode& node) {
  const std::vector<TensorId>& parts = node.sequence(0);
  if (parts.empty()) node.refuse("its sequence is empty; the file is damaged");
  node.set_output(0, parts[position_in(node, 1, parts.size(), parts.size() - 1)]);
}

void insert(OnnxNode& node) {
  std::vector<TensorId> parts = node.sequence(0);
  const std::size_t position = position_in(node, 2, parts.size(), parts.size());
  parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(position), node.input(1));
  node.set_sequence(0, std::move(parts));
}

void length(OnnxNode& node) {
  node.set_output(
      0, node.integer_constant({static_cast<std::int64_t>(node.sequence(0).size())}, Shape{}));
}

// Along an axis that the tensors have, or (new_axis) along one put in.
void concat_from(OnnxNode& node) {
  std::vector<TensorId> parts = node.sequence(0);
  if (parts.empty()) node.refuse("its sequence is empty; the file is damaged");
  const bool new_axis = node.flag("new_axis", false);
  const int rank = node.rank(parts[0]) + (new_axis ? 1 : 0);
  const int axis = node.checked_axis(node.integer("axis", 0), rank);
  for (TensorId& part : parts) {
    if (!new_axis) break;
    const Shape shape = node.shape(part);
    std::vector<std::int64_t> extents(shape.dims, shape.dims + shape.rank);
    if (axis > node.rank(part)) node.refuse("its tensors differ in their numbers of axes");
    extents.insert(extents.begin() + axis, 1);
    part = node.reshape_to(part, extents);
  }
  node.set_output(0, node.concat(std::move(parts), axis));
}

constexpr OnnxOperator kRows[] = {
    {"ConcatFromSequence", concat_from},
    {"SequenceAt", at},
    {"SequenceConstruct", construct},
    {"SequenceEmpty", empty},
    {"SequenceInsert", insert},
    {"SequenceLength", length},
    {"SplitToSequence", split_to_sequence},
};

}  // namespace

const std::span<const OnnxOperator> kOnnxSequences = kRows;

}  // namespace figment::converter
