// Latents: the same bits from every compiler, in any pieces, within their limits.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "figment/figment.h"
#include "runtime/format/sha256.h"

using namespace figment;

namespace {

constexpr int kCount = 10007;

Tensor view(std::vector<float>& values) {
  Tensor tensor;
  tensor.data = values.data();
  tensor.shape.rank = 1;
  tensor.shape[0] = static_cast<std::int32_t>(values.size());
  return tensor;
}

std::vector<float> normal(int count, std::uint64_t seed, std::uint64_t first = 0) {
  std::vector<float> values(static_cast<std::size_t>(count));
  fill_normal(view(values), seed, first);
  return values;
}

std::vector<float> truncated(int count, std::uint64_t seed, float limit, std::uint64_t first = 0) {
  std::vector<float> values(static_cast<std::size_t>(count));
  fill_truncated_normal(view(values), seed, limit, first);
  return values;
}

std::vector<float> uniform(int count, std::uint64_t seed, float low, float high,
                           std::uint64_t first = 0) {
  std::vector<float> values(static_cast<std::size_t>(count));
  fill_uniform(view(values), seed, low, high, first);
  return values;
}

std::vector<float> piece(const std::vector<float>& values, std::ptrdiff_t begin,
                         std::ptrdiff_t count) {
  return {values.begin() + begin, values.begin() + begin + count};
}

// The first bytes of the values' SHA-256.
std::uint64_t digest(const std::vector<float>& values) {
  format::Sha256 hash;
  hash.update(std::as_bytes(std::span(values)));
  const format::Digest bytes = hash.finish();
  std::uint64_t start = 0;
  for (std::size_t i = 0; i < 8; ++i) start = start << 8 | bytes[i];
  return start;
}

}  // namespace

// These bits are a promise to every user who wrote a seed down: they may never change.
TEST_CASE("known bits") {
  const std::uint32_t expected[] = {0xbf785e5c, 0x3e46ace8, 0xbf9e28d3, 0x3ff6433c, 0xbd95e033};
  const std::vector<float> values = normal(5, 42);
  for (std::size_t i = 0; i < 5; ++i) CHECK(std::bit_cast<std::uint32_t>(values[i]) == expected[i]);
  CHECK(digest(normal(kCount, 42)) == 0x1d16579c21680887U);
  CHECK(digest(truncated(kCount, 42, 0.7F)) == 0x800c305fda93ee19U);
  CHECK(digest(uniform(kCount, 42, -1, 1)) == 0x645ffc004838031dU);
}

TEST_CASE("a batch drawn in pieces is the batch") {
  const std::vector<float> normals = normal(50, 7);
  const std::vector<float> truncateds = truncated(50, 7, 0.5F);
  const std::vector<float> uniforms = uniform(50, 7, 2, 5);
  for (const int begin : {0, 1, 2, 3, 4, 29}) {
    const auto first = static_cast<std::uint64_t>(begin);
    CHECK(normal(21, 7, first) == piece(normals, begin, 21));
    CHECK(truncated(21, 7, 0.5F, first) == piece(truncateds, begin, 21));
    CHECK(uniform(21, 7, 2, 5, first) == piece(uniforms, begin, 21));
  }
  // Far along, past 32 bits.
  const std::uint64_t far = (std::uint64_t{1} << 34) - 2;
  CHECK(normal(4, 7, far + 1) == piece(normal(5, 7, far), 1, 4));
  CHECK(normal(4, 7, far + 2) != normal(4, 7, 0));
}

TEST_CASE("seeds differ, in either half") {
  CHECK(normal(8, 1) != normal(8, 2));
  CHECK(normal(8, 1) != normal(8, 1 + (std::uint64_t{1} << 32)));
}

TEST_CASE("a truncated draw is within the limit, and the normal one where that is") {
  const std::vector<float> normals = normal(kCount, 3);
  for (const float limit : {2.0F, 0.7F, 0.1F}) {
    const std::vector<float> values = truncated(kCount, 3, limit);
    double square = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      CHECK(std::fabs(values[i]) <= limit);
      if (std::fabs(normals[i]) <= limit) CHECK(values[i] == normals[i]);
      square += double{values[i]} * values[i];
    }
    // The variance of a truncated normal: 1 - 2*limit*density(limit) / probability(limit).
    const double density = std::exp(-0.5 * limit * limit) / std::sqrt(2 * std::acos(-1.0));
    const double variance = 1 - 2 * limit * density / std::erf(limit / std::sqrt(2.0));
    CHECK(square / kCount == doctest::Approx(variance).epsilon(0.05));
  }
}

TEST_CASE("truncation ends at any limit") {
  double square = 0;
  const std::vector<float> values = truncated(2000, 3, 1e-4F);
  for (const float value : values) {
    CHECK(std::fabs(value) <= 1e-4F);
    square += double{value} * value;
  }
  CHECK(square / 2000 == doctest::Approx(1e-8 / 3).epsilon(0.1));
  CHECK(truncated(5, 3, std::numeric_limits<float>::infinity()) == normal(5, 3));
  for (const float limit : {0.0F, -1.0F, std::numeric_limits<float>::quiet_NaN()})
    CHECK(truncated(3, 3, limit) == std::vector<float>{0, 0, 0});
}

TEST_CASE("uniform draws fill [low, high) and leave high out") {
  const std::vector<float> values = uniform(kCount, 11, -2, 6);
  double sum = 0;
  double square = 0;
  for (const float value : values) {
    CHECK(value >= -2);
    CHECK(value < 6);
    sum += value;
    square += (value - 2.0) * (value - 2.0);
  }
  CHECK(std::fabs(sum / kCount - 2) < 0.12);
  CHECK(square / kCount == doctest::Approx(64.0 / 12).epsilon(0.05));
  for (const float low : {1.0F, -1.0F, -std::numeric_limits<float>::denorm_min()}) {
    const float high = std::nextafter(low, 2.0F);
    for (const float value : uniform(100, 11, low, high)) CHECK(value == low);
  }
  for (const float value : uniform(10, 11, 3, 3)) CHECK(value == 3.0F);
  const float huge = std::numeric_limits<float>::max();
  for (const float value : uniform(1000, 11, -huge, huge)) CHECK(std::isfinite(value));
}

TEST_CASE("uniform draws are not those of the normal stream") {
  CHECK(uniform(8, 5, 0, 1) != normal(8, 5));
}
