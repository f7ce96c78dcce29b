// Transpose, output axis i is input axis permutation[i]: dx is dy with its axes put back.
#include <algorithm>
#include <cstring>

#include "runtime/train/backward.h"
#include "runtime/train/broadcast_sum.h"

namespace figment::train {
namespace {

enum Moved { kX, kY, kMoved };
using Axes = math::Axes<kMoved>;

Reads reads(const Call&, Inputs) { return {}; }

// In the order of dx's memory.
Axes axes_of(const Call& call) {
  const auto* permutation = call.as<format::Transpose>().permutation();
  const Shape& x = call.in(0).shape;
  const math::Strides x_strides = math::row_major_strides(x);
  const math::Strides y_strides = math::row_major_strides(call.out().shape);
  std::int64_t moved_to[kMaxRank] = {};  // stride in y of each axis of x
  for (int axis = 0; axis < x.rank; ++axis)
    moved_to[permutation->Get(static_cast<flatbuffers::uoffset_t>(axis))] = y_strides[axis];
  Axes axes;
  for (int axis = x.rank - 1; axis >= 0; --axis)
    axes.add(x[axis], {x_strides[axis], moved_to[axis]});
  return axes;
}

// A matrix [rows, columns] of dx whose columns stand side by side in dx and whose rows do in dy: in
// blocks, so that both stay in the cache.
void turn(const float* from, std::int64_t from_step, float* to, std::int64_t to_step,
          std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t kColumns = 16;
  for (std::int64_t first = 0; first < columns; first += kColumns) {
    const std::int64_t last = std::min(columns, first + kColumns);
    for (std::int64_t row = 0; row < rows; ++row)
      for (std::int64_t column = first; column < last; ++column)
        to[row * to_step + column] = from[row + column * from_step];
  }
}

void backward(const Call& call) {
  float* gradient = call.gradient(0);
  if (gradient == nullptr) return;
  const Axes axes = axes_of(call);
  pthreadpool* threads = call.operation.threads;
  // The axis along which dy's numbers are neighbours.
  int side = 0;
  while (side < axes.rank() && axes.stride(side, kY) != 1) ++side;
  if (side == 0 || side == axes.rank()) {
    share_rows(axes, threads, [&](const std::int64_t* offsets, std::int64_t length) {
      std::memcpy(gradient + offsets[kX], call.output_gradient + offsets[kY],
                  static_cast<std::size_t>(length) * sizeof(float));
    });
    return;
  }
  Axes others;
  for (int axis = 1; axis < axes.rank(); ++axis)
    if (axis != side) others.add(axes.extent(axis), {axes.stride(axis, kX), axes.stride(axis, kY)});
  // Blocks of rows are shared out, for every position on the other axes.
  constexpr std::int64_t kRows = 16;
  const std::int64_t rows = axes.extent(side);
  const std::int64_t blocks = (rows + kRows - 1) / kRows;
  const std::int64_t length = others.row_length();
  const auto turn_block = [&](std::int64_t number) {
    const std::int64_t position = number / blocks;
    const std::int64_t row = number % blocks * kRows;
    others.for_rows(position / length, position / length + 1, [&](const std::int64_t* offsets) {
      const auto place = [&](Moved tensor) {
        return offsets[tensor] + position % length * others.row_stride(tensor) +
               row * axes.stride(side, tensor);
      };
      turn(call.output_gradient + place(kY), axes.row_stride(kY), gradient + place(kX),
           axes.stride(side, kX), std::min(kRows, rows - row), axes.row_length());
    });
  };
  share(call.out().elements() < kWorthSharing ? nullptr : threads, others.rows() * length * blocks,
        [&](std::size_t, std::int64_t first, std::int64_t last) {
          for (std::int64_t number = first; number < last; ++number) turn_block(number);
        });
}

}  // namespace

extern const BackwardRoom kTranspose;
const BackwardRoom kTranspose{.differentiable = input_bit(0), .reads = reads, .backward = backward};

}  // namespace figment::train
