// Where the largest and smallest numbers stand: every axis, ties, NaN, both types.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/ops/operator_harness.h"
#include "tests/ops/reference.h"

using namespace figment;
using namespace figment::testing;
using format::ArgReduceFunction;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

format::OperatorOptionsUnion options(ArgReduceFunction function, int axis, bool keep = false,
                                     bool last = false) {
  format::ArgReduceT table;
  table.function = function;
  table.axis = axis;
  table.keep_axis = keep;
  table.last = last;
  return options_of(table);
}

// How far up a number stands; NaN above all.
double height(const TestTensor& x, std::size_t position, bool largest) {
  const double value =
      x.type == DataType::kInt32 ? double(x.integers[position]) : double{x.values[position]};
  if (std::isnan(value)) return HUGE_VAL;
  // Infinities stay below NaN.
  return std::fmax(std::fmin(largest ? value : -value, 1e300), -1e300);
}

void check(const TestTensor& x, int axis) {
  for (const bool largest : {true, false}) {
    for (const bool last : {false, true}) {
      for (const bool keep : {false, true}) {
        CAPTURE(largest);
        CAPTURE(last);
        CAPTURE(keep);
        Shape rows = x.shape;
        rows[axis] = 1;
        std::vector<double> expected;
        for_each_element(rows, [&](Indices at) {
          double best = 0;
          int found = -1;
          for (int i = 0; i < x.shape[axis]; ++i) {
            at[static_cast<std::size_t>(axis)] = i;
            const double value = height(x, position_of(x.shape, at), largest);
            if (found >= 0 && (last ? value < best : value <= best)) continue;
            best = value;
            found = i;
          }
          expected.push_back(found);
        });
        Shape shape;
        for (int own = 0; own < x.shape.rank; ++own)
          if (own != axis || keep) shape[shape.rank++] = rows[own];
        check_operator(options(largest ? ArgReduceFunction::ArgMax : ArgReduceFunction::ArgMin,
                               axis, keep, last),
                       {x}, shape, expected, 0);
      }
    }
  }
}

}  // namespace

TEST_CASE("along every axis, batch 1 and 5, with ties") {
  for (const int batch : {1, 5}) {
    TestTensor x{.shape = shape_of({batch, 3, 7, 5})};
    x.values = random_values(x.shape.elements(), 1, -3.5F, 3.5F);
    for (float& value : x.values) value = std::nearbyint(value);
    x.batched = true;
    for (const int axis : {1, 2, 3}) check(x, axis);
    x.batched = false;
    check(x, 0);
  }
  check({.shape = shape_of({67}), .values = random_values(67, 2)}, 0);
}

TEST_CASE("whole numbers that float32 does not hold") {
  check({.shape = shape_of({2, 3}),
         .type = DataType::kInt32,
         .integers = {16777216, 16777217, 16777216, INT32_MIN, INT32_MAX, 0}},
        1);
}

TEST_CASE("NaN goes before infinities") {
  check(
      {.shape = shape_of({4, 5}),
       .values = {1,     kInfinity, kNaN,  2,    kNaN,  -kInfinity, kNaN, kInfinity, 0, 0,
                  -0.0F, 0.0F,      -0.0F, 0.0F, -0.0F, kNaN,       1,    2,         3, kInfinity}},
      1);
}

TEST_CASE("what a damaged file may say is refused") {
  const TestTensor x{.shape = shape_of({2, 3}), .values = random_values(6, 7)};
  const TestTensor bytes{.shape = shape_of({3}), .values = {1, 2, 3}, .type = DataType::kUInt8};
  check_refused(options(static_cast<ArgReduceFunction>(2), 0), {x}, {}, "search 2");
  check_refused(options(ArgReduceFunction::ArgMax, 2), {x}, {}, "axis 2");
  check_refused(options(ArgReduceFunction::ArgMax, -1), {x}, {}, "axis -1");
  check_refused(options(ArgReduceFunction::ArgMin, 0), {{.shape = shape_of({}), .values = {1}}}, {},
                "outside");
  check_refused(options(ArgReduceFunction::ArgMin, 0), {bytes}, {}, "must be float32");
  check_refused(options(ArgReduceFunction::ArgMin, 0), {x, x}, {}, "2 inputs");
}
