// Many pictures of one size laid out as one.
#pragma once

#include <vector>

#include "targets/host/picture.h"

namespace figment::host {

// Row by row, nearly square, with a gap of 2 black pixels between neighbours; one picture comes
// back as it is. Every picture has the same size and number of channels. Each pixel becomes scale x
// scale pixels.
Picture make_grid(const std::vector<Picture>& pictures, int scale = 1);

}  // namespace figment::host
