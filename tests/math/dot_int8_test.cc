// The inner loop of products with int8 weights: exact, at every length and at odd addresses.
#include "runtime/math/dot_int8.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

namespace figment::math {
namespace {

TEST_CASE("one row and two, of every length") {
  std::mt19937 random(1);
  std::vector<std::int16_t> a(100);
  std::vector<std::int8_t> b(43);
  for (std::int16_t& value : a) value = static_cast<std::int16_t>(int(random() % 511) - 255);
  for (std::int8_t& value : b) value = static_cast<std::int8_t>(int(random() % 256) - 128);
  for (int first = 0; first < 4; ++first)
    for (int depth = 1; depth <= 39; ++depth) {
      CAPTURE(depth);
      std::int32_t expected[2] = {};
      for (int row = 0; row < 2; ++row)
        for (int k = 0; k < depth; ++k) expected[row] += a[row * 50 + k] * b[first + k];
      std::int32_t both[2];
      dot_int8<2>(a.data(), 50, b.data() + first, depth, both);
      CHECK(both[0] == expected[0]);
      CHECK(both[1] == expected[1]);
      std::int32_t one[2] = {0, 77};
      dot_int8<1>(a.data() + 50, 50, b.data() + first, depth, one);
      CHECK(one[0] == expected[1]);
      CHECK(one[1] == 77);
    }
}

TEST_CASE("the largest sum fits") {
  constexpr int kDepth = 65536;
  const std::vector<std::int16_t> a(kDepth, 255);
  const std::vector<std::int8_t> b(kDepth, -128);
  std::int32_t sum = 0;
  dot_int8<1>(a.data(), kDepth, b.data(), kDepth, &sum);
  CHECK(sum == -255 * 128 * kDepth);
}

}  // namespace
}  // namespace figment::math
