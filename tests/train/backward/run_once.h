// One forward and one backward of a room, for tests that compare whole results.
#pragma once

#include "tests/train/backward/harness.h"

namespace figment::testing {

struct Results {
  std::vector<float> output;
  std::vector<std::vector<float>> gradients;  // empty: there is none by that input
};

// The gradients of sum(output * output_gradient), with the portable loops.
Results run_once(const format::OperatorOptionsUnion& options, const std::vector<Operand>& operands,
                 const std::vector<float>& output_gradient, pthreadpool* threads = nullptr,
                 const Shape& declared = {});

}  // namespace figment::testing
