// Rows of pixels, channel beside channel. Compiled once for each instruction set
// (runtime/train/CMakeLists.txt), as runtime/simd is.
#include "runtime/train/pixel_loops.h"

#include "runtime/simd/vector.h"

namespace figment::train::FIGMENT_ISA {
namespace {

using simd::FIGMENT_ISA::kLanes;
using simd::FIGMENT_ISA::load;
using simd::FIGMENT_ISA::store;
using simd::FIGMENT_ISA::Vector;

// What is left of a row after whole vectors: rows of 3 channels by 4 taps are common.
using Quad = float __attribute__((vector_size(16), aligned(alignof(float)), may_alias));

void add_quad(const float* x, float* y) {
  *reinterpret_cast<Quad*>(y) += *reinterpret_cast<const Quad*>(x);
}

template <typename T>
void add_one(const float* x, float* y) {
  store(y, load<T>(y) + load<T>(x));
}

template <typename T>
void multiply_add_one(const float* x, const float* weights, float* y) {
  store(y, load<T>(y) + load<T>(x) * load<T>(weights));
}

template <typename T>
void sum_column(const PixelRow& row, std::int64_t channel) {
  T sum = load<T>(row.y + channel);
  const float* x = row.x + channel;
  const float* weights = row.weights + channel;
  for (std::int64_t i = 0; i < row.pixels; ++i, x += row.x_step, weights += row.weights_step)
    sum += load<T>(x) * load<T>(weights);
  store(row.y + channel, sum);
}

}  // namespace

void add_pixels(const PixelRow& row) {
  const float* x = row.x;
  float* y = row.y;
  for (std::int64_t i = 0; i < row.pixels; ++i, x += row.x_step, y += row.y_step) {
    std::int64_t channel = 0;
    for (; channel + kLanes <= row.channels; channel += kLanes)
      add_one<Vector>(x + channel, y + channel);
    for (; channel + 4 <= row.channels; channel += 4) add_quad(x + channel, y + channel);
    for (; channel < row.channels; ++channel) add_one<float>(x + channel, y + channel);
  }
}

void multiply_add_pixels(const PixelRow& row) {
  const float* x = row.x;
  float* y = row.y;
  for (std::int64_t i = 0; i < row.pixels; ++i, x += row.x_step, y += row.y_step) {
    std::int64_t channel = 0;
    for (; channel + kLanes <= row.channels; channel += kLanes)
      multiply_add_one<Vector>(x + channel, row.weights + channel, y + channel);
    for (; channel < row.channels; ++channel)
      multiply_add_one<float>(x + channel, row.weights + channel, y + channel);
  }
}

void sum_products(const PixelRow& row) {
  std::int64_t channel = 0;
  for (; channel + kLanes <= row.channels; channel += kLanes) sum_column<Vector>(row, channel);
  for (; channel < row.channels; ++channel) sum_column<float>(row, channel);
}

}  // namespace figment::train::FIGMENT_ISA
