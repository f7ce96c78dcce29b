// PNG pictures there and back, and damaged ones.
#include "targets/host/png.h"

#include <doctest/doctest.h>

#include <random>

#include "targets/host/exit_code.h"

namespace figment::host {
namespace {

Picture make_picture(int width, int height, int channels) {
  Picture picture{width, height, channels, {}};
  for (int index = 0; index < width * height * channels; ++index)
    picture.pixels.push_back(static_cast<std::uint8_t>(index * 37 + index / 7));
  return picture;
}

}  // namespace

TEST_CASE("a picture comes back as it was") {
  for (const int channels : {1, 3})
    for (const auto& [width, height] : {std::pair{1, 1}, {7, 5}, {64, 3}, {3, 129}}) {
      const Picture picture = make_picture(width, height, channels);
      CHECK(read_png(write_png(picture), "x.png") == picture);
    }
}

TEST_CASE("the same picture gives the same bytes") {
  CHECK(write_png(make_picture(40, 30, 3)) == write_png(make_picture(40, 30, 3)));
}

TEST_CASE("damaged files are refused") {
  const auto sound = write_png(make_picture(16, 16, 3));
  int refused = 0;
  for (std::size_t length = 0; length < sound.size() - 12; ++length) {
    try {
      read_png({sound.data(), length}, "cut.png");
    } catch (const VerbError& error) {
      CHECK(error.code == ExitCode::kBadFile);
      CHECK(std::string(error.what()).find("cut.png") == 0);
      ++refused;
    }
  }
  // All but perhaps a missing end of an already complete picture.
  CHECK(refused >= static_cast<int>(sound.size()) - 24);

  std::minstd_rand random(3);
  for (int round = 0; round < 500; ++round) {
    auto bytes = sound;
    bytes[random() % bytes.size()] = static_cast<std::byte>(random() & 255);
    try {
      const Picture picture = read_png(bytes, "x.png");
      CHECK(picture.pixels.size() == static_cast<std::size_t>(picture.width) *
                                         static_cast<std::size_t>(picture.height) *
                                         static_cast<std::size_t>(picture.channels));
    } catch (const VerbError& error) {
      CHECK(error.code == ExitCode::kBadFile);
    }
  }
}

TEST_CASE("grey and colour, one as the other") {
  const Picture grey{2, 1, 1, {10, 200}};
  CHECK(with_channels(grey, 3) == Picture{2, 1, 3, {10, 10, 10, 200, 200, 200}});
  CHECK(with_channels(with_channels(grey, 3), 1) == grey);
  // 0.299 R + 0.587 G + 0.114 B
  CHECK(with_channels(Picture{3, 1, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255}}, 1) ==
        Picture{3, 1, 1, {76, 150, 29}});
}

}  // namespace figment::host
