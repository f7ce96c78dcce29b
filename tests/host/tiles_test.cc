// Where tiles stand, and what they give together against the whole picture at once.
#include "targets/host/tiles.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "targets/host/ports.h"
#include "tests/host/upscalers.h"
#include "tests/support/loaded_model.h"

namespace figment::host {
namespace {

using testing::AlignedMemory;
using testing::Network;
using testing::RunningSession;

// A photo with edges, slopes and noise.
Picture photo(int width, int height, int channels = 3) {
  Picture picture{width, height, channels, {}};
  for (int row = 0; row < height; ++row)
    for (int column = 0; column < width; ++column)
      for (int channel = 0; channel < channels; ++channel) {
        const double wave = std::sin(row * 0.11 + channel) * std::cos(column * 0.07);
        const int noise = (row * 31 + column * 17 + channel * 7) % 23;
        picture.pixels.push_back(
            static_cast<std::uint8_t>(std::clamp(120 + 90 * wave + noise, 0.0, 255.0)));
      }
  return picture;
}

// One model in a session, to be run on pictures of its size.
struct Runner {
  Runner(const Network& network, int height, int width, int channels)
      : bytes(testing::align_bytes(testing::make_upscaler(network, height, width, channels))),
        model(*Model::open(bytes.span())),
        running(model, options()) {}

  static Options options() {
    Options options;
    options.backend = Backend::kPortable;
    return options;
  }
  Tensor run(const Picture& picture) {
    store_picture(picture, 0, 1, model.input(0), running.session.input(0), "photo");
    REQUIRE(running.session.run().ok());
    return running.session.output(0);
  }

  AlignedMemory bytes;
  Model model;
  RunningSession running;
};

Picture whole(const Network& network, const Picture& picture) {
  Runner runner(network, picture.height, picture.width, picture.channels);
  return load_pictures(runner.run(picture), runner.model.image()).at(0);
}

struct Tiled {
  Picture picture;
  bool exact;
  int runs;
};

Tiled tiled(const Network& network, const Picture& picture, int tile) {
  Runner runner(network, tile, tile, picture.channels);
  const auto reach = reach_of(runner.model, 0, 0);
  const TileAxis down =
      place_tiles(picture.height, tile, reach ? std::optional(reach->down) : std::nullopt);
  const TileAxis across =
      place_tiles(picture.width, tile, reach ? std::optional(reach->across) : std::nullopt);
  int runs = 0;
  Picture result =
      enlarge(picture, down, across, factor_of(runner.model.input(0), runner.model.output(0)),
              runner.model.image(), [&](const Picture& one) {
                ++runs;
                return runner.run(one);
              });
  return {std::move(result), down.exact && across.exact, runs};
}

int byte_at(const Picture& picture, int row, int column, int channel) {
  const int at = (row * picture.width + column) * picture.channels + channel;
  return picture.pixels[static_cast<std::size_t>(at)];
}

// The largest difference of two pictures' bytes, where both are, at least `margin` pixels from the
// right and bottom.
int largest_difference(const Picture& a, const Picture& b, int margin = 0) {
  int largest = 0;
  for (int row = 0; row < std::min(a.height, b.height) - margin; ++row)
    for (int column = 0; column < std::min(a.width, b.width) - margin; ++column)
      for (int channel = 0; channel < a.channels; ++channel)
        largest = std::max(
            largest, std::abs(byte_at(a, row, column, channel) - byte_at(b, row, column, channel)));
  return largest;
}

// The largest difference of neighbours in a row.
int largest_step(const Picture& picture) {
  int largest = 0;
  for (int row = 0; row < picture.height; ++row)
    for (int column = 1; column < picture.width; ++column)
      for (int channel = 0; channel < picture.channels; ++channel)
        largest = std::max(largest, std::abs(byte_at(picture, row, column, channel) -
                                             byte_at(picture, row, column - 1, channel)));
  return largest;
}

}  // namespace

TEST_CASE("tiles cover the picture, and their shares are 1 together") {
  for (const int tile : {8, 17, 64})
    for (const int length : {1, 7, 8, 9, 16, 17, 31, 64, 65, 100, 191})
      for (const auto& reach :
           {std::optional<Reach>{}, std::optional(Reach{0, 0, 1}), std::optional(Reach{2, 1, 1}),
            std::optional(Reach{3, 2, 4}), std::optional(Reach{50, 50, 1}),
            std::optional(Reach{1, 1, 1000})}) {
        CAPTURE(tile);
        CAPTURE(length);
        const TileAxis axis = place_tiles(length, tile, reach);
        CHECK(axis.length >= length);
        CHECK(axis.positions.front() == 0);
        CHECK(axis.positions.back() + tile == axis.length);
        REQUIRE(axis.fades.size() + 1 == axis.positions.size());
        const bool aligned = reach && reach->alignment <= tile / 2;
        for (const int position : axis.positions)
          CHECK(position % (aligned ? reach->alignment : 1) == 0);
        for (const int factor : {1, 3})
          for (int at = 0; at < axis.length * factor; ++at) {
            float sum = 0;
            for (std::size_t k = 0; k < axis.positions.size(); ++k) {
              const float share = axis.share(k, at, factor);
              sum += share;
              const int within = at - axis.positions[k] * factor;
              if (share > 0) CHECK((within >= 0 && within < tile * factor));
            }
            CHECK(sum == doctest::Approx(1));
          }
      }
}

TEST_CASE("tiles whose overlap is the reach give every pixel of the whole picture") {
  for (const int factor : {2, 3, 4})
    for (const int channels : {1, 3}) {
      const Network network = testing::small_upscaler(factor, channels);
      const Picture picture = photo(75, 50, channels);
      const Tiled result = tiled(network, picture, 24);
      CHECK(result.exact);
      CHECK(result.runs > 8);
      CHECK(result.picture == whole(network, picture));
    }
}

TEST_CASE("a network that goes down by a stride has its tiles at multiples of it") {
  const Network network = [](converter::Graph& graph, converter::TensorId x) {
    const converter::TensorId low = testing::relu(graph, testing::convolve(graph, x, 8, 4, 2));
    return testing::transpose_convolve(graph, low, 3, 8, 4);
  };
  CHECK(tiled(network, photo(76, 48), 24).picture == whole(network, photo(76, 48)));
  // One pixel more: the last tile stands over the edge, and only pixels near it differ.
  const Tiled odd = tiled(network, photo(77, 49), 24);
  CHECK_FALSE(odd.exact);
  CHECK(odd.picture.width == 154);
  CHECK(odd.picture.height == 98);
  CHECK(largest_difference(odd.picture, whole(network, photo(76, 48)), 12) == 0);
}

TEST_CASE("where the reach is too wide, tiles fade into each other without a seam") {
  // Eight blocks of two layers look 18 pixels far to either side, more than half a tile of 32.
  const Network network = testing::residual_upscaler(2, 3, 8);
  const Picture picture = photo(100, 70);
  const Tiled result = tiled(network, picture, 32);
  CHECK_FALSE(result.exact);
  const Picture expected = whole(network, picture);
  CHECK(result.picture.width == expected.width);
  CHECK(result.picture.height == expected.height);
  CHECK(largest_difference(result.picture, expected) <= 6);
  CHECK(largest_step(result.picture) <= largest_step(expected) + 3);
  // Tiles that only stand beside each other have seams.
  Runner runner(network, 32, 32, 3);
  TileAxis beside{96, 32, {0, 32, 64}, {{32, 32}, {64, 64}}, false};
  const Picture square = photo(96, 96);
  const Picture seams = enlarge(square, beside, beside, 2, runner.model.image(),
                                [&](const Picture& one) { return runner.run(one); });
  CHECK(largest_difference(seams, whole(network, square)) > 20);
}

TEST_CASE("a picture smaller than the tile is padded and cropped") {
  const Network network = testing::small_upscaler(2, 3);
  const Picture picture = photo(20, 9);
  const Tiled result = tiled(network, picture, 32);
  CHECK(result.runs == 1);
  CHECK(result.picture.width == 40);
  CHECK(result.picture.height == 18);
  CHECK(largest_difference(result.picture, whole(network, photo(20, 9)), 12) == 0);
  CHECK(tiled(network, photo(1, 1), 8).picture.pixels.size() == 12);
}

TEST_CASE("which models enlarge") {
  const auto port = [](const Shape& shape) {
    return Port{"p", DataType::kFloat32, shape, 0, {0, 1, 2, 3}};
  };
  const Shape small{{1, 8, 6, 3}, 4};
  CHECK(factor_of(port(small), port({{1, 16, 12, 3}, 4})) == 2);
  CHECK(factor_of(port(small), port({{1, 32, 24, 1}, 4})) == 4);
  CHECK(factor_of(port(small), port(small)) == 0);
  CHECK(factor_of(port(small), port({{1, 16, 18, 3}, 4})) == 0);
  CHECK(factor_of(port(small), port({{1, 40, 30, 3}, 4})) == 0);
  CHECK(factor_of(port({{1, 8, 6, 4}, 4}), port({{1, 16, 12, 4}, 4})) == 0);
  CHECK(factor_of(port({{1, 48}, 2}), port({{1, 16, 12, 3}, 4})) == 0);
}

}  // namespace figment::host
