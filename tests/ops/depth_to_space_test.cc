// DepthToSpace on both backends against ONNX's definition, and its refusals.
#include <doctest/doctest.h>

#include "tests/ops/operands.h"

namespace figment::testing {
namespace {

using format::DepthOrder;

format::OperatorOptionsUnion options_with(int block, DepthOrder order) {
  format::DepthToSpaceT options;
  options.block = block;
  options.order = order;
  return options_of(options);
}

void check(const Shape& x_shape, int block, DepthOrder order) {
  CAPTURE(block);
  const TestTensor x = batched_input(x_shape);
  const int channels = x_shape[3] / (block * block);
  const Shape shape = shape_of({x_shape[0], x_shape[1] * block, x_shape[2] * block, channels});
  std::vector<double> expected;
  for (int n = 0; n < shape[0]; ++n)
    for (int y = 0; y < shape[1]; ++y)
      for (int column = 0; column < shape[2]; ++column)
        for (int c = 0; c < channels; ++c) {
          const int place = y % block * block + column % block;
          const int from = order == DepthOrder::DepthColumnRow ? place * channels + c
                                                               : c * block * block + place;
          expected.push_back(double{x.values[at(x_shape, n, y / block, column / block, from)]});
        }
  check_operator(options_with(block, order), {x}, shape, expected, 0);
}

TEST_CASE("both orders, awkward sizes") {
  for (DepthOrder order : {DepthOrder::DepthColumnRow, DepthOrder::ColumnRowDepth})
    for (int batch : {1, 5})
      for (int block : {1, 2, 3})
        for (int channels : {1, 3, 7, 17})
          check(shape_of({batch, 5, 7, channels * block * block}), block, order);
}

TEST_CASE("int8 moves as float32 does") {
  for (DepthOrder order : {DepthOrder::DepthColumnRow, DepthOrder::ColumnRowDepth}) {
    TestTensor x = batched_input(shape_of({2, 3, 5, 12}));
    TestTensor small = x;
    small.type = DataType::kInt8;
    for (std::size_t i = 0; i < x.values.size(); ++i) {
      small.integers.push_back(static_cast<std::int32_t>(i * 7 % 256) - 128);
      x.values[i] = static_cast<float>(small.integers.back());
    }
    const Run expected = run_operator(options_with(2, order), {x}, {}, Backend::kPortable);
    check_operator(options_with(2, order), {small}, shape_of({2, 6, 10, 3}),
                   {expected.values.begin(), expected.values.end()}, 0);
  }
}

TEST_CASE("blocks that are refused") {
  const std::vector<TestTensor> x = {batched_input(shape_of({1, 5, 5, 12}))};
  for (int damaged : {0, -2, INT32_MAX})
    check_refused(options_with(damaged, DepthOrder::DepthColumnRow), x, {}, "block is");
  check_refused(options_with(3, DepthOrder::DepthColumnRow), x, {}, "do not divide");
  check_refused(options_with(2, static_cast<DepthOrder>(5)), x, {}, "newer than this runtime");
  check_refused(options_with(2, DepthOrder::DepthColumnRow), {batched_input(shape_of({1, 12}))}, {},
                "must have 4 axes");
}

}  // namespace
}  // namespace figment::testing
