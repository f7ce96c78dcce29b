// Parts of tensors in TensorFlow graphs.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "converter/import/tfjs/graph_node.h"

namespace figment::converter {
namespace {

format::SliceT whole(int rank) {
  format::SliceT options;
  options.starts.assign(static_cast<std::size_t>(rank), 0);
  options.sizes.assign(static_cast<std::size_t>(rank), -1);
  options.steps.assign(static_cast<std::size_t>(rank), 1);
  return options;
}

TensorId part_of(GraphNode& node, TensorId x, int axis, std::int64_t start, std::int64_t size) {
  format::SliceT options = whole(node.rank(x));
  options.starts[static_cast<std::size_t>(axis)] = node.checked_int(start, "start");
  options.sizes[static_cast<std::size_t>(axis)] = node.checked_int(size, "size");
  return node.emit(std::move(options), {x});
}

// x, begin, end, strides; bits of masks say of each of them what it means.
void strided_slice(GraphNode& node) {
  const TensorId x = node.input(0);
  const std::vector<std::int64_t> begin = node.integers(1, "begin"), end = node.integers(2, "end");
  const std::vector<std::int64_t> strides = node.integers(3, "strides");
  if (end.size() != begin.size() || strides.size() != begin.size() || begin.size() > 32)
    node.refuse("its begin, end and strides are not of one length; the file is damaged");
  const auto mask = [&](const char* name) { return node.integer_attribute(name, 0); };
  const std::int64_t begin_mask = mask("begin_mask"), end_mask = mask("end_mask");
  const std::int64_t drop_mask = mask("shrink_axis_mask"), new_mask = mask("new_axis_mask");
  const std::int64_t ellipsis_mask = mask("ellipsis_mask");
  const auto has = [](std::int64_t bits, std::size_t index) { return (bits >> index & 1) != 0; };
  if ((ellipsis_mask & (ellipsis_mask - 1)) != 0)
    node.refuse("its ellipsis_mask has more than one bit; the file is damaged");

  const Shape shape = node.shape(x);
  format::SliceT options = whole(shape.rank);
  std::vector<std::int64_t> to;  // the shape that is left
  int used = 0;                  // axes that the entries after "..." need
  for (std::size_t index = 0; index < begin.size(); ++index)
    if (!has(new_mask, index) && !has(ellipsis_mask, index)) ++used;
  if (used > shape.rank) node.refuse("it slices more axes than its input has");
  int axis = 0;
  for (std::size_t index = 0; index < begin.size(); ++index) {
    if (has(ellipsis_mask, index)) {
      for (int skipped = shape.rank - used; skipped > 0; --skipped) to.push_back(shape[axis++]);
      continue;
    }
    if (has(new_mask, index)) {
      to.push_back(1);
      continue;
    }
    if (axis >= shape.rank) node.refuse("it slices more axes than its input has");
    const std::int64_t extent = shape[axis];
    const std::int64_t step = has(drop_mask, index) ? 1 : strides[index];
    if (step == 0 || step < -(1 << 30) || step > 1 << 30) node.refuse("one of its strides is 0");
    const auto place = [&](std::int64_t at, std::int64_t low, std::int64_t high) {
      return std::clamp(at < 0 ? at + extent : at, low, high);
    };
    std::int64_t first = step > 0 ? 0 : extent - 1, last = step > 0 ? extent : -1;
    if (!has(begin_mask, index) || has(drop_mask, index))
      first = step > 0 ? place(begin[index], 0, extent) : place(begin[index], -1, extent - 1);
    if (has(drop_mask, index))
      last = first + 1;
    else if (!has(end_mask, index))
      last = step > 0 ? place(end[index], 0, extent) : place(end[index], -1, extent - 1);
    const std::int64_t count = std::max<std::int64_t>(
        0, step > 0 ? (last - first + step - 1) / step : (first - last - step - 1) / -step);
    if (count == 0 || first >= extent) node.refuse("nothing is left of its input");
    const auto at = static_cast<std::size_t>(axis++);
    // All of an axis is said so that it holds for any batch.
    if (first != 0 || step != 1 || count != extent) {
      options.starts[at] = node.checked_int(first, "start");
      options.sizes[at] = node.checked_int(count, "size");
      options.steps[at] = static_cast<std::int32_t>(step);
    }
    if (!has(drop_mask, index)) to.push_back(count);
  }
  while (axis < shape.rank) to.push_back(shape[axis++]);
  node.set_output(node.reshape_to(node.emit(std::move(options), {x}), to));
}

// x, begin, size (-1: to the end)
void slice(GraphNode& node) {
  const TensorId x = node.input(0);
  const std::vector<std::int64_t> begin = node.integers(1, "begin"),
                                  size = node.integers(2, "size");
  const Shape shape = node.shape(x);
  if (begin.size() != static_cast<std::size_t>(shape.rank) || size.size() != begin.size())
    node.refuse("its begin and size must have one number an axis; the file is damaged");
  format::SliceT options = whole(shape.rank);
  for (std::size_t axis = 0; axis < begin.size(); ++axis) {
    const int extent = shape[static_cast<int>(axis)];
    if (begin[axis] == 0 && (size[axis] == -1 || size[axis] == extent)) continue;
    options.starts[axis] = node.checked_int(begin[axis], "begin");
    options.sizes[axis] =
        node.checked_int(size[axis] == -1 ? extent - begin[axis] : size[axis], "size");
  }
  node.set_output(node.emit(std::move(options), {x}));
}

void split_along(GraphNode& node, TensorId x, int axis, const std::vector<std::int64_t>& sizes) {
  std::vector<TensorId> parts;
  parts.reserve(sizes.size());
  std::int64_t start = 0;
  for (const std::int64_t size : sizes) {
    parts.push_back(part_of(node, x, axis, start, size));
    start += size;
  }
  node.set_outputs(std::move(parts));
}

// axis, x
void split(GraphNode& node) {
  const TensorId x = node.input(1);
  const int axis = node.checked_axis(node.integer_input(0, "axis"), node.rank(x));
  const int count = node.checked_int(node.integer_attribute("num_split", 1), "num_split", 1);
  const int extent = node.shape(x)[axis];
  if (extent % count != 0) node.refuse("its axis does not divide into its parts");
  split_along(node, x, axis,
              std::vector<std::int64_t>(static_cast<std::size_t>(count), extent / count));
}

// x, sizes (one may be -1), axis
void split_by_sizes(GraphNode& node) {
  const TensorId x = node.input(0);
  const int axis = node.checked_axis(node.integer_input(2, "axis"), node.rank(x));
  std::vector<std::int64_t> sizes = node.integers(1, "sizes");
  const std::int64_t sum = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  if (const auto open = std::ranges::find(sizes, -1); open != sizes.end())
    *open = node.shape(x)[axis] - sum - 1;
  split_along(node, x, axis, sizes);
}

void unpack(GraphNode& node) {
  const TensorId x = node.input(0);
  const int axis = node.checked_axis(node.integer_attribute("axis", 0), node.rank(x));
  const Shape shape = node.shape(x);
  std::vector<std::int64_t> to(shape.dims, shape.dims + shape.rank);
  to.erase(to.begin() + axis);
  if (shape[axis] > 4096) node.refuse("it would make more than 4096 tensors");
  std::vector<TensorId> parts(static_cast<std::size_t>(shape[axis]));
  for (int index = 0; index < shape[axis]; ++index)
    parts[static_cast<std::size_t>(index)] = node.reshape_to(part_of(node, x, axis, index, 1), to);
  node.set_outputs(std::move(parts));
}

// x, indices, and the axis of GatherV2
void gather(GraphNode& node) {
  const TensorId x = node.input(0);
  if (node.integer_attribute("batch_dims", 0) != 0)
    node.refuse("its batch_dims is not supported; gather along one axis");
  format::GatherT options;
  if (node.kind() == "GatherV2")
    options.axis = node.checked_axis(node.integer_input(2, "axis"), node.rank(x));
  node.set_output(node.emit(options, {x, node.cast(node.input(1), DataType::kInt32)}));
}

void reverse(GraphNode& node) {
  const TensorId x = node.input(0);
  format::SliceT options = whole(node.rank(x));
  for (const std::int64_t each : node.integers(1, "axes")) {
    const int axis = node.checked_axis(each, node.rank(x));
    options.starts[static_cast<std::size_t>(axis)] = node.shape(x)[axis] - 1;
    options.steps[static_cast<std::size_t>(axis)] = -1;
  }
  node.set_output(node.emit(std::move(options), {x}));
}

constexpr GraphOperator kRows[] = {
    {"Gather", gather},
    {"GatherV2", gather},
    {"ReverseV2", reverse},
    {"Slice", slice},
    {"Split", split},
    {"SplitV", split_by_sizes},
    {"StridedSlice", strided_slice},
    {"Unpack", unpack},
};

}  // namespace

const std::span<const GraphOperator> kGraphSelection = kRows;

}  // namespace figment::converter
