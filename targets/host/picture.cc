// Grey and colour, one as the other.
#include "targets/host/picture.h"

namespace figment::host {

Picture with_channels(const Picture& picture, int channels) {
  if (picture.channels == channels) return picture;
  Picture result{picture.width, picture.height, channels, {}};
  const std::size_t count =
      static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height);
  result.pixels.resize(count * static_cast<std::size_t>(channels));
  for (std::size_t index = 0; index < count; ++index) {
    if (channels == 3) {
      for (std::size_t channel = 0; channel < 3; ++channel)
        result.pixels[index * 3 + channel] = picture.pixels[index];
    } else {
      const std::uint8_t* rgb = &picture.pixels[index * 3];
      result.pixels[index] =
          static_cast<std::uint8_t>((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000);
    }
  }
  return result;
}

bool is_grey(const Picture& picture) {
  if (picture.channels == 1) return true;
  for (std::size_t at = 0; at + 2 < picture.pixels.size(); at += 3)
    if (picture.pixels[at] != picture.pixels[at + 1] ||
        picture.pixels[at] != picture.pixels[at + 2])
      return false;
  return true;
}

}  // namespace figment::host
