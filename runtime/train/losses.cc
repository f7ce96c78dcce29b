// Losses, each with its gradient beside it. Sums are in double precision. The one that computes
// most stands in binary_cross_entropy.cc.
#include "runtime/train/losses.h"

#include <cmath>

#include "runtime/math/elementary.h"

namespace figment::train {
namespace {

// Of few numbers here: once for all that use them.
[[gnu::noinline]] float exp(float x) { return math::exp(x); }
[[gnu::noinline]] float softplus(float x) { return math::softplus(x); }
[[gnu::noinline]] float sigmoid(float x) { return math::sigmoid(x); }

}  // namespace

double squared_error(const float* y, const float* target, std::int64_t count, float scale,
                     float* gradient) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const float error = y[i] - target[i];
    sum += double{error} * error;
    gradient[i] = scale * 2 * error;
  }
  return sum;
}

double cross_entropy(const float* logits, const std::int32_t* target, std::int64_t rows,
                     std::int64_t classes, float scale, float* gradient, std::int64_t& counted) {
  double sum = 0;
  counted = 0;
  for (std::int64_t row = 0; row < rows; ++row, logits += classes, gradient += classes) {
    const std::int32_t index = target[row];
    if (index < 0 || index >= classes) {
      for (std::int64_t i = 0; i < classes; ++i) gradient[i] = 0;
      continue;
    }
    ++counted;
    float largest = logits[0];
    for (std::int64_t i = 1; i < classes; ++i) largest = logits[i] > largest ? logits[i] : largest;
    for (std::int64_t i = 0; i < classes; ++i) gradient[i] = exp(logits[i] - largest);
    float total = 0;
    for (std::int64_t i = 0; i < classes; ++i) total += gradient[i];
    sum += double{math::log(total)} + double{largest} - double{logits[index]};
    const float factor = scale / total;
    for (std::int64_t i = 0; i < classes; ++i) gradient[i] *= factor;
    gradient[index] -= scale;
  }
  return sum;
}

namespace {

struct Term {
  float loss, slope;
};

// -label log s(x) - (1 - label) log(1 - s(x)), s the sigmoid.
Term log_label(float x, float label) { return {softplus(x) - label * x, sigmoid(x) - label}; }
Term half_square(float error) { return {0.5F * error * error, error}; }

Term term_of(AdversarialLoss loss, Side side, float real_label, float x) {
  switch (loss) {
    case AdversarialLoss::kMinimax:
      if (side == Side::kGenerator) return {-softplus(x), -sigmoid(x)};
      return log_label(x, side == Side::kReal ? real_label : 0);
    case AdversarialLoss::kNonSaturating:
      if (side == Side::kReal) return log_label(x, real_label);
      return log_label(x, side == Side::kFake ? 0 : 1);
    case AdversarialLoss::kLeastSquares:
      return half_square(side == Side::kFake ? x : x - 1);
    case AdversarialLoss::kHinge:
      if (side == Side::kGenerator) return {-x, -1};
      if (side == Side::kReal) return x < 1 ? Term{1 - x, -1} : Term{0, 0};
      return x > -1 ? Term{1 + x, 1} : Term{0, 0};
    case AdversarialLoss::kWasserstein:
      return side == Side::kFake ? Term{x, 1} : Term{-x, -1};
  }
  return {0, 0};
}

}  // namespace

double adversarial_loss(AdversarialLoss loss, Side side, float real_label, const float* logits,
                        std::int64_t count, float* gradient) {
  double sum = 0;
  const float share = 1 / static_cast<float>(count);
  for (std::int64_t i = 0; i < count; ++i) {
    Term term = term_of(loss, side, real_label, logits[i]);
    if (logits[i] != logits[i]) term.loss = logits[i];  // comparisons must not hide a NaN
    sum += double{term.loss};
    gradient[i] = term.slope * share;
  }
  return sum / static_cast<double>(count);
}

double gaussian_divergence(const float* mean, const float* log_variance, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const float v = log_variance[i];
    sum += 0.5 * (double{mean[i]} * mean[i] + double{exp(v)} - 1.0 - double{v});
  }
  return sum;
}

}  // namespace figment::train
