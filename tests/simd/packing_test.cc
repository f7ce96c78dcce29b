// Where packed weights stand: every one in a place of its own, and panels that can be multiplied
// one by one.
#include "runtime/simd/packing.h"

#include "tests/simd/tables.h"

namespace figment::simd {
namespace {

constexpr std::int64_t kColumns[] = {1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 49, 65, 130};
constexpr std::int64_t kDepths[] = {1, 2, 7, 64};

}  // namespace

TEST_CASE("floats: a place for each weight and bias, none past the end, no padding but columns") {
  with_every_table([](const Kernels& table) {
    for (const std::int64_t columns : kColumns)
      for (const std::int64_t depth : kDepths) {
        CAPTURE(columns);
        CAPTURE(depth);
        const Packing packing(table, columns, depth);
        std::vector<int> taken(static_cast<std::size_t>(packing.floats()), 0);
        for (std::int64_t column = 0; column < columns; ++column)
          for (std::int64_t k = -1; k < depth; ++k)
            ++taken.at(static_cast<std::size_t>(packing.at(column, k)));
        CHECK(*std::max_element(taken.begin(), taken.end()) == 1);
        const std::int64_t empty = std::count(taken.begin(), taken.end(), 0);
        CHECK(empty % (depth + 1) == 0);
        CHECK(empty / (depth + 1) < table.panel_columns);
      }
  });
}

TEST_CASE("floats: a panel begins with its biases, and its lines follow one another") {
  with_every_table([](const Kernels& table) {
    const std::int64_t columns = 2 * table.panel_columns + table.lanes;
    const Packing packing(table, columns, 5);
    for (std::int64_t first = 0; first < columns; first += table.panel_columns) {
      CAPTURE(first);
      CHECK(packing.at(first, -1) == first * 6);
      const std::int64_t width = packing.width(first);
      for (std::int64_t k = 0; k < 5; ++k)
        for (std::int64_t column = first; column < std::min(first + width, columns); ++column)
          CHECK(packing.at(column, k) == first * 6 + (k + 1) * width + column - first);
    }
    // What is left fills one vector, and takes no more.
    CHECK(packing.width(0) == table.panel_columns);
    CHECK(packing.width(2 * table.panel_columns) == table.lanes);
    CHECK(Packing(table, columns + 1, 5).width(2 * table.panel_columns) == table.panel_columns);
    CHECK(packing.floats() == columns * 6);
  });
}

TEST_CASE("int8: three lines of 32 bits in front, then bytes by fours") {
  with_every_table([](const Kernels& table) {
    for (const std::int64_t columns : kColumns)
      for (const std::int64_t depth : kDepths) {
        CAPTURE(columns);
        CAPTURE(depth);
        const PackingInt8 packing(table, columns, depth);
        CHECK(4 * packing.quads % table.depth_step == 0);
        CHECK(4 * packing.quads >= depth);
        CHECK(4 * packing.quads < depth + table.depth_step);
        std::vector<int> taken(static_cast<std::size_t>(packing.bytes()), 0);
        for (std::int64_t column = 0; column < columns; ++column)
          for (std::int64_t line = 0; line < packing.quads + 3; ++line) {
            const std::int64_t at = packing.at(column, line);
            CHECK(at % 4 == 0);
            for (std::int64_t byte = at; byte < at + 4; ++byte)
              ++taken.at(static_cast<std::size_t>(byte));
          }
        CHECK(*std::max_element(taken.begin(), taken.end()) == 1);
        const std::int64_t empty = std::count(taken.begin(), taken.end(), 0);
        CHECK(empty / (4 * (packing.quads + 3)) < table.panel_columns);
        for (std::int64_t first = 0; first < columns; first += table.panel_columns)
          CHECK(packing.at(first, 0) == 4 * first * (packing.quads + 3));
      }
  });
}

}  // namespace figment::simd
