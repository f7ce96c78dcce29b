// Pictures of 8 bits a channel.
#pragma once

#include <cstdint>
#include <vector>

namespace figment::host {

struct Picture {
  int width = 0, height = 0;
  int channels = 3;                  // 1: grey, 3: red, green, blue
  std::vector<std::uint8_t> pixels;  // height * width * channels, row by row

  bool operator==(const Picture&) const = default;
};

// Another number of channels (1 or 3): grey repeated, or the luma of ITU-R BT.601 as most libraries
// have it.
Picture with_channels(const Picture& picture, int channels);

// True when red, green and blue are the same everywhere.
bool is_grey(const Picture& picture);

}  // namespace figment::host
