// QuantizedConv2D: x int8 [N,H,W,C], weights int8 [outputs, kernel_h, kernel_w, C/groups],
// channels, range -> int8 [N, height, width, outputs]. A matrix product of what the window sees, a
// few pixels at a time and wide, and the weights.
#include <algorithm>

#include "runtime/ops/quantized.h"
#include "runtime/ops/window.h"

namespace figment::ops {
namespace {

std::int64_t depth_of(const Operation& operation) {
  const Shape& weights = operation.in(kWeights).shape;
  return std::int64_t{weights[1]} * weights[2] * weights[3];
}

// Pixels whose windows are wide at a time, for an output picture.
std::int64_t tile_pixels(const Operation& operation, const Shape& output) {
  return math::wide_rows_at_a_time(depth_of(operation), std::int64_t{output[1]} * output[2]);
}

Status shape(const Operation& operation, Tensor& result) {
  if (operation.as<format::QuantizedConv2D>().window() == nullptr)
    return bad_file({"the window is missing; convert the model again"});
  const auto& options = *operation.as<format::QuantizedConv2D>().window();
  FIG_TRY(require_rank(operation, kX, 4));
  FIG_TRY(require_rank(operation, kWeights, 4));
  const Shape& weights = operation.in(kWeights).shape;
  FIG_TRY(set_convolved(result, WindowOptions(options), options.groups(), operation.in(kX).shape,
                        weights));
  result.type = DataType::kInt8;
  // The depth is at most 2^16 then, and the few wide rows small.
  return require_quantized_product(operation, depth_of(operation), weights[0]);
}

std::size_t scratch_bytes(const Operation& operation) {
  return static_cast<std::size_t>(tile_pixels(operation, operation.out().shape) *
                                  math::wide_row(depth_of(operation))) *
         sizeof(std::int16_t);
}

// A group's channels of one picture.
struct Picture {
  const std::int8_t* pixels;
  int height, width, channels;
  std::int64_t pixel_stride;
  std::int32_t zero_point;
};

// What the window sees at an output pixel, less the zero point; padding is 0.
void widen_window(const math::Window& window, const Picture& picture, std::int64_t row,
                  std::int64_t column, std::int16_t* wide) {
  const std::int64_t left = column * window.stride_width - window.pad_left;
  const bool whole = left >= 0 && left + window.kernel_width <= picture.width &&
                     window.dilation_width == 1 && picture.pixel_stride == picture.channels;
  const std::int64_t row_numbers = std::int64_t{window.kernel_width} * picture.channels;
  std::int64_t y = row * window.stride_height - window.pad_top;
  for (int ky = 0; ky < window.kernel_height; ++ky, y += window.dilation_height) {
    if (y < 0 || y >= picture.height) {
      std::fill_n(wide, row_numbers, std::int16_t{0});
      wide += row_numbers;
      continue;
    }
    const std::int8_t* line = picture.pixels + y * picture.width * picture.pixel_stride;
    if (whole) {
      math::widen(line + left * picture.channels, row_numbers, picture.zero_point, wide);
      wide += row_numbers;
      continue;
    }
    std::int64_t x = left;
    for (int kx = 0; kx < window.kernel_width; ++kx, x += window.dilation_width) {
      if (x < 0 || x >= picture.width)
        std::fill_n(wide, picture.channels, std::int16_t{0});
      else
        math::widen(line + x * picture.pixel_stride, picture.channels, picture.zero_point, wide);
      wide += picture.channels;
    }
  }
}

void forward(const Operation& operation) {
  const auto& options = *operation.as<format::QuantizedConv2D>().window();
  const Shape& x = operation.in(kX).shape;
  const Shape& weights = operation.in(kWeights).shape;
  const Shape& output = operation.out().shape;
  const math::Window window = window_of(WindowOptions(options), weights[1], weights[2]);
  const std::int64_t depth = depth_of(operation);
  const std::int64_t pixels = std::int64_t{output[1]} * output[2];
  const std::int64_t tile = tile_pixels(operation, output);
  const std::int64_t stride = math::wide_row(depth);
  const int group_outputs = weights[0] / options.groups();
  auto* wide = reinterpret_cast<std::int16_t*>(operation.scratch);
  const math::ProductPart whole{0, 0};
  for (std::int64_t n = 0; n < x[0]; ++n)
    for (std::int64_t group = 0; group < options.groups(); ++group) {
      const std::int64_t first_output = group * group_outputs;
      math::IntegerProduct product = product_of(operation, first_output);
      product.columns = group_outputs;
      product.depth = static_cast<int>(depth);
      product.parts = &whole;
      product.part_count = 1;
      product.a = wide;
      product.a_stride = stride;
      product.b = int8_of(operation.in(kWeights)) + first_output * depth;
      product.b_stride = depth;
      product.c_stride = weights[0];
      const Picture picture{
          .pixels = int8_of(operation.in(kX)) + n * x[1] * x[2] * x[3] + group * weights[3],
          .height = x[1],
          .width = x[2],
          .channels = weights[3],
          .pixel_stride = x[3],
          .zero_point = product.range.x_zero_point};
      for (std::int64_t first = 0; first < pixels; first += tile) {
        product.rows = std::min(tile, pixels - first);
        for (std::int64_t i = 0; i < product.rows; ++i)
          widen_window(window, picture, (first + i) / output[2], (first + i) % output[2],
                       wide + i * stride);
        product.c = static_cast<std::int8_t*>(operation.out().data) +
                    (n * pixels + first) * weights[0] + first_output;
        math::multiply_integers(product);
      }
    }
}

double multiply_adds(const Operation& operation) {
  return static_cast<double>(operation.out().elements()) * static_cast<double>(depth_of(operation));
}

}  // namespace

extern const OperatorRoom kQuantizedConv2D;
const OperatorRoom kQuantizedConv2D{
    4, 4, Memory::kOwn, shape, scratch_bytes, forward, multiply_adds};

}  // namespace figment::ops
