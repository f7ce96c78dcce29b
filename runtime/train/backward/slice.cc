// Slice y[i] = x[start + i * step]: dx is dy there, and 0 elsewhere.
#include <cstring>

#include "runtime/train/backward.h"
#include "runtime/train/broadcast_sum.h"
#include "runtime/train/rows.h"

namespace figment::train {
namespace {

Reads reads(const Call&, Inputs) { return {}; }

enum Moved { kY, kX };

void backward(const Call& call) {
  float* gradient = call.gradient(0);
  if (gradient == nullptr) return;
  const auto& options = call.as<format::Slice>();
  const Shape& x = call.in(0).shape;
  const Shape& y = call.out().shape;
  const math::Strides x_strides = math::row_major_strides(x);
  const math::Strides y_strides = math::row_major_strides(y);
  math::Axes<2> axes;
  for (int axis = y.rank - 1; axis >= 0; --axis) {
    const auto at = static_cast<flatbuffers::uoffset_t>(axis);
    axes.add(y[axis], {y_strides[axis], x_strides[axis] * options.steps()->Get(at)});
  }
  float* begin = gradient;
  for (int axis = 0; axis < y.rank; ++axis)
    begin += x_strides[axis] * options.starts()->Get(static_cast<flatbuffers::uoffset_t>(axis));

  if (x.elements() > y.elements()) fill_zeros(gradient, x.elements(), call.operation.threads);
  const std::int64_t step = axes.row_length() == 1 ? 1 : axes.row_stride(kX);
  share_rows(axes, call.operation.threads, [&](const std::int64_t* offsets, std::int64_t length) {
    const float* from = call.output_gradient + offsets[kY];
    float* to = begin + offsets[kX];
    if (step == 1)
      std::memcpy(to, from, static_cast<std::size_t>(length) * sizeof(float));
    else
      for (std::int64_t i = 0; i < length; ++i) to[i * step] = from[i];
  });
}

}  // namespace

extern const BackwardRoom kSlice;
const BackwardRoom kSlice{.differentiable = input_bit(0), .reads = reads, .backward = backward};

}  // namespace figment::train
