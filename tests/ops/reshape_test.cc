// The same numbers under another shape: nothing moves.
#include <doctest/doctest.h>

#include "tests/ops/operator_harness.h"

using namespace figment;
using namespace figment::testing;

namespace {

const format::OperatorOptionsUnion kOptions = options_of(format::ReshapeT{});

std::vector<double> doubles(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

}  // namespace

TEST_CASE("any shape with as many elements, batch 1 and 5") {
  for (const int batch : {1, 5}) {
    TestTensor x{.shape = shape_of({batch, 3, 4, 7}), .batched = true};
    x.values = random_values(x.shape.elements(), 1);
    for (const Shape& shape :
         {shape_of({batch, 84}), shape_of({batch, 7, 12}), shape_of({batch, 1, 2, 1, 2, 3, 1, 7})})
      check_operator(kOptions, {x}, shape, doubles(x.values), 0);
  }
  check_operator(kOptions, {{.shape = shape_of({1, 1}), .values = {3}}}, shape_of({}), {3}, 0);
  check_operator(kOptions, {{.shape = shape_of({}), .values = {3}}}, shape_of({1}), {3}, 0);
}

TEST_CASE("integers and bytes") {
  check_operator(
      kOptions,
      {{.shape = shape_of({4}), .type = DataType::kInt32, .integers = {1, -2, 16777217, 4}}},
      shape_of({2, 2}), {1, -2, 16777217, 4}, 0);
  check_operator(kOptions,
                 {{.shape = shape_of({3}), .values = {1, 2, 255}, .type = DataType::kUInt8}},
                 shape_of({3, 1}), {1, 2, 255}, 0);
  check_operator(kOptions,
                 {{.shape = shape_of({3}), .type = DataType::kInt8, .integers = {1, -128, 127}}},
                 shape_of({3, 1}), {1, -128, 127}, 0);
}

TEST_CASE("with an activation") {
  format::UnaryT activation;
  activation.function = format::UnaryFunction::Relu;
  check_operator(kOptions, {{.shape = shape_of({4}), .values = {-1, 2, -3, 4}}}, shape_of({2, 2}),
                 {0, 2, 0, 4}, 0, activation);
}

TEST_CASE("what a damaged file may say is refused") {
  const TestTensor x{.shape = shape_of({2, 3}), .values = random_values(6, 7)};
  check_refused(kOptions, {x}, {}, "must be declared");
  check_refused(kOptions, {x}, shape_of({7}), "2x3 cannot become 7");
  check_refused(kOptions, {x}, shape_of({-2, -3}), "must be positive");
  check_refused(kOptions, {x}, shape_of({0}), "must be positive");
  check_refused(kOptions, {x}, shape_of({65536, 65536}), "too large");
}
