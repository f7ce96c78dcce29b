// Runs a backward room once, on float32 operands.
#pragma once

#include "tests/train/backward/harness.h"

namespace figment::testing {

struct RoomRun {
  std::vector<float> output;
  std::vector<std::vector<float>> gradients;  // of every operand
};

// `output_gradient`: as many numbers as the output has; empty: random ones.
RoomRun run_room(const format::OperatorOptionsUnion& options, std::vector<Operand> operands,
                 std::vector<float> output_gradient, Backend backend, pthreadpool* threads);

}  // namespace figment::testing
