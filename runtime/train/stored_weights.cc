// Rows widened.
#include "runtime/train/stored_weights.h"

#include <cstring>

#include "runtime/math/half.h"
#include "runtime/math/int4.h"

namespace figment::train {
namespace {

// The scale of a row of int8 weights: one a channel. Of transposed convolutions' weights the
// channels come again with every tap.
float scale_of_row(const Tensor& tensor, std::int64_t columns, std::int64_t row) {
  const auto channels = static_cast<std::int64_t>(tensor.scales.size());
  std::int64_t channel = 0;
  if (tensor.shape.rank == 5) {
    const std::int64_t outputs = tensor.shape[3];
    const std::int64_t rows_of_group = outputs * tensor.shape[1] * tensor.shape[2];
    channel = row / rows_of_group * outputs + row % outputs;
  } else {
    // A channel may have several rows, as matrices of recurrent layers have several.
    channel = row * channels / (tensor.elements() / columns);
  }
  return tensor.scales[static_cast<std::size_t>(channel)];
}

void widen_blocks(const Tensor& tensor, std::int64_t depth, std::int64_t row, std::int64_t first,
                  std::int64_t count, float* values) {
  const auto* scales = static_cast<const std::uint16_t*>(tensor.data);
  const auto* packed =
      reinterpret_cast<const std::uint8_t*>(scales + math::int4_scale_count(tensor.shape)) +
      row * math::int4_row_bytes(depth);
  scales += row * math::int4_blocks(depth);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t at = first + i;
    const int bits = packed[at / 2] >> (at % 2 * 4) & 15;
    values[i] = math::widen_bfloat16(scales[at / math::kInt4Block]) *
                static_cast<float>(bits < 8 ? bits : bits - 16);
  }
}

}  // namespace

std::int64_t weight_columns(const Shape& shape) {
  if (shape.rank == 5) return shape[4];
  return shape.rank > 0 && shape[0] > 0 ? shape.elements() / shape[0] : 1;
}

void widen_row(const StoredWeights& weights, std::int64_t row, std::int64_t first,
               std::int64_t count, float* values) {
  const Tensor& tensor = *weights.tensor;
  const std::int64_t from = row * weights.columns + first;
  switch (tensor.type) {
    case DataType::kFloat16: {
      const std::uint16_t* halves = static_cast<const std::uint16_t*>(tensor.data) + from;
      for (std::int64_t i = 0; i < count; ++i) values[i] = math::widen_half(halves[i]);
      break;
    }
    case DataType::kInt8: {
      const std::int8_t* bytes = static_cast<const std::int8_t*>(tensor.data) + from;
      const float scale = scale_of_row(tensor, weights.columns, row);
      for (std::int64_t i = 0; i < count; ++i) values[i] = scale * static_cast<float>(bytes[i]);
      break;
    }
    case DataType::kInt4:
      widen_blocks(tensor, weights.columns, row, first, count, values);
      break;
    default:
      std::memcpy(values, tensor.floats() + from, static_cast<std::size_t>(count) * sizeof(float));
  }
  const LowRank& adapter = weights.adapter;
  for (std::int32_t r = 0; r < adapter.rank; ++r) {
    const float factor = adapter.left[row * adapter.rank + r];
    const float* right = adapter.right + r * weights.columns + first;
    for (std::int64_t i = 0; i < count; ++i) values[i] += factor * right[i];
  }
}

}  // namespace figment::train
