// What convolutions, pools and other operators over pictures share.
#include "converter/import/spatial.h"

#include <algorithm>
#include <numeric>

namespace figment::converter {

std::vector<std::int32_t> spatial_axes(const NodeBuilder& node, TensorId x) {
  if (node.rank(x) < 3)
    node.refuse("its input has shape " + describe(node.shape(x)) + ", but must be N,C,...");
  std::vector<std::int32_t> axes;
  for (int axis = 2; axis < node.rank(x); ++axis) axes.push_back(axis);
  return axes;
}

int spatial_rank(const NodeBuilder& node, TensorId x) {
  const int rank = node.rank(x);
  if (rank == 5)
    node.refuse(
        "three spatial axes are not supported; only signals N,C,L and pictures N,C,H,W are");
  if (rank != 3 && rank != 4)
    node.refuse("its input has shape " + describe(node.shape(x)) +
                ", but must be N,C,L or N,C,H,W");
  return rank - 2;
}

TensorId to_channels_last(NodeBuilder& node, TensorId x) {
  std::vector<int> permutation(static_cast<std::size_t>(node.rank(x)));
  std::iota(permutation.begin(), permutation.end(), 0);
  std::rotate(permutation.begin() + 1, permutation.begin() + 2, permutation.end());
  return node.transpose(x, permutation);
}

TensorId from_channels_last(NodeBuilder& node, TensorId x) {
  std::vector<int> permutation(static_cast<std::size_t>(node.rank(x)));
  std::iota(permutation.begin(), permutation.end(), 0);
  std::rotate(permutation.begin() + 1, permutation.end() - 1, permutation.end());
  return node.transpose(x, permutation);
}

TensorId to_picture(NodeBuilder& node, TensorId x) {
  const TensorId last = to_channels_last(node, x);
  if (node.rank(last) == 4) return last;
  const Shape shape = node.shape(last);
  return node.reshape_to(last, {shape[0], 1, shape[1], shape[2]});
}

TensorId from_picture(NodeBuilder& node, TensorId picture, int spatial_axes) {
  if (spatial_axes == 2) return from_channels_last(node, picture);
  const Shape shape = node.shape(picture);
  return from_channels_last(node, node.reshape_to(picture, {shape[0], shape[2], shape[3]}));
}

std::vector<std::int64_t> kernel_of(const NodeBuilder& node, TensorId weights, int spatial_axes) {
  const Shape shape = node.shape(weights);
  if (shape.rank != spatial_axes + 2)
    node.refuse("its weights have shape " + describe(shape) + ", but must have " +
                std::to_string(spatial_axes + 2) + " axes");
  std::vector<std::int64_t> kernel;
  for (int axis = 2; axis < shape.rank; ++axis) kernel.push_back(shape[axis]);
  return kernel;
}

TensorId transposed_weights(NodeBuilder& node, TensorId weights, int groups) {
  const Shape shape = node.shape(weights);
  if (shape[0] % groups != 0)
    node.refuse("its " + std::to_string(shape[0]) + " input channels do not divide into " +
                std::to_string(groups) + " groups; the file is damaged");
  // A signal's kernel is a picture's of height 1.
  const int width = shape[shape.rank - 1];
  const int height = shape.rank == 4 ? shape[2] : 1;
  const TensorId split =
      node.reshape_to(weights, {groups, shape[0] / groups, shape[1], height, width});
  return node.transpose(split, {0, 3, 4, 2, 1});
}

}  // namespace figment::converter
