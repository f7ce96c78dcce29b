// Where boxes and arrows come to lie.
#include "targets/host/graph_layout.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

namespace figment::host {
namespace {

Layout make_layout(int boxes, std::initializer_list<std::pair<int, int>> arrows) {
  Layout layout;
  for (int box = 0; box < boxes; ++box) layout.boxes.push_back({100, 40});
  for (const auto& [from, to] : arrows) layout.arrows.push_back({from, to, {}});
  lay_out(layout);
  return layout;
}

// No two boxes touch, everything is inside, arrows begin and end at their boxes and go down.
void check_sound(const Layout& layout) {
  for (std::size_t a = 0; a < layout.boxes.size(); ++a) {
    const LayoutBox& first = layout.boxes[a];
    CHECK(first.x - first.width / 2 >= -0.01);
    CHECK(first.x + first.width / 2 <= layout.width + 0.01);
    CHECK(first.y >= 0);
    CHECK(first.y + first.height <= layout.height + 0.01);
    for (std::size_t b = a + 1; b < layout.boxes.size(); ++b) {
      const LayoutBox& second = layout.boxes[b];
      const bool apart = std::abs(first.x - second.x) >= (first.width + second.width) / 2 ||
                         first.y + first.height < second.y || second.y + second.height < first.y;
      CHECK(apart);
    }
  }
  for (const LayoutArrow& arrow : layout.arrows) {
    const LayoutBox& from = layout.boxes[static_cast<std::size_t>(arrow.from)];
    const LayoutBox& to = layout.boxes[static_cast<std::size_t>(arrow.to)];
    REQUIRE(arrow.points.size() >= 2);
    CHECK(arrow.points.front() == std::pair{from.x, from.y + from.height});
    CHECK(arrow.points.back() == std::pair{to.x, to.y});
    for (std::size_t step = 1; step < arrow.points.size(); ++step) {
      const auto [x0, y0] = arrow.points[step - 1];
      const auto [x1, y1] = arrow.points[step];
      CHECK(y1 >= y0);
      // Beside a box it stands upright and keeps clear.
      if (x0 != x1) continue;
      for (const LayoutBox& box : layout.boxes)
        if (y0 < box.y + box.height && y1 > box.y) CHECK(std::abs(box.x - x0) >= box.width / 2);
    }
  }
}

}  // namespace

TEST_CASE("a chain is one straight column") {
  const Layout layout = make_layout(4, {{0, 1}, {1, 2}, {2, 3}});
  check_sound(layout);
  for (const LayoutBox& box : layout.boxes) CHECK(box.x == doctest::Approx(50));
  for (std::size_t box = 1; box < 4; ++box) CHECK(layout.boxes[box].y > layout.boxes[box - 1].y);
}

TEST_CASE("branches stand side by side, and a skip passes beside what it skips") {
  const Layout branches = make_layout(4, {{0, 1}, {0, 2}, {1, 3}, {2, 3}});
  check_sound(branches);
  CHECK(branches.boxes[1].y == branches.boxes[2].y);
  const Layout skip = make_layout(4, {{0, 1}, {1, 2}, {2, 3}, {0, 3}});
  check_sound(skip);
  CHECK(skip.arrows[3].points.size() > 2);
}

TEST_CASE("an input that is used late stands beside its reader") {
  const Layout layout = make_layout(5, {{0, 2}, {2, 3}, {3, 4}, {1, 4}});
  check_sound(layout);
  CHECK(layout.boxes[1].y == layout.boxes[3].y);
}

TEST_CASE("a tower of skips stands upright") {
  Layout tower;
  for (int box = 0; box < 61; ++box) tower.boxes.push_back({100, 40});
  for (int box = 0; box < 60; ++box) tower.arrows.push_back({box, box + 1, {}});
  for (int box = 0; box + 3 < 61; box += 3) tower.arrows.push_back({box, box + 3, {}});
  lay_out(tower);
  check_sound(tower);
  CHECK(tower.width < 200);
}

TEST_CASE("nothing, one box, and boxes without arrows") {
  Layout empty;
  lay_out(empty);
  CHECK(empty.height == 0);
  check_sound(make_layout(1, {}));
  check_sound(make_layout(3, {}));
}

TEST_CASE("random graphs keep their boxes apart") {
  std::minstd_rand random(5);
  for (int round = 0; round < 20; ++round) {
    Layout layout;
    const int count = 2 + static_cast<int>(random() % 40);
    for (int box = 0; box < count; ++box)
      layout.boxes.push_back({40.0 + random() % 100, 20.0 + random() % 40});
    for (int to = 1; to < count; ++to)
      for (unsigned arrow = 0; arrow <= random() % 3; ++arrow)
        layout.arrows.push_back({static_cast<int>(random() % static_cast<unsigned>(to)), to, {}});
    lay_out(layout);
    check_sound(layout);
  }
}

}  // namespace figment::host
