// A transposed convolution with int8 weights by its phases: each of the stride * stride pixels that
// an input pixel spreads to reads the input through other taps. The pixels are quantized once, as
// the definition has it; products with the taps of a row of phases are added up before they leave
// the registers, and writing them interleaves the rows.
#include <pthreadpool.h>

#include <algorithm>
#include <cstring>

#include "runtime/xnnpack/kernel.h"
#include "runtime/xnnpack/matrix_product.h"
#include "runtime/xnnpack/ways.h"

namespace figment::xnnpack {
namespace {

// Floats of phases that a thread holds at a time.
constexpr std::int64_t kBlockBytes = 128 * 1024;
constexpr std::int64_t kLeastBlock = 64;  // pixels; fewer would read the weights too often
// What a number costs to be added to those of the taps before, and to be put in its place.
constexpr double kTapCost = 6;
constexpr double kInterleaveCost = 2;

// The taps of a phase are every stride-th of the kernel, `taps` in all. The input's integers stand
// in lines with zeros in front, which stand behind the line before as well, and zero lines above
// and below: pixel p and its neighbours before reach block p of the output, stride x stride pixels.
struct Geometry {
  int kernel_width, stride_height, stride_width;
  int taps_down, taps_across;
  int height, width, inputs, outputs;
  int crop_top, crop_left;   // pixels of the first blocks that are cut off
  std::int64_t blocks_down;  // lines of blocks
  std::int64_t line;         // pixels, and blocks, of a line
  std::int64_t columns() const { return std::int64_t{stride_width} * outputs; }
  std::int64_t lines() const { return blocks_down + taps_down - 1; }
  std::int64_t pixels() const { return lines() * line + taps_across - 1; }
  std::int64_t blocks() const { return blocks_down * line; }
  int taps() const { return taps_down * taps_across; }
};

struct State {
  Geometry geometry;
  MatrixProduct product;                // of the first row of phases and the first tap
  std::int64_t* offsets;                // [taps], pixels
  const std::byte** weights;            // [stride_height, taps]
  std::int64_t block, lanes;            // blocks of the output at a time, side by side
  std::size_t pixel_bytes, lane_bytes;  // of scratch
};

Geometry geometry_of(const Operation& operation) {
  const Kernel kernel = kernel_of(operation);
  const auto& options = operation.as<format::ConvTranspose2D>();
  const Shape& in = operation.in(0).shape;
  const Shape& out = operation.out().shape;
  const auto blocks = [](int pixels, int stride) {
    return (std::int64_t{pixels} + stride - 1) / stride;
  };
  Geometry geometry{kernel.width,
                    options.stride_height(),
                    options.stride_width(),
                    kernel.height / options.stride_height(),
                    kernel.width / options.stride_width(),
                    in[1],
                    in[2],
                    kernel.inputs,
                    kernel.outputs,
                    options.pad_top(),
                    options.pad_left(),
                    blocks(out[1] + options.pad_top(), options.stride_height()),
                    0};
  geometry.line =
      std::max<std::int64_t>(blocks(out[2] + options.pad_left(), options.stride_width()),
                             std::int64_t{in[2]} + geometry.taps_across - 1);
  return geometry;
}

bool accepts(const Operation& operation) {
  if (operation.in(1).type != DataType::kInt8 || !has_packable_weights(operation) ||
      simd::kernels().multiply_taps_int8 == nullptr)
    return false;
  const auto& options = operation.as<format::ConvTranspose2D>();
  if (options.groups() != 1 || options.dilation_height() != 1 || options.dilation_width() != 1)
    return false;
  const Kernel kernel = kernel_of(operation);
  if (kernel.height % options.stride_height() != 0 || kernel.width % options.stride_width() != 0)
    return false;
  // The scratch is another than what the border has bounded.
  const Geometry geometry = geometry_of(operation);
  const auto depth = static_cast<double>(geometry.inputs) + simd::kernels().depth_step;
  const auto most = static_cast<double>(kMaxElements) / 8;
  return static_cast<double>(geometry.pixels()) * depth <= most &&
         static_cast<double>(kLeastBlock * geometry.columns()) <= most;
}

Status create(const Operation& operation, Build& build) {
  State* state = build.arena.allocate_array<State>(1);
  if (state == nullptr) return backend_error({"the arena is full"});
  *state = State{};
  build.state = state;
  state->geometry = geometry_of(operation);
  const Geometry& geometry = state->geometry;
  const auto taps = static_cast<std::size_t>(geometry.taps());
  const auto columns = static_cast<std::size_t>(geometry.columns());
  state->offsets = build.arena.allocate_array<std::int64_t>(taps);
  state->weights = build.arena.allocate_array<const std::byte*>(
      static_cast<std::size_t>(geometry.stride_height) * taps);
  float* biases = build.arena.allocate_array<float>(columns);
  if (state->offsets == nullptr || state->weights == nullptr || biases == nullptr)
    return backend_error({"the arena is full"});
  for (std::size_t at = 0; at < columns; at += extent(operation.out(), 3))
    if (operation.has(2))
      std::copy_n(operation.in(2).floats(), geometry.outputs, biases + at);
    else
      std::fill_n(biases + at, geometry.outputs, 0.0F);

  const Limits limits = fuse_limits(build);
  const auto inputs = static_cast<std::size_t>(geometry.inputs);
  const MatrixProductShape shape{columns, inputs, columns};
  const MatrixWeights weights = matrix_weights(operation.in(1), geometry.outputs, build);
  const std::byte** to = state->weights;
  for (int phase = 0; phase < geometry.stride_height; ++phase)
    for (int down = 0; down < geometry.taps_down; ++down)
      for (int across = 0; across < geometry.taps_across; ++across, ++to) {
        // Kernel columns across * stride and on, for as many phases.
        const std::int64_t first =
            (std::int64_t{down * geometry.stride_height + phase} * geometry.kernel_width +
             across * geometry.stride_width) *
            geometry.outputs;
        MatrixProduct product;
        FIG_TRY(create_matrix_product(shape, weights.from_row(first, inputs),
                                      down + across == 0 ? biases : nullptr, limits, build,
                                      product));
        *to = product.int8.b;
        if (to == state->weights) state->product = product;
        state->offsets[down * geometry.taps_across + across] =
            (geometry.taps_down - 1 - down) * geometry.line + geometry.taps_across - 1 - across;
      }

  state->lanes = 1;
  if (operation.threads != nullptr)
    state->lanes =
        std::min(static_cast<std::int64_t>(pthreadpool_get_threads_count(operation.threads)),
                 (geometry.blocks() + kLeastBlock - 1) / kLeastBlock);
  const std::int64_t column_bytes = geometry.columns() * std::int64_t{sizeof(float)};
  const std::int64_t most = std::max(kBlockBytes / column_bytes, kLeastBlock) * state->lanes;
  const std::int64_t parts = (geometry.blocks() + most - 1) / most * state->lanes;
  state->block = (geometry.blocks() + parts - 1) / parts;
  state->pixel_bytes =
      Arena::round_up(rows_bytes(state->product, static_cast<std::size_t>(geometry.pixels())));
  state->lane_bytes = Arena::round_up(static_cast<std::size_t>(state->block * column_bytes));
  build.scratch_bytes =
      state->pixel_bytes + static_cast<std::size_t>(state->lanes) * state->lane_bytes;
  return {};
}

bool bind(const Operation& /*operation*/, void* /*state*/) { return true; }

// One picture of the batch.
struct Picture {
  const State& state;
  const float* input;
  IntegerRows pixels;
  std::byte* lanes;  // of the scratch
  float* output;
  int output_height, output_width;
};

void write_zeros(const IntegerRows& pixels, std::int64_t first, std::int64_t count) {
  std::memset(pixels.integers + first * pixels.stride, 0,
              static_cast<std::size_t>(count * pixels.stride));
  std::fill_n(pixels.steps + first, count, 0.0F);
  std::fill_n(pixels.least + first, count, 0);
}

void quantize_line(void* context, std::size_t index) {
  const Picture& picture = *static_cast<const Picture*>(context);
  const Geometry& geometry = picture.state.geometry;
  const IntegerRows& pixels = picture.pixels;
  const std::int64_t line = static_cast<std::int64_t>(index);
  const std::int64_t y = line - (geometry.taps_down - 1);
  const std::int64_t begin = line * geometry.line;
  const bool is_last = line + 1 == geometry.lines();
  const std::int64_t end = is_last ? geometry.pixels() : begin + geometry.line;
  if (y < 0 || y >= geometry.height) return write_zeros(pixels, begin, end - begin);
  const std::int64_t first = begin + geometry.taps_across - 1;
  write_zeros(pixels, begin, first - begin);
  picture.state.product.kernels->quantize({picture.input + y * geometry.width * geometry.inputs,
                                           geometry.inputs, pixels.integers + first * pixels.stride,
                                           pixels.stride, pixels.steps + first,
                                           pixels.least + first, geometry.width, geometry.inputs});
  write_zeros(pixels, first + geometry.width, end - first - geometry.width);
}

// Puts one row of phases of `count` blocks from `first` on, [blocks, columns], in its place.
void interleave(const Picture& picture, std::int64_t first, std::int64_t count, int phase,
                const float* columns) {
  const Geometry& geometry = picture.state.geometry;
  const std::int64_t row = std::int64_t{picture.output_width} * geometry.outputs;
  const std::int64_t cropped = std::int64_t{geometry.crop_left} * geometry.outputs;
  for (std::int64_t end = first + count; first < end;) {
    const std::int64_t x = first % geometry.line;
    const std::int64_t y =
        first / geometry.line * geometry.stride_height + phase - geometry.crop_top;
    const std::int64_t blocks = std::min(geometry.line - x, end - first);
    const std::int64_t from = x * geometry.columns() - cropped;
    const std::int64_t begin = std::max<std::int64_t>(from, 0);
    const std::int64_t stop = std::min(from + blocks * geometry.columns(), row);
    if (y >= 0 && y < picture.output_height && begin < stop)
      std::copy_n(columns + (begin - from), stop - begin, picture.output + y * row + begin);
    columns += blocks * geometry.columns();
    first += blocks;
  }
}

// Every lanes-th part of the blocks.
void run_lane(void* context, std::size_t index) {
  const Picture& picture = *static_cast<const Picture*>(context);
  const State& state = picture.state;
  const Geometry& geometry = state.geometry;
  const IntegerRows& pixels = picture.pixels;
  auto* columns = reinterpret_cast<float*>(picture.lanes + index * state.lane_bytes);
  simd::TapsInt8 task{state.product.int8, geometry.taps(), state.offsets, nullptr};
  task.product.a_stride = pixels.stride;
  task.product.c = columns;
  for (std::int64_t first = static_cast<std::int64_t>(index) * state.block;
       first < geometry.blocks(); first += state.block * state.lanes) {
    const std::int64_t count = std::min(state.block, geometry.blocks() - first);
    task.product.a = pixels.integers + first * pixels.stride;
    task.product.steps = pixels.steps + first;
    task.product.least = pixels.least + first;
    task.product.rows = static_cast<int>(count);
    for (int phase = 0; phase < geometry.stride_height; ++phase) {
      task.weights = state.weights + phase * geometry.taps();
      state.product.kernels->multiply_taps_int8(task);
      interleave(picture, first, count, phase, columns);
    }
  }
}

bool run(const Operation& operation, void* memory) {
  const State& state = *static_cast<State*>(memory);
  const Geometry& geometry = state.geometry;
  const Shape& out = operation.out().shape;
  Picture picture{
      state,
      operation.in(0).floats(),
      integer_rows(state.product, static_cast<std::size_t>(geometry.pixels()), operation.scratch),
      operation.scratch + state.pixel_bytes,
      operation.out().floats(),
      out[1],
      out[2]};
  for (int n = 0; n < out[0]; ++n) {
    pthreadpool_parallelize_1d(operation.threads, quantize_line, &picture,
                               static_cast<std::size_t>(geometry.lines()), /*flags=*/0);
    pthreadpool_parallelize_1d(operation.threads, run_lane, &picture,
                               static_cast<std::size_t>(state.lanes), /*flags=*/0);
    picture.input += std::int64_t{geometry.height} * geometry.width * geometry.inputs;
    picture.output += std::int64_t{out[1]} * out[2] * geometry.outputs;
  }
  return true;
}

Cost cost(const Operation& operation) {
  const Geometry geometry = geometry_of(operation);
  const double blocks =
      static_cast<double>(operation.in(0).shape[0]) * static_cast<double>(geometry.blocks());
  const double columns = static_cast<double>(geometry.columns()) * geometry.stride_height;
  return matrix_cost(operation.in(1), blocks, columns * geometry.taps(), geometry.inputs) +
         (kTapCost * geometry.taps() + kInterleaveCost) * blocks * columns;
}

}  // namespace

const Way kPhasesWay{"gemm by phases", {accepts, create, bind, run}, cost};

}  // namespace figment::xnnpack
