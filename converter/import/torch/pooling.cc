// Pools over windows and over whole pictures.
#include "converter/import/spatial.h"
#include "converter/import/torch/call.h"

namespace figment::converter {
namespace {

using format::PoolFunction;
using format::ReduceFunction;

TorchValue result(TensorId id) { return TorchValue::of_tensor(id); }

TensorId emit_pool(TorchCall& call, TensorId x, format::Pool2DT options,
                   const SlidingWindow& window) {
  options.kernel_height = window.kernel[0];
  options.kernel_width = window.kernel[1];
  set_window(options, window);
  return from_picture(call, call.emit(options, {to_picture(call, x)}), spatial_rank(call, x));
}

template <PoolFunction kFunction>
TorchValue pool(TorchCall& call) {
  const TensorId x = call.tensor("input");
  const int axes = spatial_rank(call, x);
  SlidingWindow window;
  call.per_axis("kernel_size", axes, window.kernel, 1);
  // Left out (or an empty list), the stride is the kernel.
  const TorchValue& stride = call.argument("stride");
  const bool as_kernel =
      !call.given("stride") || (stride.is(TorchValue::Kind::kList) && stride.items.empty());
  call.per_axis(as_kernel ? "kernel_size" : "stride", axes, window.stride, 1);
  call.per_axis("padding", axes, window.before);
  for (int axis = 0; axis < 2; ++axis) window.after[axis] = window.before[axis];
  format::Pool2DT options;
  options.function = kFunction;
  options.ceil_mode = call.flag("ceil_mode");
  if (kFunction == PoolFunction::Max) {
    call.per_axis("dilation", axes, window.dilation, 1);
    if (call.given("return_indices") && call.flag("return_indices"))
      call.refuse("its indices are not supported; leave return_indices=False");
  } else {
    options.count_include_pad = call.flag("count_include_pad");
    if (call.given("divisor_override")) call.refuse("divisor_override is not supported");
  }
  return result(emit_pool(call, x, options, window));
}

template <PoolFunction kFunction>
TorchValue adaptive(TorchCall& call) {
  const TensorId x = call.tensor("input");
  const int axes = spatial_rank(call, x);
  const TorchValue& sizes = call.argument("output_size");
  SlidingWindow window;
  bool whole = true;
  for (int axis = 0; axis < axes; ++axis) {
    const TorchValue& size = sizes.is(TorchValue::Kind::kList) && !sizes.items.empty()
                                 ? sizes.items[std::min<std::size_t>(static_cast<std::size_t>(axis),
                                                                     sizes.items.size() - 1)]
                                 : sizes;
    const std::int64_t extent = call.shape(x)[2 + axis];
    // None: as the input has it.
    const std::int64_t wanted = size.is(TorchValue::Kind::kInteger) ? size.integer : extent;
    if (wanted < 1 || extent % wanted != 0)
      call.refuse("it would pool " + std::to_string(extent) + " pixels to " +
                  std::to_string(wanted) + ", which does not divide them; give windows by a pool");
    whole = whole && wanted == 1;
    window.kernel[2 - axes + axis] = window.stride[2 - axes + axis] =
        static_cast<int>(extent / wanted);
  }
  if (whole) {
    format::ReduceT options;
    options.function = kFunction == PoolFunction::Max ? ReduceFunction::Max : ReduceFunction::Mean;
    options.keep_axes = true;
    options.axes = spatial_axes(call, x);
    return result(call.emit(std::move(options), {x}));
  }
  format::Pool2DT options;
  options.function = kFunction;
  return result(emit_pool(call, x, options, window));
}

constexpr char kMax[] =
    "input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=None";
constexpr char kMaxLayer[] =
    "input, kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False";
constexpr char kAverage[] =
    "input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, "
    "divisor_override=None";

constexpr TorchFunction kRows[] = {
    {"adaptive_avg_pool1d", "input, output_size", adaptive<PoolFunction::Average>},
    {"adaptive_avg_pool2d", "input, output_size", adaptive<PoolFunction::Average>},
    {"adaptive_max_pool2d", "input, output_size", adaptive<PoolFunction::Max>},
    {"avg_pool1d", kAverage, pool<PoolFunction::Average>},
    {"avg_pool2d", kAverage, pool<PoolFunction::Average>},
    {"max_pool1d", kMax, pool<PoolFunction::Max>},
    {"max_pool2d", kMax, pool<PoolFunction::Max>},
};

constexpr TorchFunction kLayers[] = {
    {"AdaptiveAvgPool1d", "input, output_size", adaptive<PoolFunction::Average>},
    {"AdaptiveAvgPool2d", "input, output_size", adaptive<PoolFunction::Average>},
    {"AdaptiveMaxPool2d", "input, output_size", adaptive<PoolFunction::Max>},
    {"AvgPool1d", kAverage, pool<PoolFunction::Average>},
    {"AvgPool2d", kAverage, pool<PoolFunction::Average>},
    {"MaxPool1d", kMaxLayer, pool<PoolFunction::Max>},
    {"MaxPool2d", kMaxLayer, pool<PoolFunction::Max>},
};

}  // namespace

const std::span<const TorchFunction> kTorchPooling = kRows;
const std::span<const TorchFunction> kTorchPoolingLayers = kLayers;

}  // namespace figment::converter
