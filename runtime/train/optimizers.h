// How a gradient moves what learns.
#pragma once

#include "figment/train.h"

namespace figment::train {

// Moments that the optimizer keeps of each number: 0 to 2.
int moment_count(const OptimizerOptions& options);

// The learning rate of update `update` (0 is the first): grows over the warm-up, then is constant,
// or falls as half a cosine to 0 at `updates`.
float learning_rate_of(const TrainOptions& options, float full_rate, std::int64_t update);

// One update of `count` numbers.
struct OptimizerStep {
  const OptimizerOptions* options;
  float learning_rate;
  float gradient_scale;  // of accumulation and clipping
  std::int64_t update;   // 1 is the first
  bool decays;           // weight decay takes hold of weights, not of biases and scales
};

// SGD: g = gradient + weight_decay * w; m = momentum * m + g; w -= rate * m.
// Adam (D. Kingma, J. Ba, 2015): m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
//   w -= rate * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon).
// AdamW (I. Loshchilov, F. Hutter, 2019): the same of the bare gradient, and before it
//   w -= rate * weight_decay * w.
// As PyTorch has them. `moments`: moment_count() arrays of `count` numbers.
void apply_optimizer(const OptimizerStep& step, std::int64_t count, const float* gradient,
                     float* values, float* const* moments, pthreadpool* threads);

}  // namespace figment::train
