// ConvTranspose2D: x [N,H,W,C], weights [groups, kernel_h, kernel_w, outputs/groups, C/groups],
// bias [outputs] or absent -> [N, height, width, outputs], height as in the schema.
//
// A matrix product of input pixels and weights gives every pixel's product with every tap (the
// columns); col2im then sums, for each output pixel, the columns that reach it. Columns are held in
// a ring of input rows: an output row is written as soon as the input rows that reach it are there,
// and no column is computed twice.
#include <algorithm>

#include "runtime/math/gemm.h"
#include "runtime/math/im2col.h"
#include "runtime/ops/window.h"

namespace figment::ops {
namespace {

enum Operand { kX, kWeights, kBias };

// The ring holds as many input rows as fit into this many floats (256 KB), at least those that one
// output row needs, at most the picture's.
constexpr std::int64_t kRingFloats = 65536;

struct Geometry {
  math::Window window;
  int groups;
  int group_inputs, group_outputs;
  std::int64_t height, width;  // of the output
  std::int64_t row_floats;     // the columns of one input row, for one group
  int slots;                   // input rows in the ring

  explicit Geometry(const Operation& operation) {
    const auto& options = operation.as<format::ConvTranspose2D>();
    const Shape& x = operation.in(kX).shape;
    const Shape& weights = operation.in(kWeights).shape;
    window = window_of(WindowOptions(options), weights[1], weights[2]);
    groups = options.groups();
    group_outputs = weights[3];
    group_inputs = weights[4];
    height = std::int64_t{x[1] - 1} * window.stride_height - options.pad_top() -
             options.pad_bottom() + window_span(weights[1], window.dilation_height) +
             options.output_padding_height();
    width = std::int64_t{x[2] - 1} * window.stride_width - options.pad_left() -
            options.pad_right() + window_span(weights[2], window.dilation_width) +
            options.output_padding_width();
    row_floats = std::int64_t{x[2]} * weights[1] * weights[2] * weights[3];
    slots = static_cast<int>(std::min<std::int64_t>(
        x[1], std::max<std::int64_t>(kRingFloats / row_floats, math::live_rows(window, x[1]))));
  }
};

std::int64_t scratch_size(const Operation& operation, const Geometry& geometry) {
  // In floats first: that fits into 62 bits whatever the shapes, in bytes it might not.
  const std::int64_t ring = geometry.slots * geometry.row_floats;
  if (ring > kMaxScratch) return ring;
  return ring * std::int64_t{sizeof(float)} +
         math::gemm_scratch_bytes(operation.in(kWeights).type, geometry.group_inputs,
                                  std::int64_t{geometry.slots} * operation.in(kX).shape[2]);
}

Status shape(const Operation& operation, Tensor& result) {
  const auto& options = operation.as<format::ConvTranspose2D>();
  FIG_TRY(require_float(operation, kX));
  FIG_TRY(require_rank(operation, kX, 4));
  FIG_TRY(require_rank(operation, kWeights, 5));
  const Shape& weights = operation.in(kWeights).shape;
  FIG_TRY(set_transpose_convolved(result, WindowOptions(options),
                                  {options.output_padding_height(), options.output_padding_width()},
                                  options.groups(), operation.in(kX).shape, weights));
  const int outputs = result.shape[3];
  FIG_TRY(require_weights(operation, kWeights, outputs, weights[4]));
  FIG_TRY(require_vector(operation, kBias, outputs));
  return require_scratch(scratch_size(operation, Geometry(operation)));
}

std::size_t scratch_bytes(const Operation& operation) {
  return static_cast<std::size_t>(scratch_size(operation, Geometry(operation)));
}

// One picture, one group. `pixels`, `product.b_first` and `output` stand at the group's first
// channel.
void forward_group(const Operation& operation, const Geometry& geometry, math::Gemm& product,
                   const float* pixels, const float* bias, float* output) {
  const Shape& x = operation.in(kX).shape;
  const std::int64_t outputs = operation.out().shape[3];
  float* ring = reinterpret_cast<float*>(operation.scratch);
  std::byte* widened = reinterpret_cast<std::byte*>(ring + geometry.slots * geometry.row_floats);
  math::Columns columns;
  columns.data = ring;
  columns.height = x[1];
  columns.width = x[2];
  columns.channels = geometry.group_outputs;
  columns.slots = geometry.slots;
  int computed = 0;  // input rows before this one are in the ring, or no longer needed
  for (int y = 0; y < geometry.height; ++y) {
    const math::RowRange needed = math::input_rows_of(geometry.window, y, x[1]);
    if (needed.last > computed) {
      // As many rows as there is room for, in runs that do not pass the ring's end.
      int row = std::max(computed, needed.first);
      computed = std::min<int>(x[1], needed.first + geometry.slots);
      while (row < computed) {
        const int slot = row % geometry.slots;
        const int run = std::min(computed - row, geometry.slots - slot);
        product.rows = std::int64_t{run} * x[2];
        product.a = pixels + std::int64_t{row} * x[2] * x[3];
        product.c = ring + slot * geometry.row_floats;
        math::gemm(product, widened);
        row += run;
      }
    }
    math::col2im(geometry.window, columns, bias, y, y + 1, static_cast<int>(geometry.width),
                 output + y * geometry.width * outputs, outputs);
  }
}

void forward(const Operation& operation) {
  const Geometry geometry(operation);
  const Shape& x = operation.in(kX).shape;
  const Tensor& output = operation.out();
  math::Gemm product;
  product.columns = geometry.row_floats / x[2];
  product.depth = geometry.group_inputs;
  product.a_stride = x[3];
  product.b = operation.in(kWeights);
  product.channels = geometry.group_outputs;
  product.c_stride = product.columns;
  const std::int64_t input_floats = std::int64_t{x[1]} * x[2] * x[3];
  const std::int64_t output_floats = output.elements() / x[0];
  for (std::int64_t n = 0; n < x[0]; ++n)
    for (std::int64_t group = 0; group < geometry.groups; ++group) {
      const std::int64_t first_output = group * geometry.group_outputs;
      product.b_first = group * product.columns * product.depth;
      product.first_channel = first_output;
      forward_group(operation, geometry, product,
                    operation.in(kX).floats() + n * input_floats + group * geometry.group_inputs,
                    operation.has(kBias) ? operation.in(kBias).floats() + first_output : nullptr,
                    output.floats() + n * output_floats + first_output);
    }
}

double multiply_adds(const Operation& operation) {
  const Geometry geometry(operation);
  const Shape& x = operation.in(kX).shape;
  return static_cast<double>(x[0]) * x[1] * static_cast<double>(geometry.row_floats) *
         geometry.group_inputs * geometry.groups;
}

}  // namespace

extern const OperatorRoom kConvTranspose2D;
const OperatorRoom kConvTranspose2D{
    2, 3, Memory::kOwn, shape, scratch_bytes, forward, multiply_adds};

}  // namespace figment::ops
