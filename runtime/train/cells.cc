// Gradients of recurrent cells, one loop a step, so that all of them are vectorized.
#include "runtime/train/cells.h"

#include <algorithm>

#include "runtime/math/elementary.h"
#include "runtime/ops/unary.h"

namespace figment::train {
namespace {

using format::UnaryFunction;
using ops::RecurrentActivation;

template <typename Function>
void each(const float* __restrict y, std::int64_t count, float* __restrict slopes,
          const Function& function) {
  for (std::int64_t i = 0; i < count; ++i) slopes[i] = function(y[i]);
}

// 0 where the value is that of the lowest or highest number let through: `activation` rises.
void close_clipped(const RecurrentActivation& activation, float clip, const float* __restrict y,
                   std::int64_t count, float* __restrict slopes) {
  float ends[] = {-clip, clip};
  ops::apply_unary(activation.function, activation.alpha, activation.beta, ends, ends, 2);
  const float low = ends[0];
  const float high = ends[1];
  for (std::int64_t i = 0; i < count; ++i)
    slopes[i] = ((y[i] > low) & (y[i] < high)) ? slopes[i] : 0.0F;
}

}  // namespace

const char* refuses_activation(const RecurrentActivation& activation) {
  switch (activation.function) {
    case UnaryFunction::Identity:
    case UnaryFunction::Relu:
    case UnaryFunction::Sigmoid:
    case UnaryFunction::Tanh:
    case UnaryFunction::Softplus:
    case UnaryFunction::Softsign:
      return nullptr;
    case UnaryFunction::LeakyRelu:
    case UnaryFunction::Elu:
    case UnaryFunction::HardSigmoid:
      return activation.alpha > 0 ? nullptr : "an activation whose alpha is not positive";
    default:
      return "an activation whose slope its value does not tell";
  }
}

void slopes_of(const RecurrentActivation& activation, float clip, const float* y,
               std::int64_t count, float* slopes) {
  const float alpha = activation.alpha;
  switch (activation.function) {
    case UnaryFunction::Sigmoid:
      each(y, count, slopes, [](float v) { return v * (1.0F - v); });
      break;
    case UnaryFunction::Tanh:
      each(y, count, slopes, [](float v) { return 1.0F - v * v; });
      break;
    case UnaryFunction::Relu:
      each(y, count, slopes, [](float v) { return v > 0.0F ? 1.0F : 0.0F; });
      break;
    case UnaryFunction::LeakyRelu:
      each(y, count, slopes, [alpha](float v) { return v < 0.0F ? alpha : 1.0F; });
      break;
    case UnaryFunction::Elu:
      each(y, count, slopes, [alpha](float v) { return v < 0.0F ? v + alpha : 1.0F; });
      break;
    case UnaryFunction::HardSigmoid:
      each(y, count, slopes, [alpha](float v) { return ((v > 0.0F) & (v < 1.0F)) ? alpha : 0.0F; });
      break;
    case UnaryFunction::Softplus:
      each(y, count, slopes, [](float v) { return -math::expm1_negative(-v); });
      break;
    case UnaryFunction::Softsign:
      each(y, count, slopes, [](float v) {
        const float rest = 1.0F - math::absolute(v);
        return rest * rest;
      });
      break;
    default:  // Identity: the others were refused
      std::fill_n(slopes, count, 1.0F);
      break;
  }
  if (clip > 0) close_clipped(activation, clip, y, count, slopes);
}

void rnn_gradient(std::int64_t hidden, const float* __restrict slopes, float* __restrict gates,
                  float* __restrict dh) {
  for (std::int64_t i = 0; i < hidden; ++i) {
    gates[i] = dh[i] * slopes[i];
    dh[i] = 0;
  }
}

void gru_gradient(std::int64_t hidden, const float* __restrict slopes,
                  const float* __restrict before, float* gates, float* __restrict dh) {
  float* __restrict update = gates;
  float* __restrict candidate = gates + 2 * hidden;
  for (std::int64_t i = 0; i < hidden; ++i) {
    const float z = update[i];
    update[i] = dh[i] * (before[i] - candidate[i]) * slopes[i];
    candidate[i] = dh[i] * (1.0F - z) * slopes[2 * hidden + i];
    dh[i] *= z;
  }
}

void reset_after_gradient(std::int64_t hidden, const float* __restrict slopes, float* gates,
                          float* __restrict product) {
  float* __restrict reset = gates + hidden;
  const float* __restrict candidate = gates + 2 * hidden;
  for (std::int64_t i = 0; i < hidden; ++i) {
    const float r = reset[i];
    reset[i] = candidate[i] * product[i] * slopes[hidden + i];
    product[i] = candidate[i] * r;
  }
}

void reset_before_gradient(std::int64_t hidden, const float* __restrict slopes,
                           const float* __restrict before, const float* __restrict dreset,
                           float* gates, float* __restrict dh) {
  float* __restrict reset = gates + hidden;
  for (std::int64_t i = 0; i < hidden; ++i) {
    dh[i] += dreset[i] * reset[i];
    reset[i] = dreset[i] * before[i] * slopes[hidden + i];
  }
}

void lstm_gradient(std::int64_t hidden, const LstmCell& cell, float* gates, float* __restrict dh,
                   float* __restrict dc) {
  float* __restrict input = gates;
  float* __restrict output = gates + hidden;
  float* __restrict forget = gates + 2 * hidden;
  float* __restrict candidate = gates + 3 * hidden;
  const float* __restrict slopes = cell.slopes;
  const float* __restrict before = cell.before;
  const float* __restrict activated = cell.activated;
  const float* __restrict activated_slopes = cell.activated_slopes;
  const float* __restrict peepholes = cell.peepholes;

  for (std::int64_t i = 0; i < hidden; ++i) {
    const float o = output[i];
    output[i] = dh[i] * activated[i] * slopes[hidden + i];
    dc[i] += dh[i] * o * activated_slopes[i];
    dh[i] = 0;
  }
  if (peepholes != nullptr)
    for (std::int64_t i = 0; i < hidden; ++i) dc[i] += output[i] * peepholes[hidden + i];
  for (std::int64_t i = 0; i < hidden; ++i) {
    const float in = input[i];
    const float f = forget[i];
    // Coupled, the forget gate falls as the input gate rises, and is no gate of its own.
    const float by_input = cell.couple_gates ? candidate[i] - before[i] : candidate[i];
    const float by_forget = cell.couple_gates ? 0.0F : before[i];
    input[i] = dc[i] * by_input * slopes[i];
    forget[i] = dc[i] * by_forget * slopes[2 * hidden + i];
    candidate[i] = dc[i] * in * slopes[3 * hidden + i];
    dc[i] *= f;
  }
  if (peepholes != nullptr)
    for (std::int64_t i = 0; i < hidden; ++i)
      dc[i] += input[i] * peepholes[i] + forget[i] * peepholes[2 * hidden + i];
}

void peephole_gradient(std::int64_t rows, std::int64_t hidden, const float* gates,
                       const float* before, const float* after, float* __restrict peepholes) {
  std::fill_n(peepholes, 3 * hidden, 0.0F);
  for (std::int64_t row = 0; row < rows;
       ++row, gates += 4 * hidden, before += hidden, after += hidden)
    for (std::int64_t i = 0; i < hidden; ++i) {
      peepholes[i] += gates[i] * before[i];
      peepholes[hidden + i] += gates[hidden + i] * after[i];
      peepholes[2 * hidden + i] += gates[2 * hidden + i] * before[i];
    }
}

}  // namespace figment::train
