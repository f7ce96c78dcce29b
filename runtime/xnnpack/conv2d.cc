// Convolutions on XNNPACK's indirect matrix products and depthwise kernels.
#include "runtime/xnnpack/with_workspace.h"

namespace figment::xnnpack {
namespace {

bool accepts(const Operation& operation) {
  return packable(operation.in(1)) && (!operation.has(2) || operation.in(2).constant);
}

Status create(const Operation& operation, Build& build) {
  const auto& options = operation.as<format::Conv2D>();
  const Tensor& input = operation.in(0);
  const Tensor& kernel =
      operation.in(1);  // [outputs, kernel_height, kernel_width, inputs of a group]
  const Limits limits = fuse_limits(build);
  const float* weights = widen(kernel, build.arena);
  if (weights == nullptr) return backend_error({"the arena is full"});
  const auto number = [](std::int32_t value) { return static_cast<std::uint32_t>(value); };
  xnn_operator_t convolution = nullptr;
  const xnn_status created = xnn_create_convolution2d_nhwc_f32(
      number(options.pad_top()), number(options.pad_right()), number(options.pad_bottom()),
      number(options.pad_left()), number(kernel.shape[1]), number(kernel.shape[2]),
      number(options.stride_height()), number(options.stride_width()),
      number(options.dilation_height()), number(options.dilation_width()), number(options.groups()),
      extent(kernel, 3), extent(kernel, 0) / static_cast<std::size_t>(options.groups()),
      extent(input, 3), extent(kernel, 0), weights, bias_of(operation, 2), limits.low, limits.high,
      /*flags=*/0, nullptr, nullptr, &convolution);
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

bool bind(const Operation& operation, void* state) {
  return xnn_setup_convolution2d_nhwc_f32(operator_in(state), operation.scratch,
                                          operation.in(0).floats(),
                                          operation.out().floats()) == xnn_status_success;
}

}  // namespace

extern const FastRoom kConv2D;
const FastRoom kConv2D{accepts, create, bind, run_operator};

}  // namespace figment::xnnpack
