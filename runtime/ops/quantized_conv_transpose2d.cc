// QuantizedConvTranspose2D: x int8 [N,H,W,C], weights int8 [groups, kernel_h, kernel_w,
// outputs/groups, C/groups], channels, range -> int8 [N, height, width, outputs].
//
// Every output pixel gathers the taps that reach it. Outputs a stride apart in a row meet the same
// taps, each at inputs that follow one another: with the input rows wide, and zeros beside them,
// they are the rows of one matrix product whose sums have a part for each tap. Nothing is summed
// but the output's own int32, so there are no columns to hold, and weights are read once for each
// row and phase.
#include <algorithm>
#include <numeric>

#include "runtime/ops/quantized.h"
#include "runtime/ops/window.h"

namespace figment::ops {
namespace {

// One axis: input i and tap k meet output i * stride + k * dilation - pad.
struct Axis {
  std::int64_t kernel, stride, dilation, pad, input, output;

  // The input that tap `k` brings to `at`, perhaps outside the picture; false: none.
  bool input_of(std::int64_t at, std::int64_t k, std::int64_t& found) const {
    const std::int64_t scaled = at + pad - k * dilation;
    found = scaled / stride;
    return scaled % stride == 0;
  }
  // Zeros that stand before and after the input for the outputs to find.
  std::int64_t before() const { return (kernel - 1) * dilation / stride; }
  std::int64_t after() const {
    return std::max<std::int64_t>(0, (output - 1 + pad) / stride - (input - 1));
  }
  // Taps that meet one output at most, and the input rows between the first and the last of them.
  std::int64_t taps() const { return (kernel - 1) / (stride / std::gcd(stride, dilation)) + 1; }
  std::int64_t reach() const { return std::min(input, (kernel - 1) * dilation / stride + 1); }
};

struct Geometry {
  Axis down, across;
  int group_inputs, group_outputs;
  std::int64_t row_numbers;  // of a wide input row

  Geometry(const Operation& operation, const Shape& output) {
    const auto& options = *operation.as<format::QuantizedConvTranspose2D>().window();
    const Shape& x = operation.in(kX).shape;
    const Shape& weights = operation.in(kWeights).shape;
    down = {weights[1], options.stride_height(), options.dilation_height(), options.pad_top(), x[1],
            output[1]};
    across = {
        weights[2], options.stride_width(), options.dilation_width(), options.pad_left(), x[2],
        output[2]};
    group_outputs = weights[3];
    group_inputs = weights[4];
    row_numbers = (across.before() + x[2] + across.after()) * x[3];
  }
};

// Where the scratch's parts begin: taps of one phase, which input row each slot holds, the wide
// rows.
struct Scratch {
  std::int64_t parts, held, rows, end;  // in bytes

  explicit Scratch(const Geometry& geometry) {
    const std::int64_t slots = geometry.down.reach();
    parts = 0;
    held = parts +
           geometry.down.taps() * geometry.across.taps() * std::int64_t{sizeof(math::ProductPart)};
    rows = held + slots * std::int64_t{sizeof(std::int32_t)};
    // In numbers first: that fits into 63 bits whatever the shapes, in bytes it might not.
    const std::int64_t numbers = slots * geometry.row_numbers;
    end = numbers > kMaxScratch ? numbers : rows + numbers * std::int64_t{sizeof(std::int16_t)};
  }
};

Status shape(const Operation& operation, Tensor& result) {
  if (operation.as<format::QuantizedConvTranspose2D>().window() == nullptr)
    return bad_file({"the window is missing; convert the model again"});
  const auto& options = *operation.as<format::QuantizedConvTranspose2D>().window();
  FIG_TRY(require_rank(operation, kX, 4));
  FIG_TRY(require_rank(operation, kWeights, 5));
  const Shape& weights = operation.in(kWeights).shape;
  WindowOptions window(options);
  // What stands below 0 is padding of the output.
  const OutputPadding padding{std::max(0, -std::max(window.pad_bottom, -kMaxWindow - 1)),
                              std::max(0, -std::max(window.pad_right, -kMaxWindow - 1))};
  window.pad_bottom = std::max(0, window.pad_bottom);
  window.pad_right = std::max(0, window.pad_right);
  FIG_TRY(set_transpose_convolved(result, window, padding, options.groups(), operation.in(kX).shape,
                                  weights));
  result.type = DataType::kInt8;
  const Geometry geometry(operation, result.shape);
  // As many products as reach one output.
  FIG_TRY(require_quantized_product(
      operation, geometry.down.taps() * geometry.across.taps() * weights[4], result.shape[3]));
  return require_scratch(Scratch(geometry).end);
}

std::size_t scratch_bytes(const Operation& operation) {
  return static_cast<std::size_t>(Scratch(Geometry(operation, operation.out().shape)).end);
}

// The input rows that are wide, each in slot row % slots.
struct WideRows {
  std::int16_t* numbers;
  std::int32_t* held;
  std::int64_t slots;

  // Where row `y` of a picture begins, made wide if it is not.
  std::int64_t offset_of(std::int64_t y, const std::int8_t* picture, const Shape& x,
                         const Geometry& geometry, std::int32_t zero_point) const {
    const std::int64_t slot = y % slots;
    const std::int64_t offset = slot * geometry.row_numbers;
    if (held[slot] != y) {
      held[slot] = static_cast<std::int32_t>(y);
      const std::int64_t count = std::int64_t{x[2]} * x[3];
      math::widen(picture + y * count, count, zero_point,
                  numbers + offset + geometry.across.before() * x[3]);
    }
    return offset;
  }
};

// One row of one picture, for one group; `output` stands at the row's first pixel, all channels.
void forward_row(const Operation& operation, const Geometry& geometry, const WideRows& rows,
                 const std::int8_t* picture, std::int64_t group, std::int64_t y,
                 std::int8_t* output) {
  const Shape& x = operation.in(kX).shape;
  const Axis& down = geometry.down;
  const Axis& across = geometry.across;
  const std::int64_t outputs = operation.out().shape[3];
  auto* parts = reinterpret_cast<math::ProductPart*>(operation.scratch);
  const std::int64_t first_output = group * geometry.group_outputs;
  const std::int64_t tap_numbers = std::int64_t{geometry.group_outputs} * geometry.group_inputs;
  math::IntegerProduct product = product_of(operation, first_output);
  product.columns = geometry.group_outputs;
  product.depth = geometry.group_inputs;
  product.parts = parts;
  product.a = rows.numbers;
  product.a_stride = x[3];
  product.b = int8_of(operation.in(kWeights)) + group * down.kernel * across.kernel * tap_numbers;
  product.b_stride = geometry.group_inputs;
  product.c_stride = across.stride * outputs;
  for (std::int64_t phase = 0; phase < std::min(across.stride, across.output); ++phase) {
    product.part_count = 0;
    for (std::int64_t ky = 0; ky < down.kernel; ++ky) {
      std::int64_t row;
      if (!down.input_of(y, ky, row) || row < 0 || row >= down.input) continue;
      const std::int64_t offset =
          rows.offset_of(row, picture, x, geometry, product.range.x_zero_point);
      for (std::int64_t kx = 0; kx < across.kernel; ++kx) {
        std::int64_t column;
        if (!across.input_of(phase, kx, column)) continue;
        parts[product.part_count++] = {
            static_cast<std::int32_t>(offset + (across.before() + column) * x[3] +
                                      group * geometry.group_inputs),
            static_cast<std::int32_t>((ky * across.kernel + kx) * tap_numbers)};
      }
    }
    product.rows = (across.output - 1 - phase) / across.stride + 1;
    product.c = output + phase * outputs + first_output;
    math::multiply_integers(product);
  }
}

void forward(const Operation& operation) {
  const auto& options = *operation.as<format::QuantizedConvTranspose2D>().window();
  const Shape& x = operation.in(kX).shape;
  const Shape& y = operation.out().shape;
  const Geometry geometry(operation, y);
  const Scratch scratch(geometry);
  const WideRows rows{reinterpret_cast<std::int16_t*>(operation.scratch + scratch.rows),
                      reinterpret_cast<std::int32_t*>(operation.scratch + scratch.held),
                      geometry.down.reach()};
  // Beside the rows 0 stays.
  std::fill_n(rows.numbers, rows.slots * geometry.row_numbers, std::int16_t{0});
  const std::int8_t* picture = int8_of(operation.in(kX));
  auto* output = static_cast<std::int8_t*>(operation.out().data);
  for (std::int64_t n = 0; n < x[0]; ++n, picture += std::int64_t{x[1]} * x[2] * x[3]) {
    std::fill_n(rows.held, rows.slots, -1);
    for (std::int64_t row = 0; row < y[1]; ++row, output += std::int64_t{y[2]} * y[3])
      for (std::int64_t group = 0; group < options.groups(); ++group)
        forward_row(operation, geometry, rows, picture, group, row, output);
  }
}

double multiply_adds(const Operation& operation) {
  const Shape& x = operation.in(kX).shape;
  const Shape& weights = operation.in(kWeights).shape;
  return static_cast<double>(x.elements()) * weights[1] * weights[2] * weights[3];
}

}  // namespace

extern const OperatorRoom kQuantizedConvTranspose2D;
const OperatorRoom kQuantizedConvTranspose2D{
    4, 4, Memory::kOwn, shape, scratch_bytes, forward, multiply_adds};

}  // namespace figment::ops
