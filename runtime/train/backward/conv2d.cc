// Conv2D: y = columns(x) weights^T + bias, where columns(x) [pixels of y, kernel_h * kernel_w * C]
// is what the window sees. With dy [pixels of y, outputs], group by group:
//   dx       = the sum of dy weights, [pixels of y, kernel_h * kernel_w * C], where the columns
//              came from
//   dweights = dy^T columns(x)   [outputs, kernel_h * kernel_w * C]
//   dbias    = the sum of dy's pixels
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

Workspace workspace_of(const Call& call) {
  return {call.loops, call.operation.scratch, call.operation.threads};
}

Reads reads(const Call&, Inputs wanted) {
  Reads result;
  if (wanted & input_bit(kX)) result.inputs |= input_bit(kWeights);
  if (wanted & input_bit(kWeights)) result.inputs |= input_bit(kX);
  return result;
}

std::size_t scratch_bytes(const Call& call) {
  return convolution_scratch_bytes(convolution_of(call), call.operation.threads);
}

void forward(const Call& call) {
  picture_to_map(convolution_of(call), call.in(kX).floats(), call.in(kWeights).floats(),
                 call.has(kBias) ? call.in(kBias).floats() : nullptr, call.out().floats(),
                 workspace_of(call));
}

// The columns are made anew for each part of the rows.
void weight_rows(const Call& call, std::int64_t first, std::int64_t count, float* rows) {
  weights_of_both(convolution_of(call), call.in(kX).floats(), call.output_gradient, first, count,
                  rows, workspace_of(call));
}

void backward(const Call& call) {
  const Convolution convolution = convolution_of(call);
  if (float* gradient = call.gradient(kWeights))
    weight_rows(call, 0, convolution.map_pixel(), gradient);
  if (float* gradient = call.gradient(kBias))
    sum_rows(call.output_gradient, convolution.map_pixels(), convolution.map_pixel(), gradient);
  if (float* gradient = call.gradient(kX))
    map_to_picture(convolution, call.output_gradient, call.in(kWeights).floats(), nullptr, gradient,
                   workspace_of(call));
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
