// A copy of the model's bytes with the delta applied, and a session over it.
#include "targets/host/train/learned_model.h"

#include <algorithm>
#include <cmath>

#include "targets/host/draw.h"
#include "targets/host/exit_code.h"
#include "targets/host/grid.h"
#include "targets/host/input_file.h"
#include "targets/host/output_file.h"
#include "targets/host/png.h"

namespace figment::host {

void require_finite(const Trainer& trainer, std::int64_t steps) {
  for (int index = 0; index < trainer.learned_count(); ++index) {
    const LearnedTensor tensor = trainer.learned(index);
    for (const std::span<const float> values : {tensor.values, tensor.left, tensor.right})
      for (const float value : values)
        if (!std::isfinite(value))
          throw VerbError(ExitCode::kBadArgument,
                          "after " + std::to_string(steps) + " steps '" + std::string(tensor.name) +
                              "' of the " + (tensor.model == 0 ? "model" : "partner") +
                              " holds NaN or an infinity; lower the learning rate, or clip "
                              "gradients (--clip)");
  }
}

std::vector<std::byte> delta_of(const Trainer& trainer, std::int64_t examples_seen) {
  const auto seen = static_cast<std::uint64_t>(examples_seen);
  const Result<std::size_t> none = trainer.write_delta({}, seen);
  std::vector<std::byte> bytes(none.ok() ? *none : none.status().bytes_needed);
  bytes.resize(expect(trainer.write_delta(bytes, seen)));
  return bytes;
}

void write_samples(const std::string& path, const Model& model, const Trainer& trainer,
                   Backend backend) {
  const std::span<const std::byte> base = model.bytes();
  const AlignedMemory copy = allocate_aligned(base.size());
  std::copy(base.begin(), base.end(), copy.get());
  const std::span<std::byte> bytes(copy.get(), base.size());
  require(apply_delta(bytes, delta_of(trainer, 0)));
  const Model learned = expect(Model::open(bytes));
  DrawRequest request;
  request.count = 64;
  request.backend = backend;
  OutputFile output(path);
  output.commit(write_png(make_grid(draw(learned, request).pictures)));
}

}  // namespace figment::host
