// Conv2D: y = columns(x) weights^T + bias, where columns(x) [pixels of y, kernel_h * kernel_w * C]
// is what the window sees. With dy [pixels of y, outputs], group by group:
//   dx       = the sum of dy weights, [pixels of y, kernel_h * kernel_w * C], where the columns
//              came from
//   dweights = dy^T columns(x)   [outputs, kernel_h * kernel_w * C]
//   dbias    = the sum of dy's pixels
//
// With few outputs these products would have few columns. With stride 1 the same convolution is a
// transposed one from x to y with its kernel turned about (row u is row kernel_h - 1 - u), whose
// products have kernel_h * kernel_w times as many.
#include <cstring>
#include <utility>

#include "runtime/ops/window.h"
#include "runtime/train/backward.h"
#include "runtime/train/convolution.h"
#include "runtime/train/rows.h"

namespace figment::train {
namespace {

enum Operand { kX, kWeights, kBias };

Convolution convolution_of(const Call& call) {
  const auto& options = call.as<format::Conv2D>();
  const Shape& x = call.in(kX).shape;
  const Shape& weights = call.in(kWeights).shape;
  const Shape& y = call.out().shape;
  return {
      .window = ops::window_of(ops::WindowOptions(options), weights[1], weights[2]),
      .batch = x[0],
      .groups = options.groups(),
      .picture_height = x[1],
      .picture_width = x[2],
      .picture_channels = weights[3],
      .map_height = y[1],
      .map_width = y[2],
      .map_channels = weights[0] / options.groups(),
      .order = WeightOrder::kMapFirst,
  };
}

// Outputs that are few: less than what one line of multiply() would be used for by half.
constexpr int kFewOutputs = 8;

bool turns(const Convolution& convolution) {
  const math::Window& window = convolution.window;
  return convolution.groups == 1 && convolution.map_channels <= kFewOutputs &&
         convolution.map_channels < convolution.picture_channels && convolution.taps() > 1 &&
         window.stride_height == 1 && window.stride_width == 1 &&
         window.pad_top <= (window.kernel_height - 1) * window.dilation_height &&
         window.pad_left <= (window.kernel_width - 1) * window.dilation_width;
}

// The transposed convolution: the window slides over y.
Convolution turned(const Convolution& convolution) {
  Convolution result = convolution;
  std::swap(result.picture_height, result.map_height);
  std::swap(result.picture_width, result.map_width);
  std::swap(result.picture_channels, result.map_channels);
  math::Window& window = result.window;
  window.pad_top = (window.kernel_height - 1) * window.dilation_height - window.pad_top;
  window.pad_left = (window.kernel_width - 1) * window.dilation_width - window.pad_left;
  result.order = WeightOrder::kMapLast;
  return result;
}

// Weights of the turned convolution, [kernel_h, kernel_w, outputs, C], follow its other scratch.
std::size_t turned_weights_bytes(const Convolution& convolution) {
  return static_cast<std::size_t>(convolution.taps() * convolution.map_channels *
                                  convolution.picture_channels) *
         sizeof(float);
}

std::size_t scratch_bytes(const Call& call) {
  const Convolution convolution = convolution_of(call);
  if (!turns(convolution)) return convolution_scratch_bytes(convolution, call.operation.threads);
  return convolution_scratch_bytes(turned(convolution), call.operation.threads) +
         turned_weights_bytes(convolution);
}

float* turned_weights(const Call& call, const Convolution& other) {
  return reinterpret_cast<float*>(call.operation.scratch +
                                  convolution_scratch_bytes(other, call.operation.threads));
}

// Calls body(offset, turned offset) for the C weights of each output and tap.
template <typename Function>
void for_each_run(const Convolution& convolution, const Function& body) {
  const std::int64_t taps = convolution.taps();
  const std::int64_t outputs = convolution.map_channels;
  for (std::int64_t output = 0; output < outputs; ++output)
    for (std::int64_t tap = 0; tap < taps; ++tap)
      body((output * taps + tap) * convolution.picture_channels,
           ((taps - 1 - tap) * outputs + output) * convolution.picture_channels);
}

const float* turn_weights(const Call& call, const Convolution& convolution,
                          const Convolution& other) {
  float* to = turned_weights(call, other);
  const float* from = call.in(kWeights).floats();
  const std::size_t bytes = static_cast<std::size_t>(convolution.picture_channels) * sizeof(float);
  for_each_run(convolution, [&](std::int64_t offset, std::int64_t turned_offset) {
    std::memcpy(to + turned_offset, from + offset, bytes);
  });
  return to;
}

Workspace workspace_of(const Call& call) {
  return {call.loops, call.operation.scratch, call.operation.threads};
}

Reads reads(const Call&, Inputs wanted) {
  Reads result;
  if (wanted & input_bit(kX)) result.inputs |= input_bit(kWeights);
  if (wanted & input_bit(kWeights)) result.inputs |= input_bit(kX);
  return result;
}

void forward(const Call& call) {
  const Convolution convolution = convolution_of(call);
  const float* x = call.in(kX).floats();
  const float* bias = call.has(kBias) ? call.in(kBias).floats() : nullptr;
  if (turns(convolution)) {
    const Convolution other = turned(convolution);
    map_to_picture(other, x, turn_weights(call, convolution, other), bias, call.out().floats(),
                   workspace_of(call));
  } else {
    picture_to_map(convolution, x, call.in(kWeights).floats(), bias, call.out().floats(),
                   workspace_of(call));
  }
}

void input_gradient(const Call& call, const Convolution& convolution, float* gradient) {
  if (turns(convolution)) {
    const Convolution other = turned(convolution);
    picture_to_map(other, call.output_gradient, turn_weights(call, convolution, other), nullptr,
                   gradient, workspace_of(call));
  } else {
    map_to_picture(convolution, call.output_gradient, call.in(kWeights).floats(), nullptr, gradient,
                   workspace_of(call));
  }
}

// The columns are made anew for each part of the rows. Few outputs are computed all at once.
void weight_rows(const Call& call, std::int64_t first, std::int64_t count, float* rows) {
  const Convolution convolution = convolution_of(call);
  const float* x = call.in(kX).floats();
  if (!turns(convolution))
    return weights_of_both(convolution, x, call.output_gradient, first, count, rows,
                           workspace_of(call));
  const Convolution other = turned(convolution);
  float* gradient = turned_weights(call, other);
  weights_of_both(other, call.output_gradient, x, 0, other.map_channels, gradient,
                  workspace_of(call));
  const std::int64_t run = convolution.picture_channels;
  const std::int64_t begin = first * convolution.taps() * run;
  const std::int64_t end = begin + count * convolution.taps() * run;
  for_each_run(convolution, [&](std::int64_t offset, std::int64_t turned_offset) {
    if (offset >= begin && offset < end)
      std::memcpy(rows + offset - begin, gradient + turned_offset,
                  static_cast<std::size_t>(run) * sizeof(float));
  });
}

void backward(const Call& call) {
  const Convolution convolution = convolution_of(call);
  if (float* gradient = call.gradient(kWeights))
    weight_rows(call, 0, convolution.map_pixel(), gradient);
  if (float* gradient = call.gradient(kBias))
    sum_rows(call.output_gradient, convolution.map_pixels(), convolution.map_pixel(), gradient,
             call.operation.threads);
  if (float* gradient = call.gradient(kX)) input_gradient(call, convolution, gradient);
}

}  // namespace

extern const BackwardRoom kConv2D;
const BackwardRoom kConv2D{
    .differentiable = input_bit(kX) | input_bit(kWeights) | input_bit(kBias),
    .reads = reads,
    .forward = forward,
    .forward_scratch_bytes = scratch_bytes,
    .scratch_bytes = scratch_bytes,
    .backward = backward,
    .weight_rows = weight_rows,
};

}  // namespace figment::train
