// Draws a model's graph as an SVG picture.
#pragma once

#include <string>
#include <vector>

#include "figment/figment.h"

namespace figment::host {

// What a profile says of one operator.
struct OperatorTime {
  double ms = 0;
  double share = 0;  // of the whole time, 0 to 1
};

// One box an operator with its kind, options and output shape; arrows where numbers flow. With
// `times` (one an operator, or none) the boxes' colour tells their share of the time, else the
// family of the operator.
std::string draw_svg(const Model& model, const std::vector<OperatorTime>& times);

}  // namespace figment::host
