// The logarithm of softmax along every axis, and where its sums are at the ends.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/ops/operator_harness.h"
#include "tests/ops/reference.h"

using namespace figment;
using namespace figment::testing;

namespace {

format::OperatorOptionsUnion options(int axis) {
  format::LogSoftmaxT table;
  table.axis = axis;
  return options_of(table);
}

std::vector<double> expected_of(const TestTensor& x, int axis) {
  std::vector<double> expected;
  for_each_element(x.shape, [&](Indices at) {
    const double value = x.values[position_of(x.shape, at)];
    double highest = -HUGE_VAL;
    double sum = 0;
    for (const bool summing : {false, true}) {
      for (int i = 0; i < x.shape[axis]; ++i) {
        at[static_cast<std::size_t>(axis)] = i;
        const double other = x.values[position_of(x.shape, at)];
        summing ? void(sum += std::exp(other - highest))
                : void(highest = std::fmax(highest, other));
      }
    }
    expected.push_back(value - highest - std::log(sum));
  });
  return expected;
}

}  // namespace

TEST_CASE("along every axis, batch 1 and 5") {
  for (const int batch : {1, 5}) {
    TestTensor x{.shape = shape_of({batch, 3, 7, 5})};
    x.values = random_values(x.shape.elements(), 1, -8, 8);
    x.batched = true;
    for (const int axis : {1, 2, 3})
      check_operator(options(axis), {x}, x.shape, expected_of(x, axis), 1e-6);
  }
  const TestTensor x{.shape = shape_of({4, 9}), .values = random_values(36, 2, -8, 8)};
  check_operator(options(0), {x}, x.shape, expected_of(x, 0), 1e-6);
}

TEST_CASE("long lines, huge numbers, and probabilities that float32 does not hold") {
  TestTensor x{.shape = shape_of({2, 1001}), .values = random_values(2002, 3, -50, 50)};
  check_operator(options(1), {x}, x.shape, expected_of(x, 1), 1e-6);
  x = {.shape = shape_of({1, 4}), .values = {1000, 0, -1000, 1000}};
  check_operator(options(1), {x}, x.shape, expected_of(x, 1), 1e-6);
  x = {.shape = shape_of({1, 3}), .values = {3e38F, -3e38F, 0}};
  check_operator(options(1), {x}, x.shape, {0, -HUGE_VAL, -double{3e38F}});
  x = {.shape = shape_of({3, 1}), .values = {-1e30F, 0, 1e30F}};
  check_operator(options(1), {x}, x.shape, {0, 0, 0});
}

TEST_CASE("infinities and NaN") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  const double nan = std::nan("");
  const double half = -std::log(2.0);
  const TestTensor x{.shape = shape_of({4, 3}),
                     .values = {0, -kInfinity, 0, 1, kNaN, 2, -kInfinity, -kInfinity, -kInfinity, 0,
                                kInfinity, 1}};
  check_operator(options(1), {x}, x.shape,
                 {half, -HUGE_VAL, half, nan, nan, nan, nan, nan, nan, nan, nan, nan});
}

TEST_CASE("what a damaged file may say is refused") {
  const TestTensor x{.shape = shape_of({2, 3}), .values = random_values(6, 7)};
  check_refused(options(2), {x}, {}, "axis 2");
  check_refused(options(-1), {x}, {}, "axis -1");
  check_refused(options(0), {{.shape = shape_of({}), .values = {1}}}, {}, "outside");
  check_refused(options(0),
                {{.shape = shape_of({2}), .type = DataType::kInt32, .integers = {1, 2}}}, {},
                "float32");
}
