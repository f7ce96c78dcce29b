// Places tiles, runs them row by row, and mixes them where they overlap.
#include "targets/host/tiles.h"

#include <algorithm>

#include "targets/host/ports.h"
#include "targets/host/progress.h"

namespace figment::host {
namespace {

constexpr int kLeastFactor = 2, kMostFactor = 4;

// A place beside a row of `length` pixels, mirrored into it without doubling its ends.
int mirrored(int at, int length) {
  const int period = std::max(2 * (length - 1), 1);
  const int within = at % period;
  return within < length ? within : period - within;
}

Picture cut(const Picture& picture, int top, int left, int height, int width) {
  Picture tile{width, height, picture.channels, {}};
  tile.pixels.reserve(static_cast<std::size_t>(height) * static_cast<std::size_t>(width) *
                      static_cast<std::size_t>(picture.channels));
  for (int row = 0; row < height; ++row) {
    const std::size_t line = static_cast<std::size_t>(mirrored(top + row, picture.height)) *
                             static_cast<std::size_t>(picture.width);
    for (int column = 0; column < width; ++column) {
      const std::size_t place =
          (line + static_cast<std::size_t>(mirrored(left + column, picture.width))) *
          static_cast<std::size_t>(picture.channels);
      for (int channel = 0; channel < picture.channels; ++channel)
        tile.pixels.push_back(picture.pixels[place + static_cast<std::size_t>(channel)]);
    }
  }
  return tile;
}

// The output's rows that a row of tiles covers, summed up in float32. They are given away from the
// top on, as soon as no tile adds to them any more.
class Band {
 public:
  Band(int rows, int width, int channels)
      : width_(width),
        channels_(channels),
        values_(static_cast<std::size_t>(rows) * row_numbers()) {}

  // Adds a tile from its row `skip` on, which is the band's first, by each pixel's share.
  void add(const Tensor& tile, int skip, int left, const std::vector<float>& down,
           const std::vector<float>& across) {
    const std::size_t tile_row = across.size() * static_cast<std::size_t>(channels_);
    for (std::size_t row = static_cast<std::size_t>(skip); row < down.size(); ++row) {
      const float* from = tile.floats() + row * tile_row;
      float* to = values_.data() + (row - static_cast<std::size_t>(skip)) * row_numbers() +
                  static_cast<std::size_t>(left) * static_cast<std::size_t>(channels_);
      for (const float share : across)
        for (int channel = 0; channel < channels_; ++channel, ++from, ++to)
          if (down[row] * share > 0) *to += down[row] * share * *from;
    }
  }

  // Takes the first `count` rows away and puts them under `picture`, as far as it reaches.
  void give(int count, const ImageReading& range, int height, Picture& picture) {
    const Tensor rows{values_.data(), Shape{{1, count, width_, channels_}, 4}, DataType::kFloat32,
                      false, false};
    const Picture strip =
        load_pictures(rows, {count, width_, channels_, range.low, range.high}).at(0);
    const auto line = static_cast<std::ptrdiff_t>(row_numbers());
    const std::ptrdiff_t kept = std::ptrdiff_t{picture.width} * channels_;
    for (int row = 0; row < count && picture.height < height; ++row, ++picture.height) {
      const auto first = strip.pixels.begin() + row * line;
      picture.pixels.insert(picture.pixels.end(), first, first + kept);
    }
    std::move(values_.begin() + count * line, values_.end(), values_.begin());
    std::fill(values_.end() - count * line, values_.end(), 0.0F);
  }

 private:
  std::size_t row_numbers() const {
    return static_cast<std::size_t>(width_) * static_cast<std::size_t>(channels_);
  }

  int width_, channels_;
  std::vector<float> values_;
};

// The shares of tile k's rows or columns.
std::vector<float> shares_of(const TileAxis& axis, std::size_t k, int factor) {
  std::vector<float> shares;
  shares.reserve(static_cast<std::size_t>(axis.tile) * static_cast<std::size_t>(factor));
  for (int at = 0; at < axis.tile * factor; ++at)
    shares.push_back(axis.share(k, axis.positions[k] * factor + at, factor));
  return shares;
}

// From 0 before `fade` to 1 behind it.
float rise(const std::pair<int, int>& fade, int at, int factor) {
  const int first = fade.first * factor;
  const int last = fade.second * factor;
  if (at < first) return 0;
  if (at >= last) return 1;
  return (static_cast<float>(at - first) + 0.5F) / static_cast<float>(last - first);
}

}  // namespace

float TileAxis::share(std::size_t k, int at, int factor) const {
  const float before = k > 0 ? rise(fades[k - 1], at, factor) : 1;
  const float after = k < fades.size() ? 1 - rise(fades[k], at, factor) : 1;
  return before * after;
}

TileAxis place_tiles(int length, int tile, const std::optional<Reach>& reach) {
  TileAxis axis;
  axis.tile = tile;
  const bool known = reach && reach->alignment <= tile / 2;
  const int step = known ? reach->alignment : 1;
  const int needed = known ? reach->before + reach->after : tile;
  const int overlap = std::min(needed, tile / 2);
  const int units = length > tile ? (length - tile + step - 1) / step : 0;
  axis.length = tile + units * step;
  const int stride = std::max((tile - overlap) / step, 1);
  const int gaps = (units + stride - 1) / stride;
  for (int k = 0; k <= gaps; ++k)
    axis.positions.push_back(gaps == 0 ? 0
                                       : static_cast<int>(std::int64_t{k} * units / gaps) * step);
  const bool whole = known && needed == overlap;
  for (std::size_t k = 0; k + 1 < axis.positions.size(); ++k) {
    const int first = axis.positions[k + 1];
    const int last = axis.positions[k] + tile;
    if (whole) {
      const int middle = (first + reach->before + last - reach->after) / 2;
      axis.fades.emplace_back(middle, middle);
      continue;
    }
    const int middle = (first + last) / 2;
    const int least = axis.fades.empty() ? 0 : axis.fades.back().second;
    axis.fades.emplace_back(std::max(middle - overlap / 4, least), middle + overlap / 4);
  }
  axis.exact = axis.length == length && (whole || axis.fades.empty());
  return axis;
}

int factor_of(const Port& input, const Port& output) {
  const auto is_picture = [](const Port& port) {
    return port.type == DataType::kFloat32 && port.shape.rank == 4 && port.shape[0] == 1 &&
           (port.shape[3] == 1 || port.shape[3] == 3);
  };
  if (!is_picture(input) || !is_picture(output)) return 0;
  for (int factor = kLeastFactor; factor <= kMostFactor; ++factor)
    if (output.shape[1] == factor * input.shape[1] && output.shape[2] == factor * input.shape[2])
      return factor;
  return 0;
}

Picture enlarge(const Picture& picture, const TileAxis& down, const TileAxis& across, int factor,
                const ImageReading& reading, const RunTile& run) {
  Picture result{picture.width * factor, 0, reading.channels, {}};
  const int height = picture.height * factor;
  Band band(down.tile * factor, across.length * factor, reading.channels);
  int top = 0;  // of the band, in the output
  const std::size_t columns = across.positions.size();
  Progress progress("tiles", static_cast<std::int64_t>(down.positions.size() * columns));
  for (std::size_t row = 0; row < down.positions.size(); ++row) {
    const std::vector<float> down_shares = shares_of(down, row, factor);
    for (std::size_t column = 0; column < columns; ++column) {
      const Picture tile =
          cut(picture, down.positions[row], across.positions[column], down.tile, across.tile);
      band.add(run(tile), top - down.positions[row] * factor, across.positions[column] * factor,
               down_shares, shares_of(across, column, factor));
      progress.set(static_cast<std::int64_t>(row * columns + column + 1));
    }
    const int bottom = row < down.fades.size() ? down.fades[row].first : down.length;
    band.give(bottom * factor - top, reading, height, result);
    top = bottom * factor;
  }
  return result;
}

}  // namespace figment::host
