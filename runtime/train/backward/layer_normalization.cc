// LayerNormalization: y = n scale + bias with n = (x - mean) f, f = 1 / sqrt(variance + epsilon),
// x [rows, length], statistics of each row. With dy [rows, length] and g = dy scale:
//   dscale [length] = the sum of dy n over the rows
//   dbias [length]  = the sum of dy
//   dx              = (g - mean(g) - n mean(g n)) f, means over each row
#include <algorithm>

#include "runtime/train/backward.h"
#include "runtime/train/lanes.h"
#include "runtime/train/normalization.h"
#include "runtime/train/rows.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

enum Operand { kX, kScale, kBias };

struct Sizes {
  std::int64_t length = 1, rows;

  explicit Sizes(const Call& call) {
    const Shape& x = call.in(kX).shape;
    const int axes = call.as<format::LayerNormalization>().axes();
    for (int axis = x.rank - axes; axis < x.rank; ++axis) length *= x[axis];
    rows = x.elements() / length;
  }
};

// call.saved: of each row.
Normal* normals_of(const Call& call) { return reinterpret_cast<Normal*>(call.saved); }

std::size_t saved_bytes(const Call& call) {
  return static_cast<std::size_t>(Sizes(call).rows) * sizeof(Normal);
}

const float* scale_of(const Call& call) {
  return call.has(kScale) ? call.in(kScale).floats() : nullptr;
}

Reads reads(const Call&, Inputs wanted) {
  Reads result;
  if (wanted & input_bit(kX)) result.inputs |= input_bit(kX) | input_bit(kScale);
  if (wanted & input_bit(kScale)) result.inputs |= input_bit(kX);
  return result;
}

template <typename Function>
void share_rows(const Call& call, const Sizes& sizes, const Function& body) {
  share(sizes.rows * sizes.length < kWorthSharing ? nullptr : call.operation.threads, sizes.rows,
        [&](std::size_t, std::int64_t first, std::int64_t last) {
          for (std::int64_t row = first; row < last; ++row) body(row);
        });
}

// ---- Forward ----

void normalize(const float* x, const Normal& normal, const float* scale, const float* bias,
               std::int64_t length, float* y) {
  const auto [centre, factor, shift] = normal;
  if (scale != nullptr && bias != nullptr) {
    for (std::int64_t i = 0; i < length; ++i)
      y[i] = ((x[i] - centre) * factor + shift) * scale[i] + bias[i];
    return;
  }
  for (std::int64_t i = 0; i < length; ++i) y[i] = (x[i] - centre) * factor + shift;
  if (scale != nullptr)
    for (std::int64_t i = 0; i < length; ++i) y[i] *= scale[i];
  if (bias != nullptr)
    for (std::int64_t i = 0; i < length; ++i) y[i] += bias[i];
}

void forward(const Call& call) {
  const Sizes sizes(call);
  const double epsilon = static_cast<double>(call.as<format::LayerNormalization>().epsilon());
  const float* bias = call.has(kBias) ? call.in(kBias).floats() : nullptr;
  share_rows(call, sizes, [&](std::int64_t row) {
    const float* x = call.in(kX).floats() + row * sizes.length;
    const Moments moments = moments_of(x, sizes.length);
    const Normal normal = normal_of(moments.mean, moments.squares / moments.count, epsilon);
    normals_of(call)[row] = normal;
    normalize(x, normal, scale_of(call), bias, sizes.length,
              call.out().floats() + row * sizes.length);
  });
}

// ---- Backward ----

// Numbers that are summed in float32.
constexpr std::int64_t kNumbers = 1024;

// Sums of g and of g (x - centre) over a row. g = dy where nothing is scaled.
template <bool kScaled>
ColumnSums sum_line(const float* dy, const float* x, const float* scale, float centre,
                    std::int64_t length) {
  ColumnSums sums;
  for (std::int64_t first = 0; first < length; first += kNumbers) {
    const std::int64_t last = std::min(length, first + kNumbers);
    Lanes gradients = {};
    Lanes products = {};
    const auto add = [&](std::int64_t i, std::int64_t lane) {
      const float gradient = kScaled ? dy[i] * scale[i] : dy[i];
      gradients[lane] += gradient;
      products[lane] += gradient * (x[i] - centre);
    };
    std::int64_t i = first;
    for (; i + kLanes <= last; i += kLanes)
      for (std::int64_t lane = 0; lane < kLanes; ++lane) add(i + lane, lane);
    for (std::int64_t lane = 0; i < last; ++i, ++lane) add(i, lane);
    sums.gradients += static_cast<double>(add_lanes(gradients));
    sums.products += static_cast<double>(add_lanes(products));
  }
  return sums;
}

template <bool kScaled>
void line_gradient(const float* dy, const float* x, const float* scale, const Normal& normal,
                   std::int64_t length, float* dx) {
  const ColumnSums sums = sum_line<kScaled>(dy, x, scale, normal.centre, length);
  const double by_normal = sums.normalized(normal);
  const double part = static_cast<double>(normal.factor) / static_cast<double>(length);
  const float slope = static_cast<float>(-part * by_normal * static_cast<double>(normal.factor));
  const float offset =
      static_cast<float>(-part * (sums.gradients + by_normal * static_cast<double>(normal.shift)));
  for (std::int64_t i = 0; i < length; ++i) {
    const float gradient = kScaled ? dy[i] * scale[i] : dy[i];
    dx[i] = gradient * normal.factor + (x[i] - normal.centre) * slope + offset;
  }
}

// Of each column.
std::size_t scratch_bytes(const Call& call) {
  return static_cast<std::size_t>(Sizes(call).length) * sizeof(ColumnSums);
}

void parameter_gradients(const Call& call, const Sizes& sizes) {
  float* dscale = call.gradient(kScale);
  float* dbias = call.gradient(kBias);
  if (dscale == nullptr) {
    if (dbias != nullptr)
      sum_rows(call.output_gradient, sizes.rows, sizes.length, dbias, call.operation.threads);
    return;
  }
  ColumnSums* sums = reinterpret_cast<ColumnSums*>(call.operation.scratch);
  share(sizes.rows * sizes.length < kWorthSharing ? nullptr : call.operation.threads,
        (sizes.length + kChannelsTogether - 1) / kChannelsTogether,
        [&](std::size_t, std::int64_t first, std::int64_t last) {
          first *= kChannelsTogether;
          last = std::min(sizes.length, last * kChannelsTogether);
          row_sums(call.output_gradient, call.in(kX).floats(), normals_of(call), sizes.rows,
                   sizes.length, first, last, sums);
          for (std::int64_t i = first; i < last; ++i) {
            dscale[i] = static_cast<float>(sums[i].products);
            if (dbias != nullptr) dbias[i] = static_cast<float>(sums[i].gradients);
          }
        });
}

void backward(const Call& call) {
  const Sizes sizes(call);
  parameter_gradients(call, sizes);  // first: dx may overwrite dy
  float* dx = call.gradient(kX);
  if (dx == nullptr) return;
  const float* scale = scale_of(call);
  const auto gradient = scale != nullptr ? line_gradient<true> : line_gradient<false>;
  share_rows(call, sizes, [&](std::int64_t row) {
    const std::int64_t begin = row * sizes.length;
    gradient(call.output_gradient + begin, call.in(kX).floats() + begin, scale,
             normals_of(call)[row], sizes.length, dx + begin);
  });
}

}  // namespace

extern const BackwardRoom kLayerNormalization;
const BackwardRoom kLayerNormalization{
    .differentiable = input_bit(kX) | input_bit(kScale) | input_bit(kBias),
    .in_place = true,
    .reads = reads,
    .forward = forward,
    .saved_bytes = saved_bytes,
    .scratch_bytes = scratch_bytes,
    .backward = backward,
};

}  // namespace figment::train
