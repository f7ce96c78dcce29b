// The layout of grids.
#include "targets/host/grid.h"

#include <doctest/doctest.h>

namespace figment::host {

TEST_CASE("one picture comes back as it is") {
  const Picture picture{2, 1, 1, {5, 6}};
  CHECK(make_grid({picture}) == picture);
}

TEST_CASE("three pictures fill a square but for its last cell") {
  const Picture a{1, 1, 1, {10}}, b{1, 1, 1, {20}}, c{1, 1, 1, {30}};
  const Picture grid = make_grid({a, b, c});
  CHECK(grid.width == 4);  // two cells and a gap of two
  CHECK(grid.height == 4);
  CHECK(grid.pixels ==
        std::vector<std::uint8_t>{10, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 30, 0, 0, 0});
}

TEST_CASE("rows and columns are not mixed up, in colour and scaled") {
  const Picture first{2, 1, 3, {1, 2, 3, 4, 5, 6}}, second{2, 1, 3, {7, 8, 9, 10, 11, 12}};
  const Picture grid = make_grid({first, second}, 2);
  CHECK(grid.width == 4 + 2 + 4);
  CHECK(grid.height == 2);
  const std::vector<std::uint8_t> row = {1, 2, 3, 1, 2, 3, 4, 5, 6, 4,  5,  6,  0,  0,  0,
                                         0, 0, 0, 7, 8, 9, 7, 8, 9, 10, 11, 12, 10, 11, 12};
  std::vector<std::uint8_t> both = row;
  both.insert(both.end(), row.begin(), row.end());
  CHECK(grid.pixels == both);
}

TEST_CASE("five pictures take three columns and two rows") {
  const Picture grid =
      make_grid(std::vector<Picture>(5, Picture{10, 4, 1, std::vector<std::uint8_t>(40, 9)}));
  CHECK(grid.width == 34);
  CHECK(grid.height == 10);
}

}  // namespace figment::host
