// The loops of gated cells, over lengths that are no multiple of a SIMD width.
#include "runtime/math/gates.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace figment::math {
namespace {

std::vector<float> ramp(std::size_t count, float start, float step) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = start + step * static_cast<float>(i);
  return values;
}

}  // namespace

TEST_CASE("every element is the formula's, and none beyond the count") {
  for (const std::size_t count : {0U, 1U, 3U, 4U, 17U, 33U}) {
    const std::vector<float> a = ramp(count, -1, 0.25F), b = ramp(count, 2, -0.5F),
                             c = ramp(count, 0.5F, 0.125F), start = ramp(count + 1, 3, 1);
    const auto length = static_cast<std::int64_t>(count);
    std::vector<float> sum = start, product_sum = start, product = start, rest = start,
                       state = start;
    add(a.data(), sum.data(), length);
    add_product(a.data(), b.data(), product_sum.data(), length);
    multiply(a.data(), b.data(), product.data(), length);
    complement(a.data(), rest.data(), length);
    blend(a.data(), b.data(), c.data(), state.data(), length);
    for (std::size_t i = 0; i < count; ++i) {
      CHECK(sum[i] == start[i] + a[i]);
      CHECK(product_sum[i] == start[i] + a[i] * b[i]);
      CHECK(product[i] == a[i] * b[i]);
      CHECK(rest[i] == 1 - a[i]);
      CHECK(state[i] == a[i] * start[i] + b[i] * c[i]);
    }
    for (const auto* result : {&sum, &product_sum, &product, &rest, &state})
      CHECK(result->back() == start.back());
  }
}

TEST_CASE("what may reach an output has one NaN") {
  const float infinity = std::numeric_limits<float>::infinity();
  const float zero = 0;
  const float negative_nan = std::copysign(std::numeric_limits<float>::quiet_NaN(), -1.0F);
  const auto expected = std::bit_cast<std::uint32_t>(std::numeric_limits<float>::quiet_NaN());
  for (const float value : {infinity, negative_nan}) {
    float product = 1;
    multiply(&value, &zero, &product, 1);
    CHECK(std::bit_cast<std::uint32_t>(product) == expected);
    float state = 1;
    blend(&zero, &value, &zero, &state, 1);
    CHECK(std::bit_cast<std::uint32_t>(state) == expected);
  }
}

}  // namespace figment::math
