// Normalizations, with the statistics that training left.
#include "converter/import/spatial.h"
#include "converter/import/torch/call.h"

namespace figment::converter {
namespace {

TorchValue result(TensorId id) { return TorchValue::of_tensor(id); }

float epsilon_of(const TorchCall& call) { return static_cast<float>(call.number("eps")); }

int channels_of(const TorchCall& call, TensorId x) {
  if (call.rank(x) < 2)
    call.refuse("its input has shape " + describe(call.shape(x)) + ", but must begin with N,C");
  return call.shape(x)[1];
}

void require_channels(TorchCall& call, TensorId weight, std::int64_t channels) {
  if (weight != kAbsent)
    call.require(call.shape(weight).elements() == channels, weight,
                 "its input has " + std::to_string(channels) + " channels");
}

// Numbers for all channels where the file has none.
TensorId or_constant(TorchCall& call, TensorId id, int channels, float value) {
  if (id != kAbsent) return id;
  return call.float_constant(std::vector<float>(static_cast<std::size_t>(channels), value),
                             make_shape({channels}));
}

TensorId normalize_batch(TorchCall& call, TensorId x, TensorId scale, TensorId bias, TensorId mean,
                         TensorId variance) {
  const int channels = channels_of(call, x);
  for (const TensorId id : {scale, bias, mean, variance}) require_channels(call, id, channels);
  if (mean == kAbsent || variance == kAbsent)
    call.refuse(
        "it has no running statistics, but normalizes by those of each batch; train it with "
        "track_running_stats=True");
  format::BatchNormalizationT options;
  options.epsilon = epsilon_of(call);
  const TensorId y =
      call.emit(options, {to_channels_last(call, x), or_constant(call, scale, channels, 1),
                          or_constant(call, bias, channels, 0), mean, variance});
  return from_channels_last(call, y);
}

TensorId normalize_groups(TorchCall& call, TensorId x, int groups, TensorId scale, TensorId bias) {
  const int channels = channels_of(call, x);
  if (channels % groups != 0)
    call.refuse("its " + std::to_string(channels) + " channels do not divide into " +
                std::to_string(groups) + " groups");
  for (const TensorId id : {scale, bias}) require_channels(call, id, channels);
  format::GroupNormalizationT options;
  options.groups = groups;
  options.epsilon = epsilon_of(call);
  return from_channels_last(call, call.emit(options, {to_channels_last(call, x), scale, bias}));
}

TensorId normalize_layer(TorchCall& call, TensorId x, int axes, TensorId scale, TensorId bias) {
  if (axes < 1 || axes > call.rank(x))
    call.refuse("it normalizes over " + std::to_string(axes) + " axes of a tensor of " +
                std::to_string(call.rank(x)));
  for (const TensorId id : {scale, bias}) {
    if (id == kAbsent) continue;
    bool fits = call.rank(id) == axes;
    for (int axis = 0; fits && axis < axes; ++axis)
      fits = call.shape(id)[axis] == call.shape(x)[call.rank(x) - axes + axis];
    call.require(fits, id, "its input has the shape " + describe(call.shape(x)));
  }
  format::LayerNormalizationT options;
  options.axes = axes;
  options.epsilon = epsilon_of(call);
  return call.emit(options, {x, scale, bias});
}

// ---- Functions ----

TorchValue batch_norm(TorchCall& call) {
  if (call.flag("training") && !call.options().for_training)
    call.refuse("it is in training mode; call model.eval() before torch.jit.trace");
  return result(normalize_batch(call, call.tensor("input"), call.optional_tensor("weight"),
                                call.optional_tensor("bias"), call.optional_tensor("running_mean"),
                                call.optional_tensor("running_var")));
}

TorchValue instance_norm(TorchCall& call) {
  const TensorId x = call.tensor("input");
  const TensorId scale = call.optional_tensor("weight");
  const TensorId bias = call.optional_tensor("bias");
  if (call.flag("use_input_stats"))
    return result(normalize_groups(call, x, channels_of(call, x), scale, bias));
  return result(normalize_batch(call, x, scale, bias, call.optional_tensor("running_mean"),
                                call.optional_tensor("running_var")));
}

TorchValue group_norm(TorchCall& call) {
  return result(normalize_groups(call, call.tensor("input"), call.small_integer("num_groups", 1),
                                 call.optional_tensor("weight"), call.optional_tensor("bias")));
}

TorchValue layer_norm(TorchCall& call) {
  return result(normalize_layer(call, call.tensor("input"),
                                static_cast<int>(call.integers("normalized_shape").size()),
                                call.optional_tensor("weight"), call.optional_tensor("bias")));
}

// ---- Layers ----

TorchValue batch_layer(TorchCall& call) {
  return result(normalize_batch(call, call.tensor("input"), call.optional_weight("weight"),
                                call.optional_weight("bias"), call.weight("running_mean"),
                                call.weight("running_var")));
}

TorchValue instance_layer(TorchCall& call) {
  const TensorId x = call.tensor("input");
  const TensorId scale = call.optional_weight("weight");
  const TensorId bias = call.optional_weight("bias");
  if (call.flag("track_running_stats"))
    return result(normalize_batch(call, x, scale, bias, call.weight("running_mean"),
                                  call.weight("running_var")));
  // Before PyTorch 0.4 files had statistics that nothing reads.
  if (!call.has_weight("num_batches_tracked"))
    for (const char* part : {"running_mean", "running_var"}) call.ignore_weight(part);
  return result(normalize_groups(call, x, channels_of(call, x), scale, bias));
}

TorchValue group_layer(TorchCall& call) {
  return result(normalize_groups(call, call.tensor("input"), call.small_integer("num_groups", 1),
                                 call.optional_weight("weight"), call.optional_weight("bias")));
}

// Over as many axes as the weights have, or as the description says.
TorchValue layer_layer(TorchCall& call) {
  const TensorId scale = call.optional_weight("weight");
  int axes = 1;
  if (scale != kAbsent) axes = call.rank(scale);
  if (call.given("normalized_shape"))
    axes = static_cast<int>(call.integers("normalized_shape").size());
  return result(
      normalize_layer(call, call.tensor("input"), axes, scale, call.optional_weight("bias")));
}

constexpr TorchFunction kRows[] = {
    {"batch_norm",
     "input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled=True",
     batch_norm},
    {"group_norm", "input, num_groups, weight=None, bias=None, eps=1e-05, cudnn_enabled=True",
     group_norm},
    {"instance_norm",
     "input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, "
     "cudnn_enabled=True",
     instance_norm},
    {"layer_norm", "input, normalized_shape, weight=None, bias=None, eps=1e-05, cudnn_enable=True",
     layer_norm},
};

constexpr char kBatch[] =
    "input, num_features=None, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True";
constexpr char kInstance[] =
    "input, num_features=None, eps=1e-05, momentum=0.1, affine=False, track_running_stats=False";

constexpr TorchFunction kLayers[] = {
    {"BatchNorm1d", kBatch, batch_layer},
    {"BatchNorm2d", kBatch, batch_layer},
    {"GroupNorm", "input, num_groups, num_channels=None, eps=1e-05, affine=True", group_layer},
    {"InstanceNorm1d", kInstance, instance_layer},
    {"InstanceNorm2d", kInstance, instance_layer},
    {"LayerNorm", "input, normalized_shape=None, eps=1e-05, elementwise_affine=True, bias=True",
     layer_layer},
};

}  // namespace

const std::span<const TorchFunction> kTorchNormalization = kRows;
const std::span<const TorchFunction> kTorchNormalizationLayers = kLayers;

}  // namespace figment::converter
