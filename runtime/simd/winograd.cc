// Winograd's convolution, all but its products: tiles of the picture to points, and points to
// outputs.
//
// For a side of n input pixels, n - 1 finite points a_j and the infinite one, m outputs and r taps,
// n = m + r - 1 (Lavin, Gray: Fast Algorithms for Convolutional Neural Networks, 2015; Toom and
// Cook for the matrices):
//
//   outputs = A^T [(G taps) * (B^T inputs)]
//   B^T row j = coefficients of prod over k != j of (x - a_k); the last: of prod over k of (x -
//   a_k) A^T [i][j] = a_j ^ i; the last column is 0 but for its last row, 1 G [j][k] = a_j ^ k /
//   prod over l != j of (a_j - a_l); the last row is 0 but for its last, 1
//
// Points 0, 1, -1 for n = 4; 0, +-sqrt(1/2), +-sqrt(2) for n = 6: their squares are exact and their
// products small, which leaves a quarter of the error that 0, +-1, +-2 have.
//
// An infinity or a NaN among the inputs spreads over the outputs of its tile.
#include "runtime/simd/kernels.h"
#include "runtime/simd/vector.h"

namespace figment::simd::FIGMENT_ISA {
namespace {

constexpr float kA = 0.70710678118654752f;  // sqrt(1/2)
constexpr float kB = 1.41421356237309505f;  // sqrt(2)

// B^T along one side.
template <typename T>
[[gnu::always_inline]] inline void to_points(const T (&d)[4], T (&points)[4]) {
  points[0] = d[2] - d[0];
  points[1] = d[2] + d[1];
  points[2] = d[2] - d[1];
  points[3] = d[3] - d[1];
}

template <typename T>
[[gnu::always_inline]] inline void to_points(const T (&d)[6], T (&points)[6]) {
  points[0] = (d[0] + d[4]) - 2.5f * d[2];
  const T even_a = d[4] - 2.0f * d[2];
  const T odd_a = kA * (d[3] - 2.0f * d[1]);
  const T even_b = d[4] - 0.5f * d[2];
  const T odd_b = kB * (d[3] - 0.5f * d[1]);
  points[1] = even_a + odd_a;
  points[2] = even_a - odd_a;
  points[3] = even_b + odd_b;
  points[4] = even_b - odd_b;
  points[5] = (d[1] + d[5]) - 2.5f * d[3];
}

// A^T along one side.
template <int kSteps, typename T>
[[gnu::always_inline]] inline void to_outputs(const T (&m)[4], T (&y)[kSteps]) {
  static_assert(kSteps == 2 || kSteps == 3);
  const T sum = m[1] + m[2];
  y[0] = m[0] + sum;
  y[1] = m[1] - m[2];
  if constexpr (kSteps == 2)
    y[1] += m[3];
  else
    y[2] = sum + m[3];
}

template <int kSteps, typename T>
[[gnu::always_inline]] inline void to_outputs(const T (&m)[6], T (&y)[kSteps]) {
  static_assert(kSteps >= 2 && kSteps <= 5);
  const T sum_a = m[1] + m[2];
  const T sum_b = m[3] + m[4];
  const T difference_a = kA * (m[1] - m[2]);
  const T difference_b = kB * (m[3] - m[4]);
  y[0] = m[0] + (sum_a + sum_b);
  y[1] = difference_a + difference_b;
  if constexpr (kSteps > 2) y[2] = 0.5f * sum_a + 2.0f * sum_b;
  if constexpr (kSteps > 3) y[3] = 0.5f * difference_a + 2.0f * difference_b;
  if constexpr (kSteps > 4) y[4] = 0.25f * sum_a + 4.0f * sum_b;
  y[kSteps - 1] += m[5];
}

struct Place {
  int picture, top, left;  // of a tile, in tiles
};

[[gnu::always_inline]] inline Place place_of(const Tiles& tiles, int tile) {
  const int rest = tile % (tiles.down * tiles.across);
  return {tile / (tiles.down * tiles.across), rest / tiles.across, rest % tiles.across};
}

const float kZeros[kLanes] = {};

// Channels from `channel` on, one T of them. Where `inside` of a pixel is 0, `at` is kZeros.
template <int kWidth, typename T>
[[gnu::always_inline]] inline void transform_input(const float* const (&at)[kWidth][kWidth],
                                                   const std::int64_t (&inside)[kWidth][kWidth],
                                                   std::int64_t channel, float* to,
                                                   std::int64_t point_stride) {
  T half[kWidth][kWidth];  // columns are points already
#pragma GCC unroll 6
  for (int x = 0; x < kWidth; ++x) {
    T side[kWidth];
    T points[kWidth];
#pragma GCC unroll 6
    for (int y = 0; y < kWidth; ++y) side[y] = load<T>(at[y][x] + (channel & inside[y][x]));
    to_points(side, points);
#pragma GCC unroll 6
    for (int y = 0; y < kWidth; ++y) half[y][x] = points[y];
  }
#pragma GCC unroll 6
  for (int y = 0; y < kWidth; ++y) {
    T points[kWidth];
    to_points(half[y], points);
#pragma GCC unroll 6
    for (int x = 0; x < kWidth; ++x)
      store(to + (y * kWidth + x) * point_stride + channel, points[x]);
  }
}

template <int kWidth>
void input(const WinogradInput& task) {
  const std::int64_t channels = task.channels;
  const std::int64_t row = task.picture_width * channels;
  for (int tile = 0; tile < task.tiles.count; ++tile) {
    const Place place = place_of(task.tiles, task.tiles.first + tile);
    const int top = place.top * task.step - task.pad_top;
    const int left = place.left * task.step - task.pad_left;
    const float* picture = task.picture + place.picture * task.picture_height * row;
    const float* at[kWidth][kWidth];
    std::int64_t inside[kWidth][kWidth];
    for (int y = 0; y < kWidth; ++y)
      for (int x = 0; x < kWidth; ++x) {
        const bool is_inside = top + y >= 0 && top + y < task.picture_height && left + x >= 0 &&
                               left + x < task.picture_width;
        at[y][x] = is_inside ? picture + (top + y) * row + (left + x) * channels : kZeros;
        inside[y][x] = is_inside ? -1 : 0;
      }
    float* to = task.points + tile * channels;
    std::int64_t channel = 0;
    for (; channel + kLanes <= channels; channel += kLanes)
      transform_input<kWidth, Vector>(at, inside, channel, to, task.point_stride);
    for (; channel < channels; ++channel)
      transform_input<kWidth, float>(at, inside, channel, to, task.point_stride);
  }
}

template <int kWidth, int kSteps, typename T>
[[gnu::always_inline]] inline void transform_output(const WinogradOutput& task, const float* from,
                                                    float* const (&at)[kSteps][kSteps],
                                                    const float* bias, std::int64_t channel) {
  T half[kSteps][kWidth];
#pragma GCC unroll 6
  for (int x = 0; x < kWidth; ++x) {
    T side[kWidth];
    T outputs[kSteps];
#pragma GCC unroll 6
    for (int y = 0; y < kWidth; ++y)
      side[y] = load<T>(from + (y * kWidth + x) * task.point_stride + channel);
    to_outputs<kSteps>(side, outputs);
#pragma GCC unroll 6
    for (int y = 0; y < kSteps; ++y) half[y][x] = outputs[y];
  }
  const T shift = bias != nullptr ? load<T>(bias + channel) : T{};
#pragma GCC unroll 6
  for (int y = 0; y < kSteps; ++y) {
    T outputs[kSteps];
    to_outputs<kSteps>(half[y], outputs);
#pragma GCC unroll 6
    for (int x = 0; x < kSteps; ++x) {
      if (at[y][x] == nullptr) continue;
      T value = outputs[x] + shift;
      value = value < 0 ? task.slope * value : value;
      store(at[y][x] + channel, clamp(value, task.low, task.high));
    }
  }
}

template <int kWidth, int kSteps>
void output(const WinogradOutput& task) {
  const std::int64_t channels = task.channels;
  const int phases = task.stride_height * task.stride_width;
  for (int tile = 0; tile < task.tiles.count; ++tile) {
    const Place place = place_of(task.tiles, task.tiles.first + tile);
    const std::int64_t picture_floats = task.picture_height * (task.picture_width * channels);
    float* picture = task.picture + place.picture * picture_floats;
    for (int phase = 0; phase < phases; ++phase) {
      const int top =
          place.top * kSteps * task.stride_height + phase / task.stride_width - task.crop_top;
      const int left =
          place.left * kSteps * task.stride_width + phase % task.stride_width - task.crop_left;
      float* at[kSteps][kSteps];
      for (int i = 0; i < kSteps; ++i)
        for (int j = 0; j < kSteps; ++j) {
          const int y = top + i * task.stride_height;
          const int x = left + j * task.stride_width;
          const bool inside = y >= 0 && y < task.picture_height && x >= 0 && x < task.picture_width;
          at[i][j] =
              inside ? picture + (std::int64_t{y} * task.picture_width + x) * channels : nullptr;
        }
      const float* from = task.points + (std::int64_t{tile} * phases + phase) * channels;
      std::int64_t channel = 0;
      for (; channel + kLanes <= channels; channel += kLanes)
        transform_output<kWidth, kSteps, Vector>(task, from, at, task.bias, channel);
      for (; channel < channels; ++channel)
        transform_output<kWidth, kSteps, float>(task, from, at, task.bias, channel);
    }
  }
}

}  // namespace

void winograd_input(const WinogradInput& task) {
  return task.width == 4 ? input<4>(task) : input<6>(task);
}

void winograd_output(const WinogradOutput& task) {
  if (task.width == 4) return task.step == 2 ? output<4, 2>(task) : output<4, 3>(task);
  switch (task.step) {
    case 2:
      return output<6, 2>(task);
    case 3:
      return output<6, 3>(task);
    case 4:
      return output<6, 4>(task);
    default:
      return output<6, 5>(task);
  }
}

}  // namespace figment::simd::FIGMENT_ISA
