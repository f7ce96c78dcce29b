// Normalizations.
#include "converter/import/onnx_families.h"
#include "converter/import/onnx_reduction.h"
#include "converter/import/spatial.h"

namespace figment::converter {
namespace {

void require_channels(const OnnxNode& node, TensorId x) {
  if (node.rank(x) < 2)
    node.refuse("its input has shape " + describe(node.shape(x)) + ", but must begin with N,C");
}

// x [N,C,...]; scale, bias, mean, variance [C], all of them given (as in inference)
void batch_normalization(OnnxNode& node) {
  const TensorId x = node.input(0);
  require_channels(node, x);
  // Before opset 7 the node says by itself that it is not in training.
  const bool training =
      node.opset() < 7 ? !node.flag("is_test", false) : node.flag("training_mode", false);
  // The trainer decides by itself which statistics it uses, and moves the stored ones.
  if ((training && !node.for_training()) || node.output_used(1))
    node.refuse(
        "it is in training mode; export the model for inference (in PyTorch: model.eval()), or "
        "convert it --for-training");
  if (!node.flag("spatial", true))
    node.refuse("it normalizes every position by itself (spatial = 0), which is not supported");
  node.ignore("momentum");
  node.only_first_output();
  format::BatchNormalizationT options;
  options.epsilon = node.number_attribute("epsilon", 1e-5F);
  const TensorId y = node.emit(options, {to_channels_last(node, x), node.input(1), node.input(2),
                                         node.input(3), node.input(4)});
  node.set_output(0, from_channels_last(node, y));
}

void normalize_groups(OnnxNode& node, int groups, TensorId scale, TensorId bias) {
  format::GroupNormalizationT options;
  options.groups = groups;
  options.epsilon = node.number_attribute("epsilon", 1e-5F);
  const TensorId y = node.emit(options, {to_channels_last(node, node.input(0)), scale, bias});
  node.set_output(0, from_channels_last(node, y));
}

// Each channel of each picture by itself: as many groups as channels.
void instance_normalization(OnnxNode& node) {
  require_channels(node, node.input(0));
  normalize_groups(node, node.shape(node.input(0))[1], node.input(1), node.input(2));
}

// Scale and bias are one a group before opset 21, one a channel from there on.
void group_normalization(OnnxNode& node) {
  const TensorId x = node.input(0);
  require_channels(node, x);
  node.ignore("stash_type");
  const int groups = node.checked_int(node.integer("num_groups", 0), "num_groups", 1);
  const int channels = node.shape(x)[1];
  if (channels % groups != 0)
    node.refuse("its " + std::to_string(channels) + " channels do not divide into " +
                std::to_string(groups) + " groups");
  const auto per_channel = [&](TensorId id) {
    if (node.opset() >= 21 || groups == channels || node.shape(id).elements() != groups) return id;
    const TensorId column = node.reshape_to(id, {groups, 1});
    return node.reshape_to(node.tile(column, make_shape({groups, channels / groups})), {channels});
  };
  normalize_groups(node, groups, per_channel(node.input(1)), per_channel(node.input(2)));
}

// The second and third output: the mean and 1 / sqrt(variance + epsilon), over the axes from `axis`
// on, which stay as extents of 1.
void set_statistics(OnnxNode& node, TensorId x, int axis) {
  std::vector<std::int32_t> axes;
  for (int index = axis; index < node.rank(x); ++index) axes.push_back(index);
  const Moments moments = moments_of(node, x, axes);
  const TensorId safe = node.binary(format::BinaryFunction::Add, moments.variance,
                                    node.scalar(node.number_attribute("epsilon", 1e-5F)));
  node.set_output(1, moments.mean);
  node.set_output(2, node.unary(format::UnaryFunction::Reciprocal,
                                node.unary(format::UnaryFunction::Sqrt, safe)));
}

// Over all axes from `axis` on.
void layer_normalization(OnnxNode& node) {
  const TensorId x = node.input(0);
  const Shape shape = node.shape(x);
  const int axis = node.checked_axis(node.integer("axis", -1), shape.rank);
  node.ignore("stash_type");
  Shape normalized;
  for (int index = axis; index < shape.rank; ++index)
    normalized.dims[normalized.rank++] = shape[index];
  // Scale and bias broadcast to the normalized axes; the runtime wants them in full.
  const auto in_full = [&](TensorId id) {
    if (id == kAbsent || node.shape(id) == normalized) return id;
    std::vector<std::int64_t> extents;
    const Shape given = node.shape(id);
    for (int index = 0; index < given.rank; ++index)
      if (given[index] != 1 || given.rank - index <= normalized.rank)
        extents.push_back(given[index]);
    return node.expand(node.reshape_to(id, extents), normalized);
  };
  format::LayerNormalizationT options;
  options.axes = shape.rank - axis;
  options.epsilon = node.number_attribute("epsilon", 1e-5F);
  const TensorId scale = in_full(node.input(1));
  node.set_output(0, node.emit(options, {x, scale, in_full(node.optional_input(2))}));
  if (node.output_used(1) || node.output_used(2)) set_statistics(node, x, axis);
}

constexpr OnnxOperator kRows[] = {
    {"BatchNormalization", batch_normalization},
    {"GroupNormalization", group_normalization},
    {"InstanceNormalization", instance_normalization},
    {"LayerNormalization", layer_normalization},
};

}  // namespace

const std::span<const OnnxOperator> kOnnxNormalization = kRows;

}  // namespace figment::converter
