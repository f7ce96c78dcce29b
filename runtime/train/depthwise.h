// The products of depthwise convolutions (runtime/train/convolution.h), in which every channel is a
// group of its own: a matrix product would have no depth, so these add up tap by tap, all channels
// beside one another.
#pragma once

#include "runtime/train/convolution.h"

namespace figment::train {

std::size_t depthwise_scratch_bytes(const Convolution& convolution);

void depthwise_picture_to_map(const Convolution& convolution, const float* picture,
                              const float* weights, const float* bias, float* map,
                              const Workspace& workspace);
void depthwise_map_to_picture(const Convolution& convolution, const float* map,
                              const float* weights, const float* bias, float* picture,
                              const Workspace& workspace);
void depthwise_weights_of_both(const Convolution& convolution, const float* picture,
                               const float* map, std::int64_t first, std::int64_t count,
                               float* gradient, const Workspace& workspace);

}  // namespace figment::train
