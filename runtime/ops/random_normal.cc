// Seeded noise inside a model: mean + scale * N(0,1), the same bits everywhere.
#include "runtime/math/noise.h"
#include "runtime/ops/move.h"

namespace figment::ops {
namespace {

bool finite(float value) { return value - value == 0.0F; }

Status shape(const Operation& operation, Tensor& result) {
  const auto& options = operation.as<format::RandomNormal>();
  FIG_TRY(require_declared(result));
  if (!finite(options.mean()) || !finite(options.scale()))
    return bad_file({"the mean and the scale of noise must be finite; convert the model again"});
  const Shape declared = result.shape;
  return set_result(result, DataType::kFloat32, declared);
}

// The session's seed and the operator's own, such that operators differ from each other and from
// the latents that the same seed fills (whose key is the seed itself).
std::uint64_t key_of(std::uint64_t session_seed, std::uint32_t own_seed) {
  constexpr std::uint64_t kGoldenRatio = 0x9E3779B97F4A7C15U;
  return session_seed + kGoldenRatio * (std::uint64_t{own_seed} + 1);
}

void forward(const Operation& operation) {
  const auto& options = operation.as<format::RandomNormal>();
  math::draw_normals(key_of(operation.noise_seed, options.seed()), operation.noise_first,
                     options.mean(), options.scale(), operation.out().floats(),
                     operation.out().elements());
}

}  // namespace

extern const OperatorRoom kRandomNormal;
const OperatorRoom kRandomNormal{
    .min_inputs = 0,
    .max_inputs = 0,
    .memory = Memory::kOwn,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
