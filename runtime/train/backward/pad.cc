// Pad: each number of x gets the sum of dy at all places where it stands; the constant's places are
// lost.
#include <algorithm>
#include <cstring>

#include "runtime/ops/move.h"
#include "runtime/ops/pad.h"
#include "runtime/train/backward.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

using format::PadMode;

Reads reads(const Call&, Inputs) { return {}; }

// x and dy as rows of `extent` and `padded` points, each `inner` floats: rows lie along the last
// axis that is padded, points hold all axes after it. Axes before `axis` are the row's position.
struct Rows {
  const format::Pad& options;
  const Shape& x;
  const Shape& y;
  int axis = 0;
  std::int64_t inner = 1;

  explicit Rows(const Call& call)
      : options(call.as<format::Pad>()), x(call.in(0).shape), y(call.out().shape) {
    axis = x.rank - 1;
    while (axis > 0 && x[axis] == y[axis]) inner *= x[axis--];
  }
  std::int64_t before(int index) const { return ops::entry(options.before(), index); }
  std::int64_t after(int index) const { return ops::entry(options.after(), index); }

  // Which row of x row `row` of dy shows; -1: none.
  std::int64_t source(std::int64_t row) const {
    std::int64_t source = 0, stride = 1;
    for (int index = axis - 1; index >= 0; row /= y[index--]) {
      const std::int64_t place =
          ops::pad_source(row % y[index] - before(index), x[index], options.mode());
      if (place < 0) return -1;
      source += place * stride;
      stride *= x[index];
    }
    return source;
  }
};

void add(const float* from, std::int64_t count, float* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] += from[i];
}

// Points of a margin, from `first` to before `last`, counted from the row's first one.
void add_margin(const Rows& rows, std::int64_t first, std::int64_t last, const float* dy,
                float* dx) {
  for (std::int64_t point = first; point < last; ++point, dy += rows.inner)
    add(dy, rows.inner,
        dx + ops::pad_source(point, rows.x[rows.axis], rows.options.mode()) * rows.inner);
}

// Rows `first` to before `last` of dy.
void add_rows(const Rows& rows, const Call& call, std::int64_t first, std::int64_t last) {
  const std::int64_t extent = rows.x[rows.axis];
  const std::int64_t before = rows.before(rows.axis);
  const std::int64_t after = rows.after(rows.axis);
  for (std::int64_t row = first; row < last; ++row) {
    const std::int64_t source = rows.source(row);
    if (source < 0) continue;
    const float* dy = call.output_gradient + row * rows.y[rows.axis] * rows.inner;
    float* dx = call.gradient(0) + source * extent * rows.inner;
    if (rows.options.mode() == PadMode::Constant) {  // every number has one place
      std::memcpy(dx, dy + before * rows.inner,
                  static_cast<std::size_t>(extent * rows.inner) * sizeof(float));
      continue;
    }
    add_margin(rows, -before, 0, dy, dx);
    add(dy + before * rows.inner, extent * rows.inner, dx);
    add_margin(rows, extent, extent + after, dy + (before + extent) * rows.inner, dx);
  }
}

// Where the outermost axis is not padded, each of its pictures is one thread's.
void backward(const Call& call) {
  float* dx = call.gradient(0);
  if (call.in(0).shape.rank == 0) {
    dx[0] = call.output_gradient[0];
    return;
  }
  const Rows rows(call);
  const std::int64_t count = call.out().elements() / (rows.y[rows.axis] * rows.inner);
  const bool whole = rows.axis > 0 && rows.x[0] == rows.y[0];
  const std::int64_t pictures = whole ? rows.x[0] : 1;
  const std::int64_t picture_floats = call.in(0).elements() / pictures;
  const auto add_pictures = [&](std::size_t, std::int64_t first, std::int64_t last) {
    if (rows.options.mode() != PadMode::Constant)
      std::fill_n(dx + first * picture_floats, (last - first) * picture_floats, 0.0F);
    add_rows(rows, call, count / pictures * first, count / pictures * last);
  };
  share(call.out().elements() < kWorthSharing ? nullptr : call.operation.threads, pictures,
        add_pictures);
}

}  // namespace

extern const BackwardRoom kPad;
const BackwardRoom kPad{
    .differentiable = input_bit(0),
    .reads = reads,
    .backward = backward,
};

}  // namespace figment::train
