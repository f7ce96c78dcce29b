// Transpose, output axis i is input axis permutation[i]: dx is dy with its axes put back.
#include <algorithm>
#include <cstring>

#include "runtime/train/backward.h"
#include "runtime/train/broadcast_sum.h"

namespace figment::train {
namespace {

Reads reads(const Call&, Inputs) { return {}; }

enum Moved { kX, kY };

// dx is written in the order of its memory.
math::Axes<2> axes_of(const Call& call) {
  const auto* permutation = call.as<format::Transpose>().permutation();
  const Shape& x = call.in(0).shape;
  const math::Strides x_strides = math::row_major_strides(x);
  const math::Strides y_strides = math::row_major_strides(call.out().shape);
  std::int64_t moved_to[kMaxRank] = {};  // stride in y of each axis of x
  for (int axis = 0; axis < x.rank; ++axis)
    moved_to[permutation->Get(static_cast<flatbuffers::uoffset_t>(axis))] = y_strides[axis];
  math::Axes<2> axes;
  for (int axis = x.rank - 1; axis >= 0; --axis)
    axes.add(x[axis], {x_strides[axis], moved_to[axis]});
  return axes;
}

void backward(const Call& call) {
  float* gradient = call.gradient(0);
  if (gradient == nullptr) return;
  const math::Axes<2> axes = axes_of(call);
  const std::int64_t step = axes.row_length() == 1 ? 1 : axes.row_stride(kY);
  share_rows(axes, call.operation.threads, [&](const std::int64_t* offsets, std::int64_t length) {
    const float* from = call.output_gradient + offsets[kY];
    float* to = gradient + offsets[kX];
    if (step == 1)
      std::memcpy(to, from, static_cast<std::size_t>(length) * sizeof(float));
    else
      for (std::int64_t i = 0; i < length; ++i) to[i] = from[i * step];
  });
}

}  // namespace

extern const BackwardRoom kTranspose;
const BackwardRoom kTranspose{.differentiable = input_bit(0), .reads = reads, .backward = backward};

}  // namespace figment::train
