// G taps G^T of every kernel (runtime/simd/winograd.cc), in double precision.
#include "runtime/xnnpack/winograd_weights.h"

#include <algorithm>
#include <cmath>

#include "runtime/xnnpack/matrix_product.h"

namespace figment::xnnpack {
namespace {

constexpr int kMostWidth = 6;
constexpr int kMostTaps = 5;

// G along one side.
struct TapsToPoints {
  double rows[kMostWidth][kMostTaps] = {};

  TapsToPoints(int width, int taps) {
    const double root = std::sqrt(2.0);
    const double four[] = {0, 1, -1};
    const double six[] = {0, root / 2, -root / 2, root, -root};
    const double* points = width == 4 ? four : six;
    for (int j = 0; j < width - 1; ++j) {
      double divisor = 1;
      for (int other = 0; other < width - 1; ++other)
        if (other != j) divisor *= points[j] - points[other];
      double power = 1 / divisor;
      for (int k = 0; k < taps; ++k, power *= points[j]) rows[j][k] = power;
    }
    rows[width - 1][taps - 1] = 1;
  }
};

// All points of one column, input channel by input channel.
class PointWriter {
 public:
  PointWriter(const Operation& operation, const WinogradGeometry& geometry,
              const WinogradTiling& tiling)
      : matrix_(tiling.width, geometry.taps),
        kernel_(kernel_of(operation)),
        geometry_(geometry),
        weights_(operation.in(1)),
        transposed_(is_transposed(operation)),
        width_(tiling.width),
        taps_(geometry.taps) {}

  void begin(int column) {
    channel_ = column % kernel_.outputs;
    const int phase = column / kernel_.outputs;
    for (int y = 0; y < taps_; ++y)
      for (int x = 0; x < taps_; ++x) first_[y][x] = first_of(phase, y, x);
  }

  // `step` floats from point to point.
  void write(int input, float* to, std::int64_t step) const {
    double half[kMostWidth][kMostTaps] = {};
    for (int y = 0; y < taps_; ++y)
      for (int x = 0; x < taps_; ++x) {
        if (first_[y][x] < 0) continue;
        const double tap = weight_at(weights_, first_[y][x] + input, channel_);
        for (int j = 0; j < width_; ++j) half[j][x] += matrix_.rows[j][y] * tap;
      }
    for (int y = 0; y < width_; ++y)
      for (int x = 0; x < width_; ++x) {
        double point = 0;
        for (int k = 0; k < taps_; ++k) point += half[y][k] * matrix_.rows[x][k];
        to[(y * width_ + x) * step] = static_cast<float>(point);
      }
  }

 private:
  // Where the weights of a tap begin, as a convolution meets them, one for each input channel; -1
  // beyond the kernel.
  std::int64_t first_of(int phase, int y, int x) const {
    if (!transposed_)
      return (channel_ * kernel_.height * kernel_.width + y * kernel_.width + x) * kernel_.inputs;
    y = phase / geometry_.stride_width + geometry_.stride_height * (taps_ - 1 - y);
    x = phase % geometry_.stride_width + geometry_.stride_width * (taps_ - 1 - x);
    if (y >= kernel_.height || x >= kernel_.width) return -1;
    return (std::int64_t{y * kernel_.width + x} * kernel_.outputs + channel_) * kernel_.inputs;
  }

  TapsToPoints matrix_;
  Kernel kernel_;
  const WinogradGeometry& geometry_;
  const Tensor& weights_;
  bool transposed_;
  int width_, taps_;
  std::int64_t channel_ = 0;
  std::int64_t first_[kMostTaps][kMostTaps] = {};
};

}  // namespace

void transform_weights(const Operation& operation, const WinogradGeometry& geometry,
                       const WinogradTiling& tiling, const simd::Packing* packing, float* to) {
  const int columns = geometry.columns();
  const std::int64_t point_floats =
      packing != nullptr ? packing->floats() : std::int64_t{columns} * geometry.inputs;
  PointWriter points(operation, geometry, tiling);
  for (int column = 0; column < columns; ++column) {
    points.begin(column);
    for (int input = 0; input < geometry.inputs; ++input)
      points.write(input,
                   to + (packing != nullptr ? packing->at(column, input)
                                            : std::int64_t{column} * geometry.inputs + input),
                   point_floats);
  }
}

void transform_weights(const Operation& operation, const WinogradGeometry& geometry,
                       const WinogradTiling& tiling, const simd::PackingInt8& packing,
                       float* column_points, std::byte* to) {
  const int inputs = geometry.inputs;
  PointWriter points(operation, geometry, tiling);
  for (int column = 0; column < geometry.columns(); ++column) {
    points.begin(column);
    for (int input = 0; input < inputs; ++input) points.write(input, column_points + input, inputs);
    for (int point = 0; point < tiling.points(); ++point) {
      const float* weights = column_points + std::int64_t{point} * inputs;
      const float inverse = steps_in_one(weights, inputs);
      PackedColumn packed(packing, to + point * packing.bytes(), column);
      for (int input = 0; input < inputs; ++input)
        packed.put(input, static_cast<std::int8_t>(std::lrintf(weights[input] * inverse)));
      packed.finish(inverse > 0 ? 1 / inverse : 0, 0);
    }
  }
}

}  // namespace figment::xnnpack
