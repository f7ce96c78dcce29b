// A picture larger than what a model takes, enlarged piece by piece: tiles that overlap, so that
// the memory is that of one tile whatever the picture's size.
#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "figment/figment.h"
#include "targets/host/picture.h"
#include "targets/host/reach.h"

namespace figment::host {

// Where the tiles stand along one axis, in pixels of the input, and where one gives way to the
// next.
struct TileAxis {
  int length = 0;              // of the picture, padded so that tiles fill it
  int tile = 0;                // extent of one
  std::vector<int> positions;  // of each tile's first pixel
  // Between tile k and tile k + 1: from fades[k].first to fades[k].second their pixels are mixed;
  // where the two are the same, the one ends and the other begins.
  std::vector<std::pair<int, int>> fades;
  bool exact = false;  // every pixel is what the model gives for the whole picture

  // How much of output pixel `at` comes from tile k; those of all tiles are 1 together. `factor`:
  // output pixels in an input pixel.
  float share(std::size_t k, int at, int factor) const;
};

// Tiles for a picture of `length` pixels. They overlap by the network's reach, so that each pixel
// comes from a tile that holds all that it depends on; where that is not known, or more than half a
// tile, by half a tile, and fade into each other in the middle half of that.
TileAxis place_tiles(int length, int tile, const std::optional<Reach>& reach);

// How many times larger than its input picture [1,H,W,C] a model's output picture is: 2 to 4, the
// same in both directions; 0: it is no such pair.
int factor_of(const Port& input, const Port& output);

// What takes a tile's picture and gives the tensor [1,H,W,C] that the model makes of it.
using RunTile = std::function<Tensor(const Picture& tile)>;

// The whole picture enlarged. `reading` says which numbers are black and white; its size does not
// matter. A picture smaller than a tile is mirrored at its right and bottom edge.
Picture enlarge(const Picture& picture, const TileAxis& down, const TileAxis& across, int factor,
                const ImageReading& reading, const RunTile& run);

}  // namespace figment::host
