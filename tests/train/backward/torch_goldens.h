// Gradients as PyTorch has them, from tests/train/backward/goldens (make_goldens_pictures.py).
#pragma once

#include <string>

#include "tests/train/backward/harness.h"

namespace figment::testing {

// Runs the operator forward and backward on the operands of `name` in goldens/pictures.txt, and
// compares the output and every gradient that is there: |a - b| <= 1e-4 * max(1, |b|).
void check_torch_golden(const std::string& name, format::OperatorOptionsUnion options);

}  // namespace figment::testing
