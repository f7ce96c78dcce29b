// Gradients of SpaceToDepth against central differences in double precision.
#include <doctest/doctest.h>

#include "tests/train/backward/harness.h"

namespace figment::testing {
namespace {

void check_blocks(int batch, int height, int width, int inputs, int block) {
  CAPTURE(block);
  CAPTURE(inputs);
  BackwardCase test;
  format::SpaceToDepthT options;
  options.block = block;
  test.options = options_of(options);
  test.operands = {random_operand({batch, height * block, width * block, inputs}, 1)};
  test.definition = [=](const Doubles& operands) {
    std::vector<double> y;
    for (int n = 0; n < batch; ++n)
      for (int i = 0; i < height; ++i)
        for (int j = 0; j < width; ++j)
          for (int place = 0; place < block * block; ++place)
            for (int c = 0; c < inputs; ++c) {
              const int row = (n * height + i) * block + place / block;
              const int column = j * block + place % block;
              y.push_back(operands[0][element((row * width * block + column) * inputs + c)]);
            }
    return y;
  };
  check_backward(test);
}

TEST_CASE("gradients of blocks of pixels that become channels") {
  for (const int inputs : {1, 3, 5}) {
    check_blocks(2, 2, 3, inputs, 2);
    check_blocks(1, 3, 1, inputs, 3);
    check_blocks(1, 2, 2, inputs, 1);
  }
}

}  // namespace
}  // namespace figment::testing
