// Losses with their gradients. A gradient is already multiplied by `scale`; the value returned is
// not.
#pragma once

#include "figment/train.h"

namespace figment::train {

// sum (y - t)^2 over `count` numbers; gradient[i] = scale * 2 (y - t).
double squared_error(const float* y, const float* target, std::int64_t count, float scale,
                     float* gradient);

// The sum of -t log s(x) - (1 - t) log(1 - s(x)) = max(x, 0) - x t + log(1 + e^-|x|), s the
// sigmoid, x a logit; gradient[i] = scale * (s(x) - t).
double binary_cross_entropy(const float* logits, const float* target, std::int64_t count,
                            float scale, float* gradient);

// The sum over rows of logits [rows, classes] of log(sum(exp(x))) - x[t]; rows whose index t is
// below 0 do not count. `counted`: how many did. gradient = scale * (softmax(x) - [t]).
double cross_entropy(const float* logits, const std::int32_t* target, std::int64_t rows,
                     std::int64_t classes, float scale, float* gradient, std::int64_t& counted);

// What a discriminator's logits are wanted for.
enum class Side : std::uint8_t { kReal, kFake, kGenerator };

// The mean over logits x [count] of the side's part of an adversarial loss, and its gradient.
// `real_label`: what real pictures are called, 1 or a little less, where the loss is a
// cross-entropy.
double adversarial_loss(AdversarialLoss loss, Side side, float real_label, const float* logits,
                        std::int64_t count, float* gradient);

// The divergence of N(mean, e^log_variance) from N(0, 1): 1/2 sum(mean^2 + e^v - 1 - v), over
// `count` numbers.
double gaussian_divergence(const float* mean, const float* log_variance, std::int64_t count);

}  // namespace figment::train
