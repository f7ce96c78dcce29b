// How far around its own place in a picture a network looks, read off its operators.
#pragma once

#include <cstdint>
#include <optional>

#include "figment/figment.h"

namespace figment::host {

// Along one axis, in pixels of the input.
struct Reach {
  // A pixel of the output depends on the input's from its own place - before to its own place +
  // after, and on no other.
  int before = 0, after = 0;
  // The same network gives the same pixels for a picture that is shifted by a multiple of this.
  int alignment = 1;
};

struct PictureReach {
  Reach down, across;
};

// Of an output picture (N,H,W,C) that is larger than the input picture by a whole factor. Nothing
// where a pixel depends on the whole picture, or on where in it it stands, or an operator's reach
// is not known.
std::optional<PictureReach> reach_of(const Model& model, int input, int output);

}  // namespace figment::host
