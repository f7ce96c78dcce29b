// Numbers of one type as another, at the ends of the types too.
#include <doctest/doctest.h>

#include <limits>

#include "tests/ops/operator_harness.h"

using namespace figment;
using namespace figment::testing;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

format::OperatorOptionsUnion to(format::DataType type) {
  format::CastT table;
  table.to = type;
  return options_of(table);
}

Shape list_of(std::size_t count) { return shape_of({static_cast<int>(count)}); }

TestTensor floats(std::vector<float> values) {
  TestTensor tensor{.shape = list_of(values.size())};
  tensor.values = std::move(values);
  return tensor;
}

TestTensor whole(std::vector<std::int32_t> values) {
  TestTensor tensor{.shape = list_of(values.size()), .type = DataType::kInt32};
  tensor.integers = std::move(values);
  return tensor;
}

TestTensor bytes(std::vector<float> values) {
  TestTensor tensor = floats(std::move(values));
  tensor.type = DataType::kUInt8;
  return tensor;
}

void check_cast(const TestTensor& x, format::DataType type, const std::vector<double>& expected) {
  check_operator(to(type), {x}, x.shape, expected, 0);
}

}  // namespace

TEST_CASE("from float32: truncated, clamped, NaN is 0") {
  const TestTensor x = floats(
      {0.9F, -0.9F, 1.5F, -2.5F, 255.9F, 256, -1, 3e9F, -3e9F, kInfinity, -kInfinity, kNaN, 1e6F});
  check_cast(x, format::DataType::Int32,
             {0, 0, 1, -2, 255, 256, -1, 2147483647.0, -2147483648.0, 2147483647.0, -2147483648.0,
              0, 1e6});
  check_cast(x, format::DataType::UInt8, {0, 0, 1, 0, 255, 255, 0, 255, 0, 255, 0, 0, 255});
  const std::vector<float> values = random_values(37, 1);
  check_cast(floats(values), format::DataType::Float32,
             std::vector<double>(values.begin(), values.end()));
}

TEST_CASE("from int32: rounded to the nearest float32, clamped to bytes") {
  const TestTensor x = whole({0, 1, -1, 255, 256, 16777217, 16777219, INT32_MAX, INT32_MIN});
  check_cast(x, format::DataType::Float32,
             {0, 1, -1, 255, 256, 16777216, 16777220, 2147483648.0, -2147483648.0});
  check_cast(x, format::DataType::UInt8, {0, 1, 0, 255, 255, 255, 255, 255, 0});
  check_cast(x, format::DataType::Int32,
             {0, 1, -1, 255, 256, 16777217, 16777219, 2147483647.0, -2147483648.0});
}

TEST_CASE("from bytes") {
  check_cast(bytes({0, 1, 127, 128, 255}), format::DataType::Float32, {0, 1, 127, 128, 255});
  check_cast(bytes({0, 1, 127, 128, 255}), format::DataType::Int32, {0, 1, 127, 128, 255});
  check_cast(bytes({0, 255}), format::DataType::UInt8, {0, 255});
}

TEST_CASE("from float16 constants") {
  TestTensor half = floats({0, -1.5F, 65504, 6e-8F, kInfinity, 0.333251953125F});
  half.type = DataType::kFloat16;
  half.constant = true;
  check_cast(half, format::DataType::Float32, {0, -1.5, 65504, 0x1p-24, kInfinity, 0.333251953125});
  check_refused(to(format::DataType::Int32), {half}, {}, "cast from Float16 to Int32");
}

TEST_CASE("a batch of 5") {
  TestTensor x{
      .shape = shape_of({5, 3}), .values = random_values(15, 2, -100, 100), .batched = true};
  std::vector<double> expected;
  for (const float value : x.values) expected.push_back(static_cast<int>(value));
  check_operator(to(format::DataType::Int32), {x}, x.shape, expected, 0);
}

TEST_CASE("what a damaged file may say is refused") {
  check_refused(to(format::DataType::Float16), {floats({1})}, {}, "to Float16");
  check_refused(to(format::DataType::Int8), {floats({1})}, {}, "to Int8");
  check_refused(to(format::DataType::Int4), {floats({1})}, {}, "to Int4");
  check_refused(to(static_cast<format::DataType>(6)), {floats({1})}, {}, "can be cast");
  check_refused(to(static_cast<format::DataType>(255)), {floats({1})}, {}, "can be cast");
}
