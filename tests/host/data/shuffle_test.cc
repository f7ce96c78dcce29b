// Every epoch sees each example once, in an order of its own.
#include "targets/host/data/shuffle.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace figment::host {
namespace {

std::vector<std::int64_t> order(std::int64_t count, std::uint64_t seed, std::int64_t epoch) {
  const Shuffle shuffle(count, seed, epoch);
  std::vector<std::int64_t> indices;
  for (std::int64_t position = 0; position < count; ++position)
    indices.push_back(shuffle[position]);
  return indices;
}

}  // namespace

TEST_CASE("an order holds each example once, whatever their number") {
  for (const std::int64_t count : {1, 2, 3, 5, 7, 16, 17, 24, 1000, 4097}) {
    CAPTURE(count);
    std::vector<std::int64_t> indices = order(count, 7, 3);
    std::sort(indices.begin(), indices.end());
    std::vector<std::int64_t> all(indices.size());
    std::iota(all.begin(), all.end(), 0);
    CHECK(indices == all);
  }
}

TEST_CASE("an order depends on seed and epoch alone") {
  CHECK(order(1000, 1, 0) == order(1000, 1, 0));
  CHECK(order(1000, 1, 0) != order(1000, 1, 1));
  CHECK(order(1000, 1, 0) != order(1000, 2, 0));
}

TEST_CASE("neighbours are torn apart") {
  const std::vector<std::int64_t> indices = order(4000, 5, 0);
  double mean = 0;
  int neighbours = 0;
  for (std::size_t i = 1; i < indices.size(); ++i) {
    const auto distance = std::abs(indices[i] - indices[i - 1]);
    mean += static_cast<double>(distance) / static_cast<double>(indices.size());
    neighbours += distance == 1 ? 1 : 0;
  }
  // Of two numbers drawn anywhere: a third of the range; two neighbours in all.
  CHECK(mean == doctest::Approx(4000.0 / 3).epsilon(0.05));
  CHECK(neighbours < 12);
  CHECK_FALSE(std::is_sorted(indices.begin(), indices.end()));
}

TEST_CASE("a place among more examples than any table holds is found at once") {
  const std::int64_t count = std::int64_t{1} << 40;
  const Shuffle shuffle(count, 1, 0);
  CHECK(shuffle[0] != shuffle[1]);
  CHECK(shuffle[count - 1] < count);
  CHECK(shuffle[count - 1] >= 0);
}

}  // namespace figment::host
