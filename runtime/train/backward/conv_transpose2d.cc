// ConvTranspose2D: y = the sum of x weights^T, [pixels of x, kernel_h * kernel_w * outputs], where
// they end, + bias. A window slides over y and has a place for every pixel of x; with columns(dy)
// [pixels of x, kernel_h * kernel_w * outputs] what it sees, group by group:
//   dx       = columns(dy) weights
//   dweights = columns(dy)^T x   [kernel_h * kernel_w * outputs, C]
//   dbias    = the sum of dy's pixels
#include "runtime/ops/window.h"
#include "runtime/train/backward.h"
#include "runtime/train/convolution.h"
#include "runtime/train/rows.h"

namespace figment::train {
namespace {

enum Operand { kX, kWeights, kBias };

Convolution convolution_of(const Call& call) {
  const auto& options = call.as<format::ConvTranspose2D>();
  const Shape& x = call.in(kX).shape;
  const Shape& weights = call.in(kWeights).shape;
  const Shape& y = call.out().shape;
  return {
      .window = ops::window_of(ops::WindowOptions(options), weights[1], weights[2]),
      .batch = x[0],
      .groups = options.groups(),
      .picture_height = y[1],
      .picture_width = y[2],
      .picture_channels = weights[3],
      .map_height = x[1],
      .map_width = x[2],
      .map_channels = weights[4],
      .order = WeightOrder::kMapLast,
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
  map_to_picture(convolution_of(call), call.in(kX).floats(), call.in(kWeights).floats(),
                 call.has(kBias) ? call.in(kBias).floats() : nullptr, call.out().floats(),
                 workspace_of(call));
}

void backward(const Call& call) {
  const Convolution convolution = convolution_of(call);
  if (float* gradient = call.gradient(kWeights))
    weights_of_both(convolution, call.output_gradient, call.in(kX).floats(), 0,
                    convolution.map_pixel(), gradient, workspace_of(call));
  if (float* gradient = call.gradient(kBias))
    sum_rows(call.output_gradient, convolution.picture_pixels(), convolution.picture_pixel(),
             gradient, call.operation.threads);
  if (float* gradient = call.gradient(kX))
    picture_to_map(convolution, call.output_gradient, call.in(kWeights).floats(), nullptr, gradient,
                   workspace_of(call));
}

}  // namespace

extern const BackwardRoom kConvTranspose2D;
const BackwardRoom kConvTranspose2D{
    .differentiable = input_bit(kX) | input_bit(kWeights) | input_bit(kBias),
    .reads = reads,
    .forward = forward,
    .forward_scratch_bytes = scratch_bytes,
    .scratch_bytes = scratch_bytes,
    .backward = backward,
};

}  // namespace figment::train
