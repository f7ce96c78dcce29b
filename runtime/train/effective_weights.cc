// Widening, low-rank adapters, spectral normalization.
#include "runtime/train/effective_weights.h"

#include <cmath>
#include <cstring>

#include "runtime/math/half.h"
#include "runtime/math/int4.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

void widen_int8(const Tensor& constant, float* values) {
  const auto* bytes = static_cast<const std::int8_t*>(constant.data);
  const auto channels = static_cast<std::int64_t>(constant.scales.size());
  // Rows of one channel each: of transposed convolutions' weights [groups, kernel, kernel, outputs,
  // C] the last axis, and the channels come again with every tap; of all others what a channel has.
  const bool transposed = constant.shape.rank == 5;
  const std::int64_t row =
      transposed ? constant.shape[4] : constant.elements() / (channels > 0 ? channels : 1);
  const std::int64_t outputs = transposed ? constant.shape[3] : 1;
  const std::int64_t taps = transposed ? std::int64_t{constant.shape[1]} * constant.shape[2] : 1;
  const std::int64_t rows = row > 0 ? constant.elements() / row : 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t channel = r / (taps * outputs) * outputs + r % outputs;
    const float scale = constant.scales[static_cast<std::size_t>(channel)];
    for (std::int64_t i = 0; i < row; ++i)
      values[r * row + i] = scale * static_cast<float>(bytes[r * row + i]);
  }
}

void widen_blocks(const Tensor& constant, float* values) {
  const std::int64_t depth = math::int4_row_length(constant.shape);
  const auto* narrow = static_cast<const std::uint16_t*>(constant.data);
  const auto* packed =
      reinterpret_cast<const std::uint8_t*>(narrow + math::int4_scale_count(constant.shape));
  const std::int64_t rows = constant.elements() / depth;
  for (std::int64_t r = 0; r < rows; ++r, packed += math::int4_row_bytes(depth))
    for (std::int64_t i = 0; i < depth; ++i) {
      const int bits = packed[i / 2] >> (i % 2 * 4) & 15;
      const std::int64_t block = r * math::int4_blocks(depth) + i / math::kInt4Block;
      values[r * depth + i] =
          math::widen_bfloat16(narrow[block]) * static_cast<float>(bits < 8 ? bits : bits - 16);
    }
}

double product_sum(const float* a, const float* b, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += double{a[i]} * b[i];
  return sum;
}

void normalize(float* vector, std::int64_t count) {
  const float length = static_cast<float>(std::sqrt(product_sum(vector, vector, count)));
  const float factor = 1 / (length > 1e-12F ? length : 1e-12F);
  for (std::int64_t i = 0; i < count; ++i) vector[i] *= factor;
}

}  // namespace

void widen_constant(const Tensor& constant, float* values) {
  switch (constant.type) {
    case DataType::kFloat16: {
      const auto* halves = static_cast<const std::uint16_t*>(constant.data);
      for (std::int64_t i = 0; i < constant.elements(); ++i)
        values[i] = math::widen_half(halves[i]);
      return;
    }
    case DataType::kInt8:
      return widen_int8(constant, values);
    case DataType::kInt4:
      return widen_blocks(constant, values);
    default:
      std::memcpy(values, constant.data,
                  static_cast<std::size_t>(constant.elements()) * sizeof(float));
  }
}

void follow_singular_vectors(const Parameter& parameter) {
  const std::int64_t columns = parameter.columns;
  std::memset(parameter.right_vector, 0, static_cast<std::size_t>(columns) * sizeof(float));
  for (std::int64_t row = 0; row < parameter.rows; ++row) {
    const float factor = parameter.left_vector[row];
    for (std::int64_t i = 0; i < columns; ++i)
      parameter.right_vector[i] += factor * parameter.values[row * columns + i];
  }
  normalize(parameter.right_vector, columns);
  for (std::int64_t row = 0; row < parameter.rows; ++row)
    parameter.left_vector[row] = static_cast<float>(
        product_sum(parameter.values + row * columns, parameter.right_vector, columns));
  normalize(parameter.left_vector, parameter.rows);
}

std::size_t form_scratch_bytes(const Parameter& parameter, pthreadpool* threads) {
  return parameter.form == Form::kAdapter ? multiply_scratch_bytes(threads) : 0;
}

void form_weights(const Parameter& parameter, bool iterate, const Loops& loops, float* weights,
                  std::byte* scratch, pthreadpool* threads) {
  const std::int64_t rows = parameter.rows;
  const std::int64_t columns = parameter.columns;
  if (parameter.form == Form::kAdapter) {
    widen_constant(parameter.source, weights);
    multiply({rows, columns, parameter.rank, matrix(parameter.values, parameter.rank),
              matrix(parameter.right(), columns), weights, columns, true},
             loops, scratch, threads);
    return;
  }
  if (iterate) follow_singular_vectors(parameter);
  double value = 0;
  for (std::int64_t row = 0; row < rows; ++row)
    value += double{parameter.left_vector[row]} *
             product_sum(parameter.values + row * columns, parameter.right_vector, columns);
  *parameter.singular_value = static_cast<float>(value);
  const float factor = static_cast<float>(1 / value);
  for (std::int64_t i = 0; i < rows * columns; ++i) weights[i] = factor * parameter.values[i];
}

void return_gradient(const Parameter& parameter, const float* weights_gradient, bool add,
                     const Loops& loops, float* gradient, std::byte* scratch,
                     pthreadpool* threads) {
  const std::int64_t rows = parameter.rows;
  const std::int64_t columns = parameter.columns;
  if (parameter.form == Form::kAdapter) {
    const std::int64_t rank = parameter.rank;
    const Matrix dw = matrix(weights_gradient, columns);
    multiply({rows, rank, columns, dw, matrix(parameter.right(), columns).transposed(), gradient,
              rank, add},
             loops, scratch, threads);
    multiply({rank, columns, rows, matrix(parameter.values, rank).transposed(), dw,
              gradient + rows * rank, columns, add},
             loops, scratch, threads);
    return;
  }
  const float factor = 1 / *parameter.singular_value;
  const float along = static_cast<float>(
      product_sum(weights_gradient, parameter.values, rows * columns) * double{factor});
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t i = 0; i < columns; ++i) {
      const std::int64_t at = row * columns + i;
      const float value = factor * (weights_gradient[at] -
                                    along * parameter.left_vector[row] * parameter.right_vector[i]);
      gradient[at] = add ? gradient[at] + value : value;
    }
}

}  // namespace figment::train
