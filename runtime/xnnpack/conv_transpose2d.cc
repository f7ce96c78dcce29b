// Transposed convolutions: as a matrix product and col2im, as one product alone, or on XNNPACK's
// own operator.
#include <algorithm>

#include "runtime/xnnpack/columns.h"

namespace figment::xnnpack {
namespace {

// How a transposed convolution runs. The one place that chooses.
enum class Way : std::uint8_t {
  kDense,    // one input pixel, every output pixel met once: the product is the picture
  kColumns,  // product and col2im
  kNative,   // XNNPACK's own operator: groups
};

struct State {
  Way way;
  xnn_operator_t whole;  // kDense, kNative
  Columns columns;       // kColumns
};

Way way_of(const Operation& operation) {
  const auto& options = operation.as<format::ConvTranspose2D>();
  if (options.groups() != 1) return Way::kNative;
  const Shape& in = operation.in(0).shape;
  const Shape& out = operation.out().shape;
  const Shape& weights = operation.in(1).shape;
  const bool one_pixel = in[1] == 1 && in[2] == 1 && out[1] == weights[1] && out[2] == weights[2];
  const bool plain = options.pad_top() == 0 && options.pad_left() == 0 &&
                     options.dilation_height() == 1 && options.dilation_width() == 1;
  return one_pixel && plain ? Way::kDense : Way::kColumns;
}

bool accepts(const Operation& operation) {
  return packable(operation.in(1)) && (!operation.has(2) || operation.in(2).constant);
}

Status create_dense(const Operation& operation, Build& build, xnn_operator_t& product) {
  const Shape& weights =
      operation.in(1).shape;  // [1, kernel_height, kernel_width, outputs, inputs]
  const std::size_t taps =
      static_cast<std::size_t>(weights[1]) * static_cast<std::size_t>(weights[2]);
  const std::size_t channels = extent(operation.in(1), 3);
  const Limits limits = fuse_limits(build);
  // The product has a bias an output of its own: the channel's, once for every tap.
  float* bias = nullptr;
  if (operation.has(2)) {
    bias = build.arena.allocate_array<float>(taps * channels);
    if (bias == nullptr) return backend_error({"the arena is full"});
    for (std::size_t tap = 0; tap < taps; ++tap)
      std::copy_n(operation.in(2).floats(), channels, bias + tap * channels);
  }
  const float* wide = widen(operation.in(1), build.arena);
  if (wide == nullptr) return backend_error({"the arena is full"});
  build.lowering = "xnnpack gemm";
  const Status status = create_matrix_product(
      {taps * channels, extent(operation.in(1), 4), taps * channels}, wide, bias, limits, product);
  build.arena.give_back();
  FIG_TRY(status);
  return status_of(
      xnn_reshape_fully_connected_nc_f32(product, extent(operation.in(0), 0), operation.threads),
      "ConvTranspose2D");
}

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
  const bool half = weights.type == DataType::kFloat16;
  const auto* narrow = static_cast<const std::uint16_t*>(weights.data);
  for (std::size_t group = 0; group < groups; ++group)
    for (std::size_t tap = 0; tap < taps; ++tap)
      for (std::size_t output = 0; output < outputs; ++output)
        for (std::size_t input = 0; input < inputs; ++input) {
          const std::size_t from = ((group * taps + tap) * outputs + output) * inputs + input;
          turned[((group * outputs + output) * taps + tap) * inputs + input] =
              half ? math::widen_half(narrow[from]) : weights.floats()[from];
        }
  return turned;
}

Status create_native(const Operation& operation, Build& build, xnn_operator_t& native) {
  const auto& options = operation.as<format::ConvTranspose2D>();
  const Tensor& input = operation.in(0);
  const Tensor& weights = operation.in(1);
  const auto number = [](std::int32_t value) { return static_cast<std::uint32_t>(value); };
  const Limits limits = fuse_limits(build);
  const float* turned = turn_weights(weights, build.arena);
  if (turned == nullptr) return backend_error({"the arena is full"});
  const xnn_status status = xnn_create_deconvolution2d_nhwc_f32(
      number(options.pad_top()), number(options.pad_right()), number(options.pad_bottom()),
      number(options.pad_left()), number(weights.shape[1]), number(weights.shape[2]),
      number(options.stride_height()), number(options.stride_width()),
      number(options.dilation_height()), number(options.dilation_width()), number(options.groups()),
      extent(weights, 4), extent(weights, 3), extent(input, 3), extent(operation.out(), 3), turned,
      bias_of(operation, 2), limits.low, limits.high, /*flags=*/0, nullptr, nullptr, &native);
  build.arena.give_back();
  FIG_TRY(status_of_created(status, native, "ConvTranspose2D"));
  return status_of(xnn_reshape_deconvolution2d_nhwc_f32(
                       native, extent(input, 0), extent(input, 1), extent(input, 2),
                       number(options.output_padding_height()),
                       number(options.output_padding_width()), nullptr, nullptr, operation.threads),
                   "ConvTranspose2D");
}

Status create(const Operation& operation, Build& build) {
  State* state = build.arena.allocate_array<State>(1);
  if (state == nullptr) return backend_error({"the arena is full"});
  *state = State{way_of(operation), nullptr, {}};
  build.state = state;
  switch (state->way) {
    case Way::kDense:
      return create_dense(operation, build, state->whole);
    case Way::kColumns:
      return create_columns(operation, build, state->columns);
    case Way::kNative:
      return create_native(operation, build, state->whole);
  }
  return {};
}

bool bind(const Operation& operation, void* memory) {
  const State& state = *static_cast<State*>(memory);
  const float* x = operation.in(0).floats();
  float* y = operation.out().floats();
  switch (state.way) {
    case Way::kDense:
      return xnn_setup_fully_connected_nc_f32(state.whole, x, y) == xnn_status_success;
    case Way::kNative:
      return xnn_setup_deconvolution2d_nhwc_f32(state.whole, x, y) == xnn_status_success;
    case Way::kColumns:
      break;  // its products are bound as they run
  }
  return true;
}

bool run(const Operation& operation, void* memory) {
  const State& state = *static_cast<State*>(memory);
  return state.way == Way::kColumns ? run_columns(operation, state.columns)
                                    : run_operator(operation, state.whole);
}

}  // namespace

extern const FastRoom kConvTranspose2D;
const FastRoom kConvTranspose2D{accepts, create, bind, run};

}  // namespace figment::xnnpack
