// What the ways to resize, and their gradients, share.
#pragma once

#include "runtime/ops/operator.h"

namespace figment::ops {

// Where output place `i` stands in the input (see resize.cc). `scale` is 0 or positive.
double input_coordinate(format::ResizeCoordinates coordinates, int i, int input, int output,
                        float scale);

// The two input positions that an output position is made of, nearest or linear: first * (1 -
// weight) + second * weight.
struct ResizeSource {
  std::int32_t first, second;
  float weight;
};
ResizeSource resize_source(const format::Resize& options, int i, int input, int output,
                           float scale);

// The four neighbours that an output place is made of, and their weights.
struct CubicTaps {
  std::int32_t place[4];
  float weight[4];
};
CubicTaps cubic_taps(const format::Resize& options, int i, int input, int output, float scale);

// `scratch` of the operation: one CubicTaps for each output column.
void resize_cubic(const Operation& operation);

}  // namespace figment::ops
