// SGD, Adam and AdamW, and the learning rate's schedule.
#include "runtime/train/optimizers.h"

#include <cmath>

#include "runtime/math/trigonometry.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

// base^exponent in double precision, by squaring: the same bits everywhere.
double power(double base, std::int64_t exponent) {
  double result = 1;
  for (; exponent > 0; exponent /= 2, base *= base)
    if (exponent % 2 == 1) result *= base;
  return result;
}

void sgd(const OptimizerStep& step, std::int64_t first, std::int64_t last, const float* gradient,
         float* values, float* moment) {
  const float decay = step.decays ? step.options->weight_decay : 0;
  const float momentum = step.options->momentum;
  if (moment == nullptr) {
    for (std::int64_t i = first; i < last; ++i)
      values[i] -= step.learning_rate * (step.gradient_scale * gradient[i] + decay * values[i]);
    return;
  }
  for (std::int64_t i = first; i < last; ++i) {
    moment[i] = momentum * moment[i] + (step.gradient_scale * gradient[i] + decay * values[i]);
    values[i] -= step.learning_rate * moment[i];
  }
}

void adam(const OptimizerStep& step, std::int64_t first, std::int64_t last,
          const float* __restrict gradient, float* __restrict values, float* __restrict mean,
          float* __restrict square) {
  const OptimizerOptions& options = *step.options;
  const float decay = step.decays ? options.weight_decay : 0;
  const bool decoupled = options.kind == Optimizer::kAdamW;
  const float added = decoupled ? 0 : decay;
  const float kept = decoupled ? 1 - step.learning_rate * decay : 1;
  const float rate =
      static_cast<float>(double{step.learning_rate} / (1 - power(options.beta1, step.update)));
  const float root = static_cast<float>(1 / std::sqrt(1 - power(options.beta2, step.update)));
  const float rest1 = 1 - options.beta1;
  const float rest2 = 1 - options.beta2;
  for (std::int64_t i = first; i < last; ++i) {
    const float g = step.gradient_scale * gradient[i] + added * values[i];
    mean[i] = options.beta1 * mean[i] + rest1 * g;
    square[i] = options.beta2 * square[i] + rest2 * (g * g);
    values[i] = kept * values[i] - rate * mean[i] / (std::sqrt(square[i]) * root + options.epsilon);
  }
}

}  // namespace

int moment_count(const OptimizerOptions& options) {
  if (options.kind == Optimizer::kSgd) return options.momentum != 0 ? 1 : 0;
  return 2;
}

float learning_rate_of(const TrainOptions& options, float full_rate, std::int64_t update) {
  if (update < options.warm_up)
    return full_rate * static_cast<float>(update + 1) / static_cast<float>(options.warm_up);
  if (options.schedule == Schedule::kConstant) return full_rate;
  const std::int64_t falling = options.updates - options.warm_up;
  if (falling <= 0 || update >= options.updates) return 0;
  const float part = static_cast<float>(update - options.warm_up) / static_cast<float>(falling);
  if (options.schedule == Schedule::kFalling)
    return part < 0.5F ? full_rate : full_rate * 2 * (1 - part);
  return full_rate * (0.5F + 0.5F * math::cos(3.14159265F * part));
}

void apply_optimizer(const OptimizerStep& step, std::int64_t count, const float* gradient,
                     float* values, float* const* moments, pthreadpool* threads) {
  share_elements(threads, count, [&](std::int64_t first, std::int64_t last) {
    if (step.options->kind == Optimizer::kSgd)
      sgd(step, first, last, gradient, values, step.options->momentum != 0 ? moments[0] : nullptr);
    else
      adam(step, first, last, gradient, values, moments[0], moments[1]);
  });
}

}  // namespace figment::train
