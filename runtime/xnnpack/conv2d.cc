// Convolutions: on XNNPACK's indirect matrix products and depthwise kernels, or another way.
#include <algorithm>

#include "runtime/xnnpack/kernel.h"
#include "runtime/xnnpack/packed_weights.h"
#include "runtime/xnnpack/ways.h"
#include "runtime/xnnpack/with_workspace.h"

namespace figment::xnnpack {
namespace {

// XNNPACK's products beside those of ways.h.
constexpr double kDirectCost = 1.2;
// Each pixel that a tap reads is looked up.
constexpr double kLookUpCost = 5;

bool accepts_direct(const Operation& operation) { return has_packable_weights(operation); }

// [outputs, height, width, inputs] as float32, lent by the arena where it is not so already.
const float* wide_kernel(const Tensor& kernel, Arena& arena) {
  if (kernel.type != DataType::kInt8) return widen(kernel, arena);
  const std::int64_t count = kernel.elements();
  auto* wide = static_cast<float*>(arena.borrow(static_cast<std::size_t>(count) * sizeof(float)));
  if (wide != nullptr)
    for (std::int64_t i = 0; i < count; ++i)
      wide[i] = weight_at(kernel, i, i / (count / kernel.shape[0]));
  return wide;
}

Status create_direct(const Operation& operation, Build& build) {
  const auto& options = operation.as<format::Conv2D>();
  const Tensor& input = operation.in(0);
  const Tensor& kernel =
      operation.in(1);  // [outputs, kernel_height, kernel_width, inputs of a group]
  const Limits limits = fuse_limits(build);
  // XNNPACK has kernels of their own for depthwise convolutions, which always pack.
  const bool looks_up = options.groups() == 1 && kernel.shape[3] > 1;
  const float* weights =
      looks_up && build.packed.from_file() ? kernel.floats() : wide_kernel(kernel, build.arena);
  if (weights == nullptr) return backend_error({"the arena is full"});
  const auto number = [](std::int32_t value) { return static_cast<std::uint32_t>(value); };
  xnn_operator_t convolution = nullptr;
  const auto create = [&] {
    return xnn_create_convolution2d_nhwc_f32(
        number(options.pad_top()), number(options.pad_right()), number(options.pad_bottom()),
        number(options.pad_left()), number(kernel.shape[1]), number(kernel.shape[2]),
        number(options.stride_height()), number(options.stride_width()),
        number(options.dilation_height()), number(options.dilation_width()),
        number(options.groups()), extent(kernel, 3),
        extent(kernel, 0) / static_cast<std::size_t>(options.groups()), extent(input, 3),
        extent(kernel, 0), weights, bias_of(operation, 2), limits.low, limits.high,
        /*flags=*/0, nullptr, looks_up ? build.packed.cache() : nullptr, &convolution);
  };
  const xnn_status created = build.packed.create_operator(create);
  build.arena.give_back();
  FIG_TRY(status_of_created(created, convolution, "Conv2D"));
  build.state = convolution;
  std::size_t bytes = 0;
  std::size_t alignment = 0;
  FIG_TRY(status_of(xnn_reshape_convolution2d_nhwc_f32(
                        convolution, extent(input, 0), extent(input, 1), extent(input, 2), &bytes,
                        &alignment, nullptr, nullptr, operation.threads),
                    "Conv2D"));
  return take_workspace(bytes, alignment, build);
}

bool bind_direct(const Operation& operation, void* state) {
  return xnn_setup_convolution2d_nhwc_f32(operator_in(state), operation.scratch,
                                          operation.in(0).floats(),
                                          operation.out().floats()) == xnn_status_success;
}

Cost cost_direct(const Operation& operation) {
  const Shape& kernel = operation.in(1).shape;
  const Shape& out = operation.out().shape;
  const auto groups = static_cast<double>(operation.as<format::Conv2D>().groups());
  const double taps = static_cast<double>(kernel[1]) * kernel[2];
  const double pixels = static_cast<double>(out[0]) * out[1] * out[2];
  return std::max(groups * kDirectCost * product_cost(pixels, kernel[0] / groups, taps * kernel[3]),
                  weights_cost(taps * kernel[0] * kernel[3] * sizeof(float))) +
         kLookUpCost * groups * pixels * taps;
}

constexpr const Way* kWays[] = {&kDirectConv2D,      &kSmallWinograd,     &kLargeWinograd,
                                &kSmallWinogradInt8, &kLargeWinogradInt8, &kColumnsWay,
                                &kWindowsWay};

bool accepts(const Operation& operation) { return any_way_accepts(kWays, operation); }

Status create(const Operation& operation, Build& build) {
  return create_best(kWays, operation, build);
}

}  // namespace

const Way kDirectConv2D{
    "xnnpack", {accepts_direct, create_direct, bind_direct, run_operator}, cost_direct};

extern const FastRoom kConv2D;
const FastRoom kConv2D{accepts, create, bind_way, run_way};

}  // namespace figment::xnnpack
