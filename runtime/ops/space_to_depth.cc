// SpaceToDepth: x [N,H,W,C] -> [N, H/block, W/block, C*block*block], channels ordered as ONNX has
// them: (row in the block, column in the block, C).
#include <algorithm>

#include "runtime/ops/window.h"

namespace figment::ops {
namespace {

Status shape(const Operation& operation, Tensor& result) {
  const int block = operation.as<format::SpaceToDepth>().block();
  FIG_TRY(require_float(operation, 0));
  FIG_TRY(require_rank(operation, 0, 4));
  FIG_TRY(require_range(block, 1, kMaxWindow, "block"));
  const Shape& x = operation.in(0).shape;
  if (x[1] % block != 0 || x[2] % block != 0)
    return bad_file(
        {"input 0 has shape ", x, ", whose height and width blocks of ", block, " do not divide"});
  const std::int64_t channels = std::int64_t{x[3]} * block * block;
  FIG_TRY(require_range(channels, 1, INT32_MAX, "the output's channels"));
  return set_picture(result, x[0], x[1] / block, x[2] / block, static_cast<int>(channels));
}

void forward(const Operation& operation) {
  const std::int64_t block = operation.as<format::SpaceToDepth>().block();
  const Shape& x = operation.in(0).shape;
  const Shape& out = operation.out().shape;
  const std::int64_t run = block * x[3];  // floats of one block row
  float* output = operation.out().floats();
  for (std::int64_t row = 0; row < std::int64_t{out[0]} * out[1]; ++row)
    for (std::int64_t column = 0; column < out[2]; ++column)
      for (std::int64_t y = 0; y < block; ++y, output += run)
        std::copy_n(operation.in(0).floats() + ((row * block + y) * out[2] + column) * run, run,
                    output);
}

}  // namespace

extern const OperatorRoom kSpaceToDepth;
const OperatorRoom kSpaceToDepth{1, 1, Memory::kOwn, shape, nullptr, forward, nullptr};

}  // namespace figment::ops
