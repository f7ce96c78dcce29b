// What changes a tensor's shape or order and none of its numbers.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "converter/import/layers/layer_node.h"

namespace figment::converter {
namespace {

// target_shape is that of one sample; one of its numbers may be -1.
void reshape(LayerNode& node) {
  const TensorId x = node.input();
  const Shape from = node.shape(x);
  std::vector<std::int64_t> to = node.integers_setting({"target_shape", "dims", "newshape"});
  const std::int64_t elements = from.elements() / std::max(1, from[0]);
  std::int64_t product = 1;
  std::size_t open = to.size();
  for (std::size_t axis = 0; axis < to.size(); ++axis) {
    if (to[axis] == -1 && open == to.size())
      open = axis;
    else if (to[axis] < 1 || __builtin_mul_overflow(product, to[axis], &product))
      node.refuse("its target_shape holds the extent " + std::to_string(to[axis]) +
                  "; the file is damaged");
  }
  if (open < to.size()) to[open] = elements / product;
  to.insert(to.begin(), from[0]);
  node.set_output(node.reshape_to(x, to));
}

void flatten(LayerNode& node) {
  TensorId x = node.input();
  if (node.rank(x) > 2) x = node.to_channels_last(x);
  const Shape from = node.shape(x);
  node.set_output(node.reshape_to(x, {from[0], from.elements() / std::max(1, from[0])}));
}

// dims counts from 1, for axis 0 is the batch's.
void permute(LayerNode& node) {
  const TensorId x = node.input();
  std::vector<int> permutation = {0};
  for (const std::int64_t axis : node.integers_setting({"dims"}))
    permutation.push_back(node.checked_int(axis, "axis", 1));
  std::vector<int> sorted = permutation;
  std::ranges::sort(sorted);
  for (std::size_t index = 0; index < sorted.size(); ++index)
    if (sorted[index] != static_cast<int>(index) || static_cast<int>(sorted.size()) != node.rank(x))
      node.refuse("its dims are no order of its input's axes; the file is damaged");
  node.set_output(node.transpose(x, permutation));
}

// [N, F] -> [N, n, F]
void repeat_vector(LayerNode& node) {
  const TensorId x = node.input();
  if (node.rank(x) != 2) node.refuse("its input must have 2 axes");
  const Shape from = node.shape(x);
  const int count = node.checked_int(node.integer_setting({"n"}, 1), "n", 1);
  node.set_output(
      node.tile(node.reshape_to(x, {from[0], 1, from[1]}), make_shape({from[0], count, from[1]})));
}

// The numbers before and after each of `axes` spatial axes: 1, [1, 2] or [[1, 2], [3, 4]].
std::vector<std::pair<int, int>> read_borders(const LayerNode& node, LayerNode::Names names,
                                              int axes) {
  std::vector<std::pair<int, int>> borders(static_cast<std::size_t>(axes), {1, 1});
  const nlohmann::json* given = node.find(names);
  if (given == nullptr) return borders;
  const auto number = [&](const nlohmann::json& value) {
    const auto whole = whole_number(value);
    if (!whole) node.refuse("its borders must be whole numbers; the file is damaged");
    return node.checked_int(*whole, "border");
  };
  if (!given->is_array()) {
    const int all = number(*given);
    std::ranges::fill(borders, std::pair{all, all});
    return borders;
  }
  // Over one axis a list is the two sides.
  if (axes == 1 && given->size() == 2 && !(*given)[0].is_array())
    return {{number((*given)[0]), number((*given)[1])}};
  // Keras 1 could list all four: top, bottom, left, right.
  if (axes == 2 && given->size() == 4)
    return {{number((*given)[0]), number((*given)[1])}, {number((*given)[2]), number((*given)[3])}};
  if (given->size() != borders.size())
    node.refuse("it must have borders for " + std::to_string(axes) + " axes");
  for (std::size_t axis = 0; axis < borders.size(); ++axis) {
    const nlohmann::json& side = (*given)[axis];
    if (side.is_array() && side.size() == 2)
      borders[axis] = {number(side[0]), number(side[1])};
    else
      borders[axis] = {number(side), number(side)};
  }
  return borders;
}

void check_axes(const LayerNode& node, TensorId x, int axes) {
  if (node.rank(x) != axes + 2)
    node.refuse("its input has shape " + describe(node.shape(x)) + ", but must have " +
                std::to_string(axes + 2) + " axes");
}

template <int kAxes>
void zero_padding(LayerNode& node) {
  const TensorId x = node.input();
  check_axes(node, x, kAxes);
  format::PadT options;
  options.before.assign(kAxes + 2, 0);
  options.after.assign(kAxes + 2, 0);
  std::size_t axis = node.channels_first() ? 2 : 1;
  for (const auto& [before, after] : read_borders(node, {"padding"}, kAxes)) {
    options.before[axis] = before;
    options.after[axis++] = after;
  }
  node.set_output(node.emit(std::move(options), {x}));
}

template <int kAxes>
void cropping(LayerNode& node) {
  const TensorId x = node.input();
  check_axes(node, x, kAxes);
  format::SliceT options;
  options.starts.assign(kAxes + 2, 0);
  options.sizes.assign(kAxes + 2, -1);
  options.steps.assign(kAxes + 2, 1);
  int axis = node.channels_first() ? 2 : 1;
  for (const auto& [before, after] : read_borders(node, {"cropping"}, kAxes)) {
    const std::int64_t left = std::int64_t{node.shape(x)[axis]} - before - after;
    options.starts[static_cast<std::size_t>(axis)] = before;
    options.sizes[static_cast<std::size_t>(axis)] = node.checked_int(left, "output's extent", 1);
    ++axis;
  }
  node.set_output(node.emit(std::move(options), {x}));
}

constexpr LayerRow kRows[] = {
    {"Cropping1D", cropping<1>},
    {"Cropping2D", cropping<2>},
    {"Flatten", flatten},
    {"Permute", permute},
    {"RepeatVector", repeat_vector},
    {"Reshape", reshape},
    {"ZeroPadding1D", zero_padding<1>},
    {"ZeroPadding2D", zero_padding<2>},
};

}  // namespace

const std::span<const LayerRow> kShapeLayers = kRows;

}  // namespace figment::converter
