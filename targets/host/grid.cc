// Copies pictures into their cells.
#include "targets/host/grid.h"

#include <cmath>

namespace figment::host {

Picture make_grid(const std::vector<Picture>& pictures, int scale) {
  constexpr int kGap = 2;
  const Picture& first = pictures.front();
  const int count = static_cast<int>(pictures.size());
  const int columns = static_cast<int>(std::ceil(std::sqrt(static_cast<double>(count))));
  const int rows = (count + columns - 1) / columns;
  const int cell_width = first.width * scale, cell_height = first.height * scale;
  Picture grid{
      columns * (cell_width + kGap) - kGap, rows * (cell_height + kGap) - kGap, first.channels, {}};
  const auto channels = static_cast<std::size_t>(grid.channels);
  grid.pixels.resize(static_cast<std::size_t>(grid.width) * static_cast<std::size_t>(grid.height) *
                     channels);

  for (int index = 0; index < count; ++index) {
    const std::uint8_t* from = pictures[static_cast<std::size_t>(index)].pixels.data();
    const int left = index % columns * (cell_width + kGap),
              top = index / columns * (cell_height + kGap);
    for (int row = 0; row < cell_height; ++row) {
      for (int column = 0; column < cell_width; ++column) {
        const auto source =
            static_cast<std::size_t>(row / scale * first.width + column / scale) * channels;
        const auto target =
            (static_cast<std::size_t>(top + row) * static_cast<std::size_t>(grid.width) +
             static_cast<std::size_t>(left + column)) *
            channels;
        for (std::size_t channel = 0; channel < channels; ++channel)
          grid.pixels[target + channel] = from[source + channel];
      }
    }
  }
  return grid;
}

}  // namespace figment::host
