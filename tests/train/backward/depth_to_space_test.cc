// Gradients of DepthToSpace against central differences in double precision, and against PyTorch's.
#include <doctest/doctest.h>

#include "tests/train/backward/torch_goldens.h"

namespace figment::testing {
namespace {

using format::DepthOrder;

format::DepthToSpaceT blocks_of(int block, DepthOrder order) {
  format::DepthToSpaceT options;
  options.block = block;
  options.order = order;
  return options;
}

void check_blocks(int batch, int height, int width, int outputs, int block, DepthOrder order) {
  CAPTURE(block);
  CAPTURE(outputs);
  BackwardCase test;
  test.options = options_of(blocks_of(block, order));
  const int inputs = outputs * block * block;
  test.operands = {random_operand({batch, height, width, inputs}, 1)};
  test.definition = [=](const Doubles& operands) {
    std::vector<double> y;
    for (int n = 0; n < batch; ++n)
      for (int i = 0; i < height * block; ++i)
        for (int j = 0; j < width * block; ++j)
          for (int c = 0; c < outputs; ++c) {
            const int place = i % block * block + j % block;
            const int channel = order == DepthOrder::DepthColumnRow ? place * outputs + c
                                                                    : c * block * block + place;
            y.push_back(operands[0][element(
                ((n * height + i / block) * width + j / block) * inputs + channel)]);
          }
    return y;
  };
  check_backward(test);
}

TEST_CASE("gradients of blocks of channels that become pixels") {
  for (const DepthOrder order : {DepthOrder::DepthColumnRow, DepthOrder::ColumnRowDepth})
    for (const int outputs : {1, 3, 5}) {
      check_blocks(2, 2, 3, outputs, 2, order);
      check_blocks(1, 3, 1, outputs, 3, order);
      check_blocks(1, 2, 2, outputs, 1, order);
    }
}

TEST_CASE("gradients of pixel shuffles are those of PyTorch") {
  check_torch_golden("pixel_shuffle", options_of(blocks_of(2, DepthOrder::ColumnRowDepth)));
}

}  // namespace
}  // namespace figment::testing
