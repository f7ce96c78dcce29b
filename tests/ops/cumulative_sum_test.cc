// Running sums: every axis, both directions, both types, and the ends.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/ops/operator_harness.h"
#include "tests/ops/reference.h"

using namespace figment;
using namespace figment::testing;

namespace {

format::OperatorOptionsUnion options(int axis, bool exclusive = false, bool reverse = false) {
  format::CumulativeSumT table;
  table.axis = axis;
  table.exclusive = exclusive;
  table.reverse = reverse;
  return options_of(table);
}

// Each sum by itself, from the definition.
void check(const TestTensor& x, int axis, double tolerance) {
  const auto along = static_cast<std::size_t>(axis);
  for (const bool exclusive : {false, true}) {
    for (const bool reverse : {false, true}) {
      CAPTURE(exclusive);
      CAPTURE(reverse);
      std::vector<double> expected;
      for_each_element(x.shape, [&](const Indices& at) {
        double sum = 0;
        for (Indices from = at; from[along] >= 0 && from[along] < x.shape[axis];
             from[along] += reverse ? 1 : -1) {
          if (exclusive && from == at) continue;
          const std::size_t position = position_of(x.shape, from);
          sum += x.type == DataType::kInt32 ? double(x.integers[position])
                                            : double{x.values[position]};
        }
        expected.push_back(sum);
      });
      check_operator(options(axis, exclusive, reverse), {x}, x.shape, expected, tolerance);
    }
  }
}

}  // namespace

TEST_CASE("along every axis, batch 1 and 5") {
  for (const int batch : {1, 5}) {
    TestTensor x{.shape = shape_of({batch, 3, 7, 5})};
    x.values = random_values(x.shape.elements(), 1);
    x.batched = true;
    for (const int axis : {1, 2, 3}) check(x, axis, 1e-6);
    x.batched = false;
    check(x, 0, 1e-6);
  }
}

TEST_CASE("long sums do not lose small numbers") {
  TestTensor x{.shape = shape_of({10001}), .values = random_values(10001, 2, 0, 1)};
  x.values[0] = 16777216;
  check_operator(
      options(0), {x}, x.shape,
      [&] {
        std::vector<double> sums;
        double sum = 0;
        for (const float value : x.values) sums.push_back(sum += double{value});
        return sums;
      }(),
      1e-7);
}

TEST_CASE("whole numbers, which wrap") {
  check({.shape = shape_of({2, 3}),
         .type = DataType::kInt32,
         .integers = {16777216, 1, -5, 100000, 3, 4}},
        1, 0);
  check_operator(
      options(0),
      {{.shape = shape_of({3}), .type = DataType::kInt32, .integers = {INT32_MAX, 1, INT32_MIN}}},
      shape_of({3}), {2147483647.0, -2147483648.0, 0}, 0);
}

TEST_CASE("infinities and NaN") {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  check({.shape = shape_of({3, 4}),
         .values = {1, infinity, 2, 3, 1, infinity, -infinity, 3, 1, nan, 2, 3}},
        1, 0);
  // Past float32's range and back: the sum is kept in double precision.
  check_operator(options(0), {{.shape = shape_of({3}), .values = {3e38F, 3e38F, -3e38F}}},
                 shape_of({3}), {double{3e38F}, double{infinity}, double{3e38F}}, 0);
}

TEST_CASE("what a damaged file may say is refused") {
  const TestTensor x{.shape = shape_of({2, 3}), .values = random_values(6, 7)};
  const TestTensor bytes{.shape = shape_of({3}), .values = {1, 2, 3}, .type = DataType::kUInt8};
  check_refused(options(2), {x}, {}, "axis 2");
  check_refused(options(-1), {x}, {}, "axis -1");
  check_refused(options(0), {{.shape = shape_of({}), .values = {1}}}, {}, "outside");
  check_refused(options(0), {bytes}, {}, "must be float32");
  check_refused(options(0), {x, x}, {}, "2 inputs");
}
