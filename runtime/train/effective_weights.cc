// Low-rank adapters, spectral normalization.
#include "runtime/train/effective_weights.h"

#include <cmath>
#include <cstring>

#include "runtime/train/threads.h"

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

// v = normalize(W^T u), u = normalize(W v).
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

}  // namespace

double singular_value(const Parameter& parameter) {
  double value = 0;
  for (std::int64_t row = 0; row < parameter.rows; ++row)
    value += double{parameter.left_vector[row]} *
             product_sum(parameter.values + row * parameter.columns, parameter.right_vector,
                         parameter.columns);
  return value;
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
      const float value =
          factor * (weights_gradient[at] -
                    along * parameter.left_vector[row] * parameter.right_vector[i]);
      gradient[at] = add ? gradient[at] + value : value;
    }
}

}  // namespace figment::train
