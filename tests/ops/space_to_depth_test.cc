// SpaceToDepth on both backends against ONNX's definition, and its refusals.
#include <doctest/doctest.h>

#include "tests/ops/operands.h"

namespace figment::testing {
namespace {

format::OperatorOptionsUnion options_with(int block) {
  format::SpaceToDepthT options;
  options.block = block;
  return options_of(options);
}

TEST_CASE("awkward sizes") {
  for (int batch : {1, 5})
    for (int block : {1, 2, 3})
      for (int channels : {1, 3, 7, 17}) {
        CAPTURE(block);
        CAPTURE(channels);
        const TestTensor x = batched_input(shape_of({batch, 5 * block, 7 * block, channels}));
        const Shape shape = shape_of({batch, 5, 7, channels * block * block});
        std::vector<double> expected;
        for (int n = 0; n < batch; ++n)
          for (int y = 0; y < 5; ++y)
            for (int column = 0; column < 7; ++column)
              for (int to = 0; to < shape[3]; ++to) {
                const int place = to / channels;
                const int from_y = y * block + place / block;
                const int from_x = column * block + place % block;
                expected.push_back(double{x.values[at(x.shape, n, from_y, from_x, to % channels)]});
              }
        check_operator(options_with(block), {x}, shape, expected, 0);
      }
}

TEST_CASE("blocks that are refused") {
  const std::vector<TestTensor> x = {batched_input(shape_of({1, 6, 4, 3}))};
  for (int damaged : {0, -2, INT32_MAX}) check_refused(options_with(damaged), x, {}, "block is");
  check_refused(options_with(4), x, {}, "do not divide");
  check_refused(options_with(3), x, {}, "do not divide");
  check_refused(options_with(2), {batched_input(shape_of({1, 6, 4}))}, {}, "must have 4 axes");
}

}  // namespace
}  // namespace figment::testing
