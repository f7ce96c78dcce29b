// Low-rank adapters, spectral normalization.
#include "runtime/train/effective_weights.h"

#include <cmath>
#include <cstring>

#include "runtime/train/stored_weights.h"

namespace figment::train {
namespace {

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

double singular_value(const Parameter& parameter) {
  double value = 0;
  for (std::int64_t row = 0; row < parameter.rows; ++row)
    value +=
        double{parameter.left_vector[row]} * product_sum(parameter.values + row * parameter.columns,
                                                         parameter.right_vector, parameter.columns);
  return value;
}

std::size_t return_scratch_bytes(const Parameter& parameter, pthreadpool* threads) {
  return parameter.adapts() ? multiply_scratch_bytes(threads) : 0;
}

void form_weights(const Parameter& parameter, bool iterate, float* weights) {
  const std::int64_t rows = parameter.rows;
  const std::int64_t columns = parameter.columns;
  if (parameter.adapts()) {
    const StoredWeights stored{&parameter.source, columns, parameter.low_rank()};
    for (std::int64_t row = 0; row < rows; ++row)
      widen_row(stored, row, 0, columns, weights + row * columns);
    return;
  }
  if (!parameter.is_spectral()) return;
  if (iterate) follow_singular_vectors(parameter);
  const double value = singular_value(parameter);
  *parameter.singular_value = static_cast<float>(value);
  const float factor = static_cast<float>(1 / value);
  for (std::int64_t i = 0; i < rows * columns; ++i) weights[i] = factor * parameter.values[i];
}

void return_gradient(const Parameter& parameter, const float* weights_gradient, bool add,
                     const Loops& loops, float* gradient, std::byte* scratch,
                     pthreadpool* threads) {
  const std::int64_t rows = parameter.rows;
  const std::int64_t columns = parameter.columns;
  if (parameter.adapts())
    return return_adapter_rows(parameter, 0, rows, weights_gradient, add, add, loops, gradient,
                               scratch, threads);
  if (!parameter.is_spectral()) return;
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

void return_adapter_rows(const Parameter& parameter, std::int64_t first, std::int64_t count,
                         const float* rows, bool add_left, bool add_right, const Loops& loops,
                         float* gradient, std::byte* scratch, pthreadpool* threads) {
  const std::int64_t rank = parameter.rank;
  const std::int64_t columns = parameter.columns;
  const Matrix dw = matrix(rows, columns);
  multiply({.rows = count,
            .columns = rank,
            .depth = columns,
            .a = dw,
            .b = matrix(parameter.right(), columns).transposed(),
            .c = gradient + first * rank,
            .c_stride = rank,
            .add = add_left},
           loops, scratch, threads);
  multiply({.rows = rank,
            .columns = columns,
            .depth = count,
            .a = matrix(parameter.values + first * rank, rank).transposed(),
            .b = dw,
            .c = gradient + parameter.rows * rank,
            .c_stride = columns,
            .add = add_right},
           loops, scratch, threads);
}

}  // namespace figment::train
