// Binary cross-entropy over logits, the loss of pictures: two exponentials and a logarithm for each
// pixel. In a file of its own, compiled to be fast.
#include <algorithm>

#include "runtime/math/elementary.h"
#include "runtime/train/losses.h"

namespace figment::train {
namespace {

// The loop over a block is vectorized, and the sum over blocks stays precise. Blocks are whole, or
// the compiler would write the loop once more for what is left.
constexpr std::int64_t kBlock = 64;

void block_terms(const float* x, const float* target, float scale, float* terms, float* gradient) {
  for (std::int64_t i = 0; i < kBlock; ++i) {
    terms[i] = math::softplus(x[i]) - x[i] * target[i];
    gradient[i] = scale * (math::sigmoid(x[i]) - target[i]);
  }
}

}  // namespace

double binary_cross_entropy(const float* logits, const float* target, std::int64_t count,
                            float scale, float* gradient) {
  double sum = 0;
  for (std::int64_t first = 0; first < count; first += kBlock) {
    const std::int64_t size = std::min(kBlock, count - first);
    float x[kBlock] = {}, t[kBlock] = {}, terms[kBlock], slopes[kBlock];
    std::copy_n(logits + first, size, x);
    std::copy_n(target + first, size, t);
    block_terms(x, t, scale, terms, slopes);
    for (std::int64_t i = 0; i < size; ++i) sum += double{terms[i]};
    std::copy_n(slopes, size, gradient + first);
  }
  return sum;
}

}  // namespace figment::train
