// Transposed convolutions as a matrix product and col2im; grouped ones on XNNPACK's own operator.
//
// XNNPACK's transposed convolution takes its one-row kernel at batch 1, pads few output channels to
// a full vector and keeps a pointer for every tap of every output pixel. The product of the input's
// pixels [height*width, inputs] with the weights [kernel_height*kernel_width*outputs, inputs] needs
// none of that; col2im then sums the columns that meet in each output pixel. The product runs over
// a few input rows at a time, so that their columns stay in the cache.
#include <pthreadpool.h>

#include <algorithm>

#include "runtime/math/im2col.h"
#include "runtime/ops/unary.h"
#include "runtime/xnnpack/matrix_product.h"

namespace figment::xnnpack {
namespace {

// Columns held at a time, about half of a small core's second-level cache. Measured on DCGAN 64x64.
constexpr std::size_t kColumnBytes = 512 * 1024;

enum class Way : std::uint8_t {
  kDense,    // one input pixel, every output pixel met once: the product is the picture
  kColumns,  // product and col2im
  kNative,   // XNNPACK's own operator
};

struct State {
  Way way;
  xnn_operator_t product;
  math::Window window;
  int tile_rows;                    // input rows in one product
  int slots;                        // input rows whose columns are held
  const format::Unary* activation;  // applied to rows as they are written; null: none
};

math::Window window_of(const Operation& operation) {
  const auto& options = operation.as<format::ConvTranspose2D>();
  const Shape& weights =
      operation.in(1)
          .shape;  // [groups, kernel_height, kernel_width, outputs/groups, inputs/groups]
  return {weights[1],
          weights[2],
          options.stride_height(),
          options.stride_width(),
          options.dilation_height(),
          options.dilation_width(),
          options.pad_top(),
          options.pad_left()};
}

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
  return operation.in(1).constant && (!operation.has(2) || operation.in(2).constant);
}

// Activations that are cheap to apply to a row that is still in the cache without XNNPACK.
bool applies_to_rows(const format::Unary* activation) {
  if (activation == nullptr) return false;
  return activation->function() == format::UnaryFunction::Relu ||
         activation->function() == format::UnaryFunction::LeakyRelu ||
         activation->function() == format::UnaryFunction::Clip;
}

Status create_dense(const Operation& operation, Build& build, State& state) {
  const Shape& weights = operation.in(1).shape;
  const std::size_t taps =
      static_cast<std::size_t>(weights[1]) * static_cast<std::size_t>(weights[2]);
  const std::size_t channels = extent(operation.in(1), 3);
  const Limits limits = fuse_limits(build);
  // The product has one bias an output of its own: the channel's, once for every tap. Kept, for the
  // weights may need the arena's far end.
  float* bias = nullptr;
  if (operation.has(2)) {
    bias = build.arena.allocate_array<float>(taps * channels);
    if (bias == nullptr) return backend_error({"the arena is full"});
    for (std::size_t tap = 0; tap < taps; ++tap)
      std::copy_n(operation.in(2).floats(), channels, bias + tap * channels);
  }
  FIG_TRY(create_matrix_product({operation.in(1), taps * channels, extent(operation.in(1), 4)},
                                bias, limits, build.arena, state.product));
  build.lowering = "xnnpack gemm";
  return status_of(xnn_reshape_fully_connected_nc_f32(state.product, extent(operation.in(0), 0),
                                                      operation.threads),
                   "ConvTranspose2D");
}

Status create_columns(const Operation& operation, Build& build, State& state) {
  const Shape& in = operation.in(0).shape;
  const std::size_t columns =
      static_cast<std::size_t>(operation.in(1).elements()) / extent(operation.in(1), 4);
  const std::size_t row_bytes = extent(operation.in(0), 2) * columns * sizeof(float);
  // An output row reads up to live_rows() input rows; two tiles are held, so the one before must
  // cover all but the newest of them. The tile divides the height, for the product's size is fixed.
  const int live = math::live_rows(state.window, in[1]);
  state.tile_rows = in[1];
  state.slots = in[1];
  for (int rows = 1; rows < in[1]; ++rows) {
    if (in[1] % rows != 0 || rows < live - 1) continue;
    const bool fits = 2 * static_cast<std::size_t>(rows) * row_bytes <= kColumnBytes;
    if (state.tile_rows != in[1] && !fits) break;
    if (static_cast<std::size_t>(in[1]) * row_bytes <= kColumnBytes) break;  // all at once
    state.tile_rows = rows;
    state.slots = 2 * rows;
  }
  build.scratch_bytes = static_cast<std::size_t>(state.slots) * row_bytes;
  build.lowering = "xnnpack gemm + col2im";
  state.activation = applies_to_rows(build.activation) ? build.activation : nullptr;
  build.fused_activation = state.activation != nullptr;
  FIG_TRY(create_matrix_product({operation.in(1), columns, extent(operation.in(1), 4)}, nullptr,
                                Limits{}, build.arena, state.product));
  const std::size_t pixels = static_cast<std::size_t>(state.tile_rows) * extent(operation.in(0), 2);
  return status_of(xnn_reshape_fully_connected_nc_f32(state.product, pixels, operation.threads),
                   "ConvTranspose2D");
}

Status create_native(const Operation& operation, Build& build, State& state) {
  const auto& options = operation.as<format::ConvTranspose2D>();
  const Shape& weights = operation.in(1).shape;
  const std::size_t groups = extent(operation.in(1), 0);
  const std::size_t taps =
      static_cast<std::size_t>(weights[1]) * static_cast<std::size_t>(weights[2]);
  const std::size_t outputs = extent(operation.in(1), 3);
  const std::size_t inputs = extent(operation.in(1), 4);
  // XNNPACK wants [groups, outputs, kernel_height, kernel_width, inputs].
  const auto count = static_cast<std::size_t>(operation.in(1).elements());
  auto* turned = static_cast<float*>(build.arena.borrow(count * sizeof(float)));
  if (turned == nullptr) return backend_error({"the arena is full"});
  const bool half = operation.in(1).type == DataType::kFloat16;
  const auto* narrow = static_cast<const std::uint16_t*>(operation.in(1).data);
  for (std::size_t group = 0; group < groups; ++group)
    for (std::size_t tap = 0; tap < taps; ++tap)
      for (std::size_t output = 0; output < outputs; ++output)
        for (std::size_t input = 0; input < inputs; ++input) {
          const std::size_t from = ((group * taps + tap) * outputs + output) * inputs + input;
          turned[((group * outputs + output) * taps + tap) * inputs + input] =
              half ? math::widen_half(narrow[from]) : operation.in(1).floats()[from];
        }
  const Limits limits = fuse_limits(build);
  const auto number = [](std::int32_t value) { return static_cast<std::uint32_t>(value); };
  const xnn_status status = xnn_create_deconvolution2d_nhwc_f32(
      number(options.pad_top()), number(options.pad_right()), number(options.pad_bottom()),
      number(options.pad_left()), number(weights[1]), number(weights[2]),
      number(options.stride_height()), number(options.stride_width()),
      number(options.dilation_height()), number(options.dilation_width()), number(options.groups()),
      inputs, outputs, groups * inputs, groups * outputs, turned, bias_of(operation, 2), limits.low,
      limits.high, /*flags=*/0, nullptr, nullptr, &state.product);
  build.arena.give_back();
  FIG_TRY(status_of(status, "ConvTranspose2D"));
  const Tensor& input = operation.in(0);
  return status_of(xnn_reshape_deconvolution2d_nhwc_f32(
                       state.product, extent(input, 0), extent(input, 1), extent(input, 2),
                       number(options.output_padding_height()),
                       number(options.output_padding_width()), nullptr, nullptr, operation.threads),
                   "ConvTranspose2D");
}

Status create(const Operation& operation, Build& build) {
  State* state = build.arena.allocate_array<State>(1);
  if (state == nullptr) return backend_error({"the arena is full"});
  *state = State{way_of(operation), nullptr, window_of(operation), 0, 0, nullptr};
  build.state = state;
  switch (state->way) {
    case Way::kDense:
      return create_dense(operation, build, *state);
    case Way::kColumns:
      return create_columns(operation, build, *state);
    case Way::kNative:
      return create_native(operation, build, *state);
  }
  return {};
}

bool bind(const Operation& operation, void* memory) {
  const State& state = *static_cast<State*>(memory);
  const float* x = operation.in(0).floats();
  float* y = operation.out().floats();
  switch (state.way) {
    case Way::kDense:
      return xnn_setup_fully_connected_nc_f32(state.product, x, y) == xnn_status_success;
    case Way::kNative:
      return xnn_setup_deconvolution2d_nhwc_f32(state.product, x, y) == xnn_status_success;
    case Way::kColumns:
      break;  // bound tile by tile as it runs
  }
  return true;
}

// Output rows of one picture, shared between threads.
struct RowTask {
  const State& state;
  math::Columns columns;
  const float* bias;
  int first;      // the output row of index 0
  float* output;  // the whole picture
  int output_width;
};

void write_rows(void* context, std::size_t start, std::size_t count) {
  const RowTask& task = *static_cast<const RowTask*>(context);
  const int first = task.first + static_cast<int>(start);
  const std::int64_t row_floats = std::int64_t{task.output_width} * task.columns.channels;
  for (int y = first; y < first + static_cast<int>(count); ++y) {
    float* row = task.output + y * row_floats;
    math::col2im(task.state.window, task.columns, task.bias, y, y + 1, task.output_width, row,
                 task.columns.channels);
    if (const format::Unary* unary = task.state.activation; unary != nullptr)
      ops::apply_unary(unary->function(), unary->alpha(), unary->beta(), row, row, row_floats);
  }
}

bool run_columns(const Operation& operation, const State& state) {
  const Shape& in = operation.in(0).shape;
  const Shape& out = operation.out().shape;
  const std::int64_t in_row = std::int64_t{in[2]} * in[3];
  auto* columns = reinterpret_cast<float*>(operation.scratch);
  const std::int64_t slot_floats =
      std::int64_t{in[2]} * state.window.kernel_height * state.window.kernel_width * out[3];
  for (int picture = 0; picture < in[0]; ++picture) {
    const float* x = operation.in(0).floats() + picture * in[1] * in_row;
    RowTask task{state,
                 {columns, in[1], in[2], out[3], 0, state.slots},
                 bias_of(operation, 2),
                 0,
                 operation.out().floats() + std::int64_t{picture} * out[1] * out[2] * out[3],
                 out[2]};
    for (int row = 0; row < in[1]; row += state.tile_rows) {
      if (xnn_setup_fully_connected_nc_f32(state.product, x + row * in_row,
                                           columns + row % state.slots * slot_floats) !=
              xnn_status_success ||
          xnn_run_operator(state.product, operation.threads) != xnn_status_success)
        return false;
      // Every output row whose last input row has its columns now.
      const int rows_ready = row + state.tile_rows;
      int last = task.first;
      while (last < out[1] && (rows_ready == in[1] ||
                               math::input_rows_of(state.window, last, in[1]).last <= rows_ready))
        ++last;
      const auto ready = static_cast<std::size_t>(last - task.first);
      pthreadpool_parallelize_1d_tile_1d(operation.threads, write_rows, &task, ready, /*tile=*/4,
                                         /*flags=*/0);
      task.first = last;
    }
  }
  return true;
}

bool run(const Operation& operation, void* memory) {
  const State& state = *static_cast<State*>(memory);
  return state.way == Way::kColumns ? run_columns(operation, state)
                                    : run_operator(operation, state.product);
}

}  // namespace

extern const FastRoom kConvTranspose2D;
const FastRoom kConvTranspose2D{accepts, create, bind, run};

}  // namespace figment::xnnpack
