// Convolutions and transposed convolutions of signals and pictures.
#include "converter/import/spatial.h"
#include "converter/import/torch/call.h"
#include "converter/import/torch/padding.h"

namespace figment::converter {
namespace {

using Kind = TorchValue::Kind;

// Padding by name: none, or so much that the output is as large as the input.
void read_padding(TorchCall& call, int axes, SlidingWindow& window) {
  if (call.argument("padding").is(Kind::kText)) {
    const std::string name = call.text("padding");
    if (name != "same" && name != "valid")
      call.refuse("its padding '" + name + "' is unknown; use numbers, 'same' or 'valid'");
    for (int axis = 2 - axes; axis < 2 && name == "same"; ++axis) {
      const int total = call.checked_int(window.span(axis) - 1, "padding");
      window.before[axis] = total / 2;
      window.after[axis] = total - total / 2;
    }
    return;
  }
  call.per_axis("padding", axes, window.before);
  for (int axis = 0; axis < 2; ++axis) window.after[axis] = window.before[axis];
}

// x [N,C,H,W], weights [outputs, C/groups, kh, kw], or transposed [C, outputs/groups, kh, kw]; bias
// [outputs] or absent.
TensorId convolve(TorchCall& call, TensorId x, TensorId weights, TensorId bias, bool transposed,
                  const std::string& padding_mode = "zeros") {
  const int axes = spatial_rank(call, x);
  SlidingWindow window;
  const std::vector<std::int64_t> kernel = kernel_of(call, weights, axes);
  for (int axis = 0; axis < axes; ++axis)
    window.kernel[2 - axes + axis] =
        call.checked_int(kernel[static_cast<std::size_t>(axis)], "kernel", 1);
  call.per_axis("stride", axes, window.stride, 1);
  call.per_axis("dilation", axes, window.dilation, 1);
  read_padding(call, axes, window);
  const int groups = call.small_integer("groups", 1);
  const int channels = call.shape(x)[1];
  const int expected = call.shape(weights)[transposed ? 0 : 1];
  call.require(expected * std::int64_t{transposed ? 1 : groups} == channels, weights,
               "its input has " + std::to_string(channels) + " channels" +
                   (groups > 1 ? " in " + std::to_string(groups) + " groups" : ""));
  const std::int64_t outputs =
      transposed ? std::int64_t{call.shape(weights)[1]} * groups : call.shape(weights)[0];
  if (bias != kAbsent)
    call.require(call.shape(bias).elements() == outputs, bias,
                 "it has " + std::to_string(outputs) + " outputs");
  if (padding_mode != "zeros") {
    if (transposed) call.refuse("padding_mode is 'zeros' in transposed convolutions");
    x = pad_spatially(call, x, window, padding_mode);
    for (int axis = 0; axis < 2; ++axis) window.before[axis] = window.after[axis] = 0;
  }
  const TensorId picture = to_picture(call, x);
  if (!transposed) {
    format::Conv2DT options;
    options.groups = groups;
    set_window(options, window);
    return from_picture(call, call.emit(options, {picture, to_picture(call, weights), bias}), axes);
  }
  format::ConvTranspose2DT options;
  options.groups = groups;
  set_window(options, window);
  int more[2] = {0, 0};
  call.per_axis("output_padding", axes, more);
  options.output_padding_height = more[0];
  options.output_padding_width = more[1];
  const TensorId turned = transposed_weights(call, weights, groups);
  return from_picture(call, call.emit(options, {picture, turned, bias}), axes);
}

TorchValue convolution(TorchCall& call) {
  return TorchValue::of_tensor(convolve(call, call.tensor("input"), call.tensor("weight"),
                                        call.optional_tensor("bias"), call.flag("transposed")));
}

template <bool kTransposed>
TorchValue plain(TorchCall& call) {
  return TorchValue::of_tensor(convolve(call, call.tensor("input"), call.tensor("weight"),
                                        call.optional_tensor("bias"), kTransposed));
}

template <bool kTransposed, int kAxes>
TorchValue layer(TorchCall& call) {
  const TensorId x = call.tensor("input");
  if (call.rank(x) != kAxes + 2)
    call.refuse("its input has shape " + describe(call.shape(x)) + ", but must be " +
                (kAxes == 1 ? "N,C,L" : "N,C,H,W"));
  const TensorId weights = call.weight("weight", kTransposed ? 1 : 0);
  return TorchValue::of_tensor(convolve(call, x, weights, call.optional_weight("bias"), kTransposed,
                                        kTransposed ? "zeros" : call.text("padding_mode")));
}

constexpr TorchFunction kRows[] = {
    {"_convolution",
     "input, weight, bias, stride, padding, dilation, transposed, output_padding, groups, "
     "benchmark=False, deterministic=False, cudnn_enabled=True, allow_tf32=True",
     convolution},
    {"_convolution_mode", "input, weight, bias, stride, padding, dilation, groups", plain<false>},
    {"convolution",
     "input, weight, bias, stride, padding, dilation, transposed, output_padding, groups",
     convolution},
    {"conv1d", "input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1", plain<false>},
    {"conv2d", "input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1", plain<false>},
    {"conv_transpose1d",
     "input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1",
     plain<true>},
    {"conv_transpose2d",
     "input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1",
     plain<true>},
};

constexpr char kConvolution[] =
    "input, in_channels=None, out_channels=None, kernel_size=None, stride=1, padding=0, "
    "dilation=1, "
    "groups=1, bias=True, padding_mode='zeros'";
constexpr char kTransposed[] =
    "input, in_channels=None, out_channels=None, kernel_size=None, stride=1, padding=0, "
    "output_padding=0, groups=1, bias=True, dilation=1";

constexpr TorchFunction kLayers[] = {
    {"Conv1d", kConvolution, layer<false, 1>},
    {"Conv2d", kConvolution, layer<false, 2>},
    {"ConvTranspose1d", kTransposed, layer<true, 1>},
    {"ConvTranspose2d", kTransposed, layer<true, 2>},
};

}  // namespace

const std::span<const TorchFunction> kTorchConvolution = kRows;
const std::span<const TorchFunction> kTorchConvolutionLayers = kLayers;

}  // namespace figment::converter
