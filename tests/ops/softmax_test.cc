// Softmax along every axis, and where its sums are at the ends.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/ops/operator_harness.h"
#include "tests/ops/reference.h"

using namespace figment;
using namespace figment::testing;

namespace {

format::OperatorOptionsUnion options(int axis) {
  format::SoftmaxT table;
  table.axis = axis;
  return options_of(table);
}

std::vector<double> expected_of(const TestTensor& x, int axis) {
  std::vector<double> expected;
  for_each_element(x.shape, [&](Indices at) {
    const double value = x.values[position_of(x.shape, at)];
    double highest = -HUGE_VAL;
    for (int i = 0; i < x.shape[axis]; ++i) {
      at[static_cast<std::size_t>(axis)] = i;
      highest = std::fmax(highest, x.values[position_of(x.shape, at)]);
    }
    double sum = 0;
    for (int i = 0; i < x.shape[axis]; ++i) {
      at[static_cast<std::size_t>(axis)] = i;
      sum += std::exp(x.values[position_of(x.shape, at)] - highest);
    }
    expected.push_back(std::exp(value - highest) / sum);
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
  TestTensor x{.shape = shape_of({4, 9}), .values = random_values(36, 2, -8, 8)};
  check_operator(options(0), {x}, x.shape, expected_of(x, 0), 1e-6);
}

TEST_CASE("long rows, huge and tiny numbers") {
  TestTensor x{.shape = shape_of({2, 1001}), .values = random_values(2002, 3, -50, 50)};
  check_operator(options(1), {x}, x.shape, expected_of(x, 1), 1e-6);
  x = {.shape = shape_of({1, 5}), .values = {3e38F, 3e38F, -3e38F, 0, 1e38F}};
  check_operator(options(1), {x}, x.shape, {0.5, 0.5, 0, 0, 0});
  x = {.shape = shape_of({3, 1}), .values = {-1e30F, 0, 1e30F}};
  check_operator(options(1), {x}, x.shape, {1, 1, 1});
}

TEST_CASE("infinities and NaN, portable") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const double nan = std::nan("");
  const TestTensor x{.shape = shape_of({3, 3}),
                     .values = {0, -kInfinity, 0, 1, std::numeric_limits<float>::quiet_NaN(), 2,
                                -kInfinity, -kInfinity, -kInfinity}};
  check_operator_on(Backend::kPortable, options(1), {x}, x.shape,
                    {0.5, 0, 0.5, nan, nan, nan, nan, nan, nan});
}

TEST_CASE("what a damaged file may say is refused") {
  const TestTensor x{.shape = shape_of({2, 3}), .values = random_values(6, 7)};
  check_refused(options(2), {x}, {}, "axis 2");
  check_refused(options(-1), {x}, {}, "axis -1");
  check_refused(options(INT32_MIN), {x}, {}, "outside");
  check_refused(options(0), {{.shape = shape_of({}), .values = {1}}}, {}, "outside");
  check_refused(options(0),
                {{.shape = shape_of({2}), .type = DataType::kInt32, .integers = {1, 2}}}, {},
                "float32");
}
