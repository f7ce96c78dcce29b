// Weights as files hold them, to float32 and back: float16, int8 with a scale for each output
// channel, int4 with a scale for each block of a row.
#pragma once

#include <cstdint>
#include <span>

#include "figment/figment.h"

namespace figment::math {

// `count` numbers of a constant (float32, float16, int8 or int4) from element `first` on.
void widen_part(const Tensor& constant, std::int64_t first, std::int64_t count, float* values);
inline void widen_constant(const Tensor& constant, float* values) {
  widen_part(constant, 0, constant.elements(), values);
}

// Where the numbers of one output channel of int8 weights stand: `runs` rows of `length` numbers,
// `stride` apart, the first from element `first` on. Weights of transposed convolutions [groups,
// kernel, kernel, outputs, C] have a row for each tap; all others hold a channel in one piece.
struct ChannelPlace {
  std::int64_t first, length, runs, stride;
};
ChannelPlace place_of_channel(const Shape& weights, std::int64_t channels, std::int64_t channel);

// The scale of a channel whose largest weight has the magnitude `largest`: it becomes 127.
float int8_scale(float largest);
std::int8_t narrow_to_int8(float weight, float scale);

// The scale of a block (bfloat16) that leaves the least squared error, among a few: 7 and 8 are the
// ends of what int4 holds; beyond them the largest weights are cut off, and the steps of all others
// are finer. The weights are finite.
std::uint16_t choose_int4_scale(std::span<const float> block);
// In [-8, 7].
int narrow_to_int4(float weight, float scale);

}  // namespace figment::math
