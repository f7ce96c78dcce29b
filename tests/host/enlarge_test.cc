// figment run on a photo of any size.
#include <doctest/doctest.h>

#include "targets/host/png.h"
#include "tests/host/command_line.h"
#include "tests/host/scratch_folder.h"
#include "tests/host/upscalers.h"

namespace figment::testing {
namespace {

void write_model(const std::string& path, int size) {
  const std::vector<std::byte> bytes = make_upscaler(small_upscaler(2, 3), size, size, 3);
  write_text(path, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

void write_photo(const std::string& path, int width, int height) {
  host::Picture picture{width, height, 3, {}};
  for (int at = 0; at < width * height * 3; ++at)
    picture.pixels.push_back(static_cast<std::uint8_t>(at * 13 % 251));
  const std::vector<std::byte> png = host::write_png(picture);
  write_text(path, std::string(reinterpret_cast<const char*>(png.data()), png.size()));
}

host::Picture read_picture(const std::string& path) {
  const std::string text = read_text(path);
  return host::read_png(std::as_bytes(std::span(text)), path);
}

}  // namespace

TEST_CASE("run enlarges a photo in tiles, as a model of the photo's size does at once") {
  const ScratchFolder folder;
  write_model(folder / "tile.fgm", 20);
  write_model(folder / "whole.fgm", 60);
  write_photo(folder / "photo.png", 60, 60);
  for (const std::string model : {"tile", "whole"}) {
    const CommandResult result =
        run_figment("run " + (folder / (model + ".fgm")) + " --in photo=" + (folder / "photo.png") +
                    " --out " + (folder / (model + ".png")) + " --backend portable");
    CAPTURE(result.error);
    REQUIRE(result.code == 0);
  }
  CHECK(read_picture(folder / "tile.png") == read_picture(folder / "whole.png"));
  // Numbers are not put together from tiles.
  const CommandResult numbers =
      run_figment("run " + (folder / "tile.fgm") + " --in " + (folder / "photo.png") + " --out " +
                  (folder / "y.npy"));
  CHECK(numbers.code == 5);
  CHECK(numbers.error.find("takes 20 by 20") != std::string::npos);
}

TEST_CASE("a photo of another shape, and one that is smaller than a tile") {
  const ScratchFolder folder;
  write_model(folder / "tile.fgm", 16);
  for (const auto& [width, height] : {std::pair{33, 17}, {5, 40}, {3, 2}}) {
    write_photo(folder / "photo.png", width, height);
    const CommandResult result =
        run_figment("run " + (folder / "tile.fgm") + " --in " + (folder / "photo.png") + " --out " +
                    (folder / "big.png"));
    CAPTURE(result.error);
    REQUIRE(result.code == 0);
    const host::Picture big = read_picture(folder / "big.png");
    CHECK(big.width == 2 * width);
    CHECK(big.height == 2 * height);
  }
}

}  // namespace figment::testing
