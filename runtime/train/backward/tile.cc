// Tile, x repeated along its axes: dx = the sum of dy over the repetitions.
#include "runtime/train/backward.h"
#include "runtime/train/broadcast_sum.h"

namespace figment::train {
namespace {

Reads reads(const Call&, Inputs) { return {}; }

void backward(const Call& call) {
  float* gradient = call.gradient(0);
  if (gradient == nullptr) return;
  const Shape& x = call.in(0).shape;
  const Shape& y = call.out().shape;
  const math::Strides x_strides = math::row_major_strides(x);
  const math::Strides y_strides = math::row_major_strides(y);
  TermAxes axes;
  const auto add = [&](std::int64_t extent, std::int64_t x_stride, std::int64_t y_stride) {
    axes.add(extent, {x_stride, y_stride, y_stride, y_stride});
  };
  for (int axis = y.rank - 1; axis >= 0; --axis) {
    add(x[axis], x_strides[axis], y_strides[axis]);
    add(y[axis] / x[axis], 0, y_strides[axis] * x[axis]);
  }
  const float* dy = call.output_gradient;
  sum_terms(axes, nullptr, {dy, dy, dy}, gradient, call.operation.threads);
}

}  // namespace

extern const BackwardRoom kTile;
const BackwardRoom kTile{.differentiable = input_bit(0), .reads = reads, .backward = backward};

}  // namespace figment::train
