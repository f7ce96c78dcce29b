// Operators that find indices, and that choose or mark by them.
#include "converter/import/onnx_axis.h"
#include "converter/import/onnx_families.h"
#include "converter/import/onnx_selection.h"

namespace figment::converter {
namespace {

using format::ArgReduceFunction;
using format::BinaryFunction;
using format::CompareFunction;

// Indices into an axis of `extent`. Constant ones are checked now, and counted from the front.
TensorId checked_indices(OnnxNode& node, TensorId indices, std::int64_t extent) {
  if (node.type(indices) != DataType::kInt32)
    node.refuse("its indices must be integers; the file is damaged");
  if (!node.constant(indices)) return indices;
  const GraphTensor& given = node.known(indices);
  std::vector<std::int64_t> positions(given.integers(), given.integers() + given.shape.elements());
  for (std::int64_t& index : positions) {
    if (index < -extent || index >= extent)
      node.refuse("its index " + std::to_string(index) + " is outside an axis of extent " +
                  std::to_string(extent));
    if (index < 0) index += extent;
  }
  if (positions.empty()) node.refuse("it has no indices; the file is damaged");
  return node.integer_constant(positions, node.shape(indices));
}

// Gather and GatherElements
template <typename Options>
void gather(OnnxNode& node) {
  const TensorId data = node.input(0);
  const Shape shape = node.shape(data);
  Options options;
  options.axis = node.checked_axis(node.integer("axis", 0), shape.rank);
  const TensorId indices = checked_indices(node, node.input(1), shape[options.axis]);
  node.set_output(0, node.emit(options, {data, indices}));
}

template <ArgReduceFunction kFunction>
void search(OnnxNode& node) {
  const TensorId x = node.input(0);
  format::ArgReduceT options;
  options.function = kFunction;
  options.axis = node.checked_axis(node.integer("axis", 0), node.rank(x));
  options.keep_axis = node.flag("keepdims", true);
  options.last = node.flag("select_last_index", false);
  node.set_output(0, node.emit(options, {x}));
}

// Indices [...], depth, values [off, on] -> [..., depth, ...]: on where an index, counted from the
// end when negative, is the position along the new axis. Others mark nothing.
void one_hot(OnnxNode& node) {
  constexpr float kMaxDepth = 1 << 24;  // a small file may not claim the machine's memory
  const TensorId given = node.cast(node.input(0), DataType::kInt32);
  const float depth_given = node.number(node.input(1), "depth");
  if (!(depth_given >= 1 && depth_given <= kMaxDepth))
    node.refuse("its depth is " + std::to_string(depth_given) + ", but must be from 1 to 2^24");
  const int depth = static_cast<int>(depth_given);
  const TensorId values = node.input(2);
  if (node.rank(values) != 1 || node.shape(values)[0] != 2)
    node.refuse("its values must be two numbers; the file is damaged");
  const Shape shape = node.shape(given);
  const int axis = node.checked_axis(node.integer("axis", -1), shape.rank + 1);

  std::vector<std::int64_t> extents(shape.dims, shape.dims + shape.rank);
  extents.insert(extents.begin() + axis, 1);
  const TensorId from_end = node.binary(BinaryFunction::Add, given, node.integer(depth));
  const TensorId negative = node.compare(CompareFunction::Less, given, node.integer(0));
  const TensorId indices = node.reshape_to(node.select(negative, from_end, given), extents);
  const TensorId marked =
      node.compare(CompareFunction::Equal, indices, node.counting(depth, shape.rank - axis));
  const auto value = [&](int index) { return take_part(node, values, 0, index, index + 1); };
  node.set_output(0, node.select(marked, value(1), value(0)));
}

// 1 at the first of the largest numbers along an axis, 0 elsewhere.
void hardmax(OnnxNode& node) {
  along_axis(node, [&](TensorId x, int axis) {
    const Shape shape = node.shape(x);
    format::ArgReduceT options;
    options.axis = axis;
    options.keep_axis = true;
    const TensorId found = node.emit(options, {x});
    const TensorId places = node.counting(shape[axis], shape.rank - axis - 1);
    return node.cast(node.compare(CompareFunction::Equal, found, places), DataType::kFloat32);
  });
}

constexpr OnnxOperator kRows[] = {
    {"ArgMax", search<ArgReduceFunction::ArgMax>},
    {"ArgMin", search<ArgReduceFunction::ArgMin>},
    {"Gather", gather<format::GatherT>},
    {"GatherElements", gather<format::GatherElementsT>},
    {"Hardmax", hardmax},
    {"OneHot", one_hot},
};

}  // namespace

const std::span<const OnnxOperator> kOnnxIndices = kRows;

}  // namespace figment::converter
