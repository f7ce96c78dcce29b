// Statistics against double precision, where sums of squares would lose everything.
#include "runtime/train/normalization.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace figment::train {
namespace {

// Numbers around `mean`, of which columns are `columns` apart; column 0's variance is known.
std::vector<float> numbers_around(float mean, std::int64_t rows, std::int64_t columns) {
  std::vector<float> x;
  for (std::int64_t i = 0; i < rows * columns; ++i)
    x.push_back(mean + static_cast<float>((i * 7919) % 1009) / 4096.0F);
  return x;
}

Moments definition(const std::vector<float>& x, std::size_t first, std::size_t step) {
  Moments result;
  for (std::size_t i = first; i < x.size(); i += step) {
    ++result.count;
    result.mean += double{x[i]};
  }
  result.mean /= result.count;
  for (std::size_t i = first; i < x.size(); i += step)
    result.squares += (double{x[i]} - result.mean) * (double{x[i]} - result.mean);
  return result;
}

void check_moments(const Moments& moments, const Moments& expected) {
  CHECK(moments.count == expected.count);
  CHECK(std::fabs(moments.mean - expected.mean) <= 1e-8 * std::fabs(expected.mean) + 1e-6);
  CHECK(std::fabs(moments.squares - expected.squares) <= 1e-5 * expected.squares);
}

TEST_CASE("moments of columns with a large mean and a small variance") {
  for (const std::int64_t rows : {1, 2, 63, 64, 65, 1000})
    for (const std::int64_t columns : {1, 3, 32, 45})
      for (const float mean : {0.0F, 1000.0F, -2000.0F}) {
        CAPTURE(rows);
        CAPTURE(columns);
        CAPTURE(mean);
        const std::vector<float> x = numbers_around(mean, rows, columns);
        std::vector<Moments> moments(static_cast<std::size_t>(columns));
        const std::int64_t half = columns / 2;
        column_moments(x.data(), rows, columns, 0, half, moments.data());
        column_moments(x.data(), rows, columns, half, columns, moments.data());
        for (std::size_t c = 0; c < moments.size(); ++c)
          check_moments(moments[c], definition(x, c, moments.size()));
      }
}

TEST_CASE("moments of lines with a large mean and a small variance") {
  for (const std::int64_t count : {1, 15, 16, 17, 1023, 1024, 1025, 5000})
    for (const float mean : {0.0F, 1000.0F, -2000.0F}) {
      CAPTURE(count);
      CAPTURE(mean);
      const std::vector<float> x = numbers_around(mean, count, 1);
      check_moments(moments_of(x.data(), count), definition(x, 0, 1));
    }
}

TEST_CASE("the shift gives back what rounding the mean took") {
  const Normal normal = normal_of(10000.0003, 1e-4, 0);
  CHECK(normal.centre == 10000.0F);
  CHECK(normal.factor == doctest::Approx(100));
  CHECK(normal.shift == doctest::Approx(-0.03).epsilon(1e-6));
}

}  // namespace
}  // namespace figment::train
