// The noise against the generator's published vectors, and the normal numbers against their
// moments.
#include "runtime/math/noise.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <vector>

using namespace figment;

namespace {

std::array<std::uint32_t, 4> words(const math::Block& block) {
  return {block.words[0], block.words[1], block.words[2], block.words[3]};
}
using Words = std::array<std::uint32_t, 4>;

}  // namespace

TEST_CASE("Philox4x32-10 gives the known answers of Random123") {
  CHECK(words(math::philox({{0, 0, 0, 0}}, 0)) ==
        Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(words(math::philox({{~0U, ~0U, ~0U, ~0U}}, ~std::uint64_t{0})) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(
      words(math::philox({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0x299f31d0a4093822)) ==
      Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("block, attempt and stream choose different blocks") {
  const Words block = words(math::draw_block(7, math::Stream::kNormal, 5, 0));
  CHECK(block == words(math::draw_block(7, math::Stream::kNormal, 5, 0)));
  CHECK(block != words(math::draw_block(7, math::Stream::kNormal, 6, 0)));
  CHECK(block !=
        words(math::draw_block(7, math::Stream::kNormal, 5 + (std::uint64_t{1} << 32), 0)));
  CHECK(block != words(math::draw_block(7, math::Stream::kNormal, 5, 1)));
  CHECK(block != words(math::draw_block(7, math::Stream::kUniform, 5, 0)));
  CHECK(block != words(math::draw_block(8, math::Stream::kNormal, 5, 0)));
}

TEST_CASE("normal numbers have the moments of N(0,1) and no memory") {
  constexpr int kCount = 400000;
  std::vector<float> values(kCount);
  math::draw_normals(42, 0, 0, 1, values.data(), kCount);
  double sums[4] = {};
  double neighbours = 0;
  int beyond_two = 0;
  for (int i = 0; i < kCount; ++i) {
    const double value = values[static_cast<std::size_t>(i)];
    double power = 1;
    for (double& sum : sums) sum += power *= value;
    if (i > 0) neighbours += value * values[static_cast<std::size_t>(i - 1)];
    if (std::fabs(value) > 2) ++beyond_two;
  }
  // Five standard errors each.
  const double error = 5 / std::sqrt(double{kCount});
  CHECK(std::fabs(sums[0] / kCount) < error);
  CHECK(std::fabs(sums[1] / kCount - 1) < error * std::sqrt(2.0));
  CHECK(std::fabs(sums[2] / kCount) < error * std::sqrt(15.0));
  CHECK(std::fabs(sums[3] / kCount - 3) < error * std::sqrt(96.0));
  CHECK(std::fabs(neighbours / kCount) < error);
  CHECK(beyond_two / double{kCount} == doctest::Approx(0.0455).epsilon(0.03));
}

TEST_CASE("the ends of the uniform numbers give finite normals") {
  const math::FourNormals lowest = math::normals_of({{0, 0, 0, 0x40000000}});
  CHECK(lowest.values[0] == doctest::Approx(6.7637).epsilon(1e-4));
  CHECK(lowest.values[1] == 0.0F);
  CHECK(lowest.values[3] == doctest::Approx(6.7637).epsilon(1e-4));
  const math::FourNormals highest = math::normals_of({{~0U, 123, ~0U, 0x80000000}});
  for (const float value : highest.values) CHECK(value == 0.0F);
}

TEST_CASE("mean and scale, and pieces that begin anywhere") {
  std::vector<float> whole(37);
  math::draw_normals(9, 0, 0, 1, whole.data(), 37);
  for (const std::size_t begin : {0, 1, 2, 3, 4, 17}) {
    for (const std::size_t count : {0, 1, 3, 4, 5, 20}) {
      std::vector<float> piece(20, -99.0F);
      math::draw_normals(9, begin, 2, 3, piece.data(), static_cast<std::int64_t>(count));
      for (std::size_t i = 0; i < 20; ++i) {
        const float expected = i < count ? 2 + 3 * whole[begin + i] : -99.0F;
        CHECK(piece[i] == expected);
      }
    }
  }
}

TEST_CASE("fractions are in [0, 1)") {
  CHECK(math::fraction_of(0) == 0.0F);
  CHECK(math::fraction_of(0x80000000U) == 0.5F);
  CHECK(math::fraction_of(~0U) < 1.0F);
}
