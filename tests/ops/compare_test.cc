// Comparisons and logic: every way to broadcast, both types, NaN, and what is refused.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/ops/operator_harness.h"
#include "tests/ops/reference.h"

using namespace figment;
using namespace figment::testing;
using format::CompareFunction;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

bool truth(CompareFunction function, double a, double b) {
  switch (function) {
    case CompareFunction::Equal:
      return a == b;
    case CompareFunction::NotEqual:
      return !(a == b);
    case CompareFunction::Less:
      return a < b;
    case CompareFunction::LessOrEqual:
      return a <= b;
    case CompareFunction::And:
      return a != 0 && b != 0;
    case CompareFunction::Or:
      return a != 0 || b != 0;
    case CompareFunction::Xor:
      return (a != 0) != (b != 0);
  }
  return false;
}

format::OperatorOptionsUnion options(CompareFunction function) {
  format::CompareT table;
  table.function = function;
  return options_of(table);
}

double value_at(const TestTensor& tensor, std::size_t position) {
  return tensor.type == DataType::kInt32 ? double(tensor.integers[position])
                                         : double{tensor.values[position]};
}

void check(CompareFunction function, const TestTensor& a, const TestTensor& b,
           const Shape& together) {
  CAPTURE(format::EnumNameCompareFunction(function));
  std::vector<double> expected;
  for_each_element(together, [&](const Indices& at) {
    const double x = value_at(a, broadcast_position(a.shape, at));
    const double y = value_at(b, broadcast_position(b.shape, at));
    expected.push_back(truth(function, x, y) ? 1 : 0);
  });
  check_operator(options(function), {a, b}, together, expected, 0);
}

void check_all(const TestTensor& a, const TestTensor& b, const Shape& together) {
  for (const CompareFunction function : format::EnumValuesCompareFunction())
    check(function, a, b, together);
}

// Whole numbers from -2 to 2, so that many are equal and many are 0.
std::vector<float> small_numbers(std::int64_t count, std::uint32_t seed) {
  std::vector<float> values = random_values(count, seed, -2.5F, 2.5F);
  for (float& value : values) value = std::nearbyint(value);
  return values;
}

TestTensor floats(const Shape& shape, std::uint32_t seed) {
  return {.shape = shape, .values = small_numbers(shape.elements(), seed)};
}

TestTensor whole(const Shape& shape, std::uint32_t seed) {
  TestTensor tensor{.shape = shape, .type = DataType::kInt32};
  for (const float value : small_numbers(shape.elements(), seed))
    tensor.integers.push_back(static_cast<std::int32_t>(value));
  return tensor;
}

}  // namespace

TEST_CASE("every function on every way to broadcast, both types") {
  struct Pair {
    Shape a, b, together;
  };
  const Pair pairs[] = {
      {shape_of({3, 5, 7}), shape_of({3, 5, 7}), shape_of({3, 5, 7})},
      {shape_of({3, 5, 7}), shape_of({}), shape_of({3, 5, 7})},
      {shape_of({}), shape_of({3, 5, 7}), shape_of({3, 5, 7})},
      {shape_of({1, 67}), shape_of({3, 67}), shape_of({3, 67})},
      {shape_of({5, 1}), shape_of({1, 37}), shape_of({5, 37})},
      {shape_of({2, 1, 3, 1, 2}), shape_of({4, 1, 5, 1}), shape_of({2, 4, 3, 5, 2})},
      {shape_of({}), shape_of({}), shape_of({})},
  };
  for (const Pair& pair : pairs) {
    CAPTURE(pair.a.rank);
    check_all(floats(pair.a, 1), floats(pair.b, 2), pair.together);
    check_all(whole(pair.a, 3), whole(pair.b, 4), pair.together);
  }
}

TEST_CASE("a batch of 5 with a constant vector, and with another batch") {
  const Shape shape = shape_of({5, 3, 7});
  TestTensor a = floats(shape, 3);
  a.batched = true;
  TestTensor vector = floats(shape_of({7}), 4);
  vector.constant = true;
  TestTensor other = floats(shape, 5);
  other.batched = true;
  check_all(a, vector, shape);
  check_all(a, other, shape);
  check_all(vector, a, shape);
}

TEST_CASE("NaN, infinities, zeros and integers that float32 does not hold") {
  const std::vector<float> special = {0.0F,  -0.0F,     1e-45F,     1.0F,
                                      -2.5F, kInfinity, -kInfinity, kNaN};
  const int count = static_cast<int>(special.size());
  check_all({.shape = shape_of({count, 1}), .values = special},
            {.shape = shape_of({count}), .values = special}, shape_of({count, count}));
  const TestTensor large{.shape = shape_of({4}),
                         .type = DataType::kInt32,
                         .integers = {16777217, 16777216, INT32_MIN, INT32_MAX}};
  TestTensor column = large;
  column.shape = shape_of({4, 1});
  check_all(column, large, shape_of({4, 4}));
}

TEST_CASE("an operand with itself") {
  const TestTensor x = floats(shape_of({1, 33}), 6);
  check_all(x, x, x.shape);
}

TEST_CASE("what a damaged file may say is refused") {
  const TestTensor a = floats(shape_of({2, 3}), 7);
  const TestTensor b = floats(shape_of({2}), 8);
  const TestTensor bytes{.shape = shape_of({3}), .values = {1, 2, 3}, .type = DataType::kUInt8};
  check_refused(options(static_cast<CompareFunction>(7)), {a, a}, {}, "comparison 7");
  check_refused(options(static_cast<CompareFunction>(255)), {a, a}, {}, "comparison 255");
  check_refused(options(CompareFunction::Less), {a, b}, {}, "2x3 and 2 cannot be broadcast");
  check_refused(options(CompareFunction::Less), {a, whole(shape_of({3}), 1)}, {},
                "input 1 has the wrong type");
  check_refused(options(CompareFunction::Less), {whole(shape_of({2}), 1), b}, {},
                "input 1 has the wrong type");
  check_refused(options(CompareFunction::Equal), {bytes, bytes}, {}, "must be float32");
  check_refused(options(CompareFunction::And), {a}, {}, "1 inputs");
  check_refused(options(CompareFunction::And), {a, absent()}, {}, "lacks input 1");
  const TestTensor column{.shape = shape_of({70000, 1}), .values = std::vector<float>(70000)};
  const TestTensor row{.shape = shape_of({1, 70000}), .values = std::vector<float>(70000)};
  check_refused(options(CompareFunction::Or), {column, row}, {}, "too large");
}
