// Transposed convolutions: on XNNPACK's own operator, or another way.
#include <algorithm>

#include "runtime/xnnpack/kernel.h"
#include "runtime/xnnpack/ways.h"

namespace figment::xnnpack {
namespace {

// XNNPACK's own operator beside the products of ways.h: at its best, with its one-row kernel, which
// it takes for strides at batch 1, where two vectors of outputs are not filled, and with the
// kernels for a few outputs and for one. Besides, each pixel that a tap reads is looked up.
constexpr double kDirectCost = 1.2;
constexpr double kOneRowCost = 3.5;
constexpr double kUnfilledCost = 2.6;
constexpr double kOneOutputCost = 0.65;
constexpr int kFewOutputs = 8;
constexpr double kLookUpCost = 50;

bool accepts_direct(const Operation& operation) { return has_packable_weights(operation); }

// The weights in XNNPACK's order, [groups, outputs, kernel_height, kernel_width, inputs], in memory
// lent by the arena.
const float* turn_weights(const Tensor& weights, Arena& arena) {
  const std::size_t groups = extent(weights, 0);
  const std::size_t taps = extent(weights, 1) * extent(weights, 2);
  const std::size_t outputs = extent(weights, 3);
  const std::size_t inputs = extent(weights, 4);
  auto* turned = static_cast<float*>(
      arena.borrow(static_cast<std::size_t>(weights.elements()) * sizeof(float)));
  if (turned == nullptr) return nullptr;
  for (std::size_t group = 0; group < groups; ++group)
    for (std::size_t tap = 0; tap < taps; ++tap)
      for (std::size_t output = 0; output < outputs; ++output)
        for (std::size_t input = 0; input < inputs; ++input) {
          const std::size_t from = ((group * taps + tap) * outputs + output) * inputs + input;
          turned[((group * outputs + output) * taps + tap) * inputs + input] =
              weight_at(weights, static_cast<std::int64_t>(from),
                        static_cast<std::int64_t>(group * outputs + output));
        }
  return turned;
}

Status create_direct(const Operation& operation, Build& build) {
  const auto& options = operation.as<format::ConvTranspose2D>();
  const Tensor& input = operation.in(0);
  const Tensor& weights = operation.in(1);
  const auto number = [](std::int32_t value) { return static_cast<std::uint32_t>(value); };
  const Limits limits = fuse_limits(build);
  const float* turned = turn_weights(weights, build.arena);
  if (turned == nullptr) return backend_error({"the arena is full"});
  xnn_operator_t direct = nullptr;
  const xnn_status status = xnn_create_deconvolution2d_nhwc_f32(
      number(options.pad_top()), number(options.pad_right()), number(options.pad_bottom()),
      number(options.pad_left()), number(weights.shape[1]), number(weights.shape[2]),
      number(options.stride_height()), number(options.stride_width()),
      number(options.dilation_height()), number(options.dilation_width()), number(options.groups()),
      extent(weights, 4), extent(weights, 3), extent(input, 3), extent(operation.out(), 3), turned,
      bias_of(operation, 2), limits.low, limits.high, /*flags=*/0, nullptr, nullptr, &direct);
  build.arena.give_back();
  FIG_TRY(status_of_created(status, direct, "ConvTranspose2D"));
  build.state = direct;
  return status_of(xnn_reshape_deconvolution2d_nhwc_f32(
                       direct, extent(input, 0), extent(input, 1), extent(input, 2),
                       number(options.output_padding_height()),
                       number(options.output_padding_width()), nullptr, nullptr, operation.threads),
                   "ConvTranspose2D");
}

bool bind_direct(const Operation& operation, void* state) {
  return xnn_setup_deconvolution2d_nhwc_f32(operator_in(state), operation.in(0).floats(),
                                            operation.out().floats()) == xnn_status_success;
}

Cost cost_direct(const Operation& operation) {
  const auto& options = operation.as<format::ConvTranspose2D>();
  const Shape& in = operation.in(0).shape;
  const Shape& weights = operation.in(1).shape;  // [groups, height, width, outputs, inputs]
  const double groups = weights[0];
  const double reads =
      static_cast<double>(in[0]) * in[1] * in[2] * static_cast<double>(weights[1]) * weights[2];
  const bool strides = options.stride_height() > 1 || options.stride_width() > 1;
  const int pair = 2 * simd::kernels().lanes;
  int outputs = weights[3];
  double factor = kDirectCost;
  if (outputs == 1) {
    factor = kOneOutputCost;
  } else if (outputs >= kFewOutputs && outputs < pair) {
    outputs = pair;
    factor = kUnfilledCost;
  } else if (outputs >= pair && strides && in[0] == 1) {
    factor = kOneRowCost;
  }
  return groups * (std::max(factor * product_cost(reads, outputs, weights[4]),
                            weights_cost(static_cast<double>(weights[1]) * weights[2] * weights[3] *
                                         weights[4] * sizeof(float))) +
                   kLookUpCost * reads);
}

constexpr const Way* kWays[] = {&kDenseConvTranspose2D, &kColumnsWay,           &kPhasesWay,
                                &kSmallWinograd,        &kLargeWinograd,        &kSmallWinogradInt8,
                                &kLargeWinogradInt8,    &kDirectConvTranspose2D};

bool accepts(const Operation& operation) { return any_way_accepts(kWays, operation); }

Status create(const Operation& operation, Build& build) {
  return create_best(kWays, operation, build);
}

}  // namespace

const Way kDirectConvTranspose2D{
    "xnnpack", {accepts_direct, create_direct, bind_direct, run_operator}, cost_direct};

extern const FastRoom kConvTranspose2D;
const FastRoom kConvTranspose2D{accepts, create, bind_way, run_way};

}  // namespace figment::xnnpack
