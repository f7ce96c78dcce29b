// Latents: what a decoder or a generator starts from.
#include "figment/figment.h"
#include "runtime/math/elementary.h"
#include "runtime/math/noise.h"

namespace figment {
namespace {

using math::Stream;

// Refused draws in a row before another way is taken. Reached only for limits so small that N(0,1)
// within them is uniform: at 0.1, where 8 % of draws are within, once in 10^9 elements.
constexpr std::uint32_t kAttempts = 256;

float truncated_normal(std::uint64_t seed, std::uint64_t index, float limit) {
  for (std::uint32_t attempt = 0; attempt < kAttempts; ++attempt) {
    const math::Block block = math::draw_block(seed, Stream::kNormal, index / 4, attempt);
    const float value = math::normals_of(block).values[index % 4];
    if (math::absolute(value) <= limit) return value;
  }
  const math::Block block = math::draw_block(seed, Stream::kUniform, index / 4, kAttempts);
  return limit * (2.0F * math::fraction_of(block.words[index % 4]) - 1.0F);
}

// The largest number below `value`, which is finite.
float just_below(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  if (value == 0.0F) return -std::numeric_limits<float>::denorm_min();
  return std::bit_cast<float>(value > 0.0F ? bits - 1 : bits + 1);
}

}  // namespace

void fill_normal(const Tensor& tensor, std::uint64_t seed, std::uint64_t first) {
  math::draw_normals(seed, first, 0.0F, 1.0F, tensor.floats(), tensor.elements());
}

void fill_truncated_normal(const Tensor& tensor, std::uint64_t seed, float limit,
                           std::uint64_t first) {
  // Within a limit of 0, or one that is no number, there is 0 alone.
  const bool none = !(limit > 0.0F);
  std::uint64_t index = first;
  for (float& value : tensor.values()) value = none ? 0.0F : truncated_normal(seed, index++, limit);
}

void fill_uniform(const Tensor& tensor, std::uint64_t seed, float low, float high,
                  std::uint64_t first) {
  std::uint64_t index = first;
  for (float& value : tensor.values()) {
    const math::Block block = math::draw_block(seed, Stream::kUniform, index / 4, 0);
    const float fraction = math::fraction_of(block.words[index % 4]);
    // Weighted, because high - low may overflow. Rounding may reach `high`, which is left out.
    const float drawn = low * (1.0F - fraction) + high * fraction;
    value = drawn >= high && low < high ? just_below(high) : drawn;
    ++index;
  }
}

}  // namespace figment
