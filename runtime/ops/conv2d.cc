// Conv2D: x [N,H,W,C], weights [outputs, kernel_h, kernel_w, C/groups], bias [outputs] or absent ->
// [N, height, width, outputs]. A matrix product of what the window sees (im2col) and the weights;
// depthwise convolutions, whose products have next to no depth, add up tap by tap instead, in
// float32 with any weights.
#include <algorithm>

#include "runtime/math/gemm.h"
#include "runtime/math/half.h"
#include "runtime/ops/window.h"

namespace figment::ops {
namespace {

enum Operand { kX, kWeights, kBias };

// The im2col matrix is made for as many output pixels at a time as fill this many floats (128 KB,
// to stay in the cache), at least 8, at most one picture.
constexpr std::int64_t kTileFloats = 32768;
constexpr std::int64_t kMinTilePixels = 8;

struct Geometry {
  math::Window window;
  int groups;
  std::int64_t height, width;  // of the output
  int group_inputs, group_outputs;
  std::int64_t depth;  // kernel_h * kernel_w * C/groups

  explicit Geometry(const Operation& operation) {
    const auto& options = operation.as<format::Conv2D>();
    const Shape& x = operation.in(kX).shape;
    const Shape& weights = operation.in(kWeights).shape;
    window = window_of(WindowOptions(options), weights[1], weights[2]);
    groups = options.groups();
    const std::int64_t padded_height =
        std::int64_t{x[1]} + options.pad_top() + options.pad_bottom();
    const std::int64_t padded_width = std::int64_t{x[2]} + options.pad_left() + options.pad_right();
    height = count_windows(padded_height, window_span(weights[1], window.dilation_height),
                           window.stride_height);
    width = count_windows(padded_width, window_span(weights[2], window.dilation_width),
                          window.stride_width);
    group_inputs = weights[3];
    group_outputs = weights[0] / groups;
    depth = std::int64_t{weights[1]} * weights[2] * weights[3];
  }

  bool depthwise() const { return groups > 1 && group_inputs == 1 && group_outputs == 1; }
  // The picture itself is the im2col matrix.
  bool pointwise(const Operation& operation) const {
    const Shape& x = operation.in(kX).shape;
    return window.kernel_height == 1 && window.kernel_width == 1 && window.stride_height == 1 &&
           window.stride_width == 1 && height == x[1] && width == x[2];
  }
  std::int64_t tile_pixels() const {
    return std::min(height * width, std::max(kMinTilePixels, kTileFloats / depth));
  }
};

std::int64_t scratch_size(const Operation& operation, const Geometry& geometry) {
  const Tensor& weights = operation.in(kWeights);
  if (geometry.depthwise()) return weights.elements() * std::int64_t{sizeof(float)};
  const bool pointwise = geometry.pointwise(operation);
  const std::int64_t widened = math::gemm_scratch_bytes(
      weights.type, geometry.depth,
      pointwise ? geometry.height * geometry.width : geometry.tile_pixels());
  if (pointwise) return widened;
  return geometry.tile_pixels() * geometry.depth * std::int64_t{sizeof(float)} + widened;
}

Status shape(const Operation& operation, Tensor& result) {
  const auto& options = operation.as<format::Conv2D>();
  FIG_TRY(require_float(operation, kX));
  FIG_TRY(require_rank(operation, kX, 4));
  FIG_TRY(require_rank(operation, kWeights, 4));
  const Shape& weights = operation.in(kWeights).shape;
  FIG_TRY(set_convolved(result, WindowOptions(options), options.groups(), operation.in(kX).shape,
                        weights));
  FIG_TRY(require_vector(operation, kBias, weights[0]));
  const Geometry geometry(operation);
  FIG_TRY(require_weights(operation, kWeights, weights[0], geometry.depth));
  return require_scratch(scratch_size(operation, geometry));
}

std::size_t scratch_bytes(const Operation& operation) {
  return static_cast<std::size_t>(scratch_size(operation, Geometry(operation)));
}

// Every channel by itself. The weights are turned to [kernel_h, kernel_w, channels] first, so that
// the innermost loop runs over channels; each sum is formed tap after tap, the bias last.
void forward_depthwise(const Operation& operation, const Geometry& geometry) {
  const math::Window& window = geometry.window;
  const Tensor& x = operation.in(kX);
  const int channels = x.shape[3];
  const int taps = window.kernel_height * window.kernel_width;
  const Tensor& narrow = operation.in(kWeights);
  float* weights = reinterpret_cast<float*>(operation.scratch);
  for (int channel = 0; channel < channels; ++channel)
    for (int tap = 0; tap < taps; ++tap) {
      const std::int64_t element = std::int64_t{channel} * taps + tap;
      float widened;
      weights[tap * channels + channel] =
          narrow.type == DataType::kInt8 ? narrow.scales[static_cast<std::size_t>(channel)] *
                                               static_cast<const std::int8_t*>(narrow.data)[element]
                                         : *math::as_floats(narrow, element, 1, &widened);
    }
  const float* bias = operation.has(kBias) ? operation.in(kBias).floats() : nullptr;
  float* output = operation.out().floats();
  for (std::int64_t pixel = 0; pixel < x.shape[0] * geometry.height * geometry.width; ++pixel) {
    const std::int64_t n = pixel / (geometry.height * geometry.width);
    const std::int64_t top =
        pixel / geometry.width % geometry.height * window.stride_height - window.pad_top;
    const std::int64_t left = pixel % geometry.width * window.stride_width - window.pad_left;
    std::fill_n(output, channels, 0.0f);
    for (int tap = 0; tap < taps; ++tap) {
      const std::int64_t y = top + std::int64_t{tap / window.kernel_width} * window.dilation_height;
      const std::int64_t column =
          left + std::int64_t{tap % window.kernel_width} * window.dilation_width;
      if (y < 0 || y >= x.shape[1] || column < 0 || column >= x.shape[2]) continue;
      const float* in = x.floats() + ((n * x.shape[1] + y) * x.shape[2] + column) * channels;
      const float* weight = weights + std::int64_t{tap} * channels;
      for (int channel = 0; channel < channels; ++channel)
        output[channel] += in[channel] * weight[channel];
    }
    if (bias != nullptr)
      for (int channel = 0; channel < channels; ++channel) output[channel] += bias[channel];
    output += channels;
  }
}

void forward(const Operation& operation) {
  const Geometry geometry(operation);
  if (geometry.depthwise()) return forward_depthwise(operation, geometry);
  const Tensor& x = operation.in(kX);
  const Tensor& output = operation.out();
  const int channels = x.shape[3];
  const int outputs = output.shape[3];
  const std::int64_t pixels = geometry.height * geometry.width;
  const bool pointwise = geometry.pointwise(operation);
  const std::int64_t tile = pointwise ? pixels : geometry.tile_pixels();
  float* columns = reinterpret_cast<float*>(operation.scratch);
  float* widened = pointwise ? columns : columns + tile * geometry.depth;

  math::PictureChannels picture;
  picture.height = x.shape[1];
  picture.width = x.shape[2];
  picture.channels = geometry.group_inputs;
  picture.pixel_stride = channels;
  math::Gemm product;
  product.columns = geometry.group_outputs;
  product.depth = geometry.depth;
  product.a_stride = pointwise ? channels : geometry.depth;
  product.b = operation.in(kWeights);
  product.c_stride = outputs;
  for (std::int64_t n = 0; n < x.shape[0]; ++n)
    for (std::int64_t group = 0; group < geometry.groups; ++group) {
      picture.pixels =
          x.floats() + n * x.shape[1] * x.shape[2] * channels + group * geometry.group_inputs;
      const std::int64_t first_output = group * geometry.group_outputs;
      product.b_first = first_output * geometry.depth;
      product.first_channel = first_output;
      product.bias = operation.has(kBias) ? operation.in(kBias).floats() + first_output : nullptr;
      for (std::int64_t first = 0; first < pixels; first += tile) {
        product.rows = std::min(tile, pixels - first);
        if (!pointwise)
          math::im2col(geometry.window, picture, static_cast<int>(geometry.width), first,
                       product.rows, columns);
        product.a = pointwise ? picture.pixels : columns;
        product.c = output.floats() + (n * pixels + first) * outputs + first_output;
        math::gemm(product, reinterpret_cast<std::byte*>(widened));
      }
    }
}

double multiply_adds(const Operation& operation) {
  return static_cast<double>(operation.out().elements()) *
         static_cast<double>(Geometry(operation).depth);
}

}  // namespace

extern const OperatorRoom kConv2D;
const OperatorRoom kConv2D{2, 3, Memory::kOwn, shape, scratch_bytes, forward, multiply_adds};

}  // namespace figment::ops
