// Integer products against a plain sum: parts, strides, odd rows.
#include "runtime/math/integer_product.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

namespace figment::math {
namespace {

TEST_CASE("sums of parts, for one row and several") {
  std::mt19937 random(1);
  std::vector<std::int16_t> a(200);
  std::vector<std::int8_t> b(200);
  for (std::int16_t& value : a) value = static_cast<std::int16_t>(int(random() % 511) - 255);
  for (std::int8_t& value : b) value = static_cast<std::int8_t>(int(random() % 256) - 128);
  const ProductPart parts[] = {{40, 5}, {0, 90}, {13, 33}};
  const QuantizedChannel channels[] = {{100, 1 << 30, 40}, {-5000, 2000000000, 42}};
  for (int rows = 0; rows <= 5; ++rows)
    for (int part_count = 0; part_count <= 3; ++part_count) {
      std::vector<std::int8_t> c(30, 99);
      std::vector<std::int8_t> expected = c;
      IntegerProduct product;
      product.rows = rows;
      product.columns = 2;
      product.depth = 11;
      product.parts = parts;
      product.part_count = part_count;
      product.a = a.data();
      product.a_stride = 7;  // rows may overlap
      product.b = b.data();
      product.b_stride = 17;
      product.channels = channels;
      product.range = {0, -3, -100, 90};
      product.c = c.data();
      product.c_stride = 5;
      for (int row = 0; row < rows; ++row)
        for (int column = 0; column < 2; ++column) {
          std::int32_t sum = channels[column].bias;
          for (int i = 0; i < part_count; ++i)
            for (int k = 0; k < 11; ++k)
              sum += a[static_cast<std::size_t>(row * 7 + parts[i].a + k)] *
                     b[static_cast<std::size_t>(column * 17 + parts[i].b + k)];
          expected[static_cast<std::size_t>(row * 5 + column)] =
              requantize(sum, channels[column], product.range);
        }
      multiply_integers(product);
      CHECK(c == expected);
    }
}

TEST_CASE("numbers less their zero point, at the ends") {
  const std::int8_t numbers[] = {-128, 0, 127};
  std::int16_t wide[3];
  widen(numbers, 3, 127, wide);
  CHECK(wide[0] == -255);
  CHECK(wide[2] == 0);
  widen(numbers, 3, -128, wide);
  CHECK(wide[0] == 0);
  CHECK(wide[2] == 255);
}

TEST_CASE("two rows at least, but no more than there are") {
  CHECK(wide_rows_at_a_time(65000, 9) == 2);
  CHECK(wide_rows_at_a_time(65000, 1) == 1);
  CHECK(wide_rows_at_a_time(1, 100000) == 2048);
  CHECK(wide_rows_at_a_time(10, 7) == 7);
}

}  // namespace
}  // namespace figment::math
