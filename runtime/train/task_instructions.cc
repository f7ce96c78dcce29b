// Losses, latents and labels, carried out.
#include "runtime/train/task_instructions.h"

#include "runtime/math/elementary.h"
#include "runtime/math/noise.h"
#include "runtime/train/losses.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

bool is_number(double value) { return value - value == 0; }

void check_loss(Context& context, const Instruction& instruction, double loss) {
  if (!is_number(loss) && context.broken == nullptr) context.broken = &instruction;
}

}  // namespace

void run_loss(Context& context, const Instruction& instruction) {
  const TrainOptions& options = context.state.options;
  const std::int64_t count = instruction.count;
  const bool sums = instruction.choice != 0;
  double divisor = sums ? options.batch : static_cast<double>(count);
  double sum = 0;
  if (kLearnsClasses && options.loss == Loss::kCrossEntropy) {
    const std::int64_t rows = count / instruction.width;
    std::int64_t counted = 0;
    if (!sums) {
      for (std::int64_t i = 0; i < rows; ++i)
        counted += instruction.integers[i] >= 0 && instruction.integers[i] < instruction.width;
      divisor = static_cast<double>(counted > 0 ? counted : 1);
    }
    sum = cross_entropy(instruction.a, instruction.integers, rows, instruction.width,
                        static_cast<float>(1 / divisor), instruction.b, counted);
  } else {
    const auto loss =
        options.loss == Loss::kBinaryCrossEntropy ? binary_cross_entropy : squared_error;
    // In parts whose sums are added in order, whatever the number of threads.
    constexpr std::int64_t kParts = 64;
    constexpr std::int64_t kWhole = 64;
    const std::int64_t part = (count / kParts / kWhole + 1) * kWhole;
    double sums_of_parts[kParts] = {};
    const auto scale = static_cast<float>(1 / divisor);
    // An element takes as long as several of an addition.
    share(count < kWorthSharing / 4 ? nullptr : context.threads(), (count + part - 1) / part,
          [&](std::size_t, std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
              const std::int64_t first = i * part;
              const std::int64_t length = part < count - first ? part : count - first;
              sums_of_parts[i] = loss(instruction.a + first, instruction.c + first, length, scale,
                                      instruction.b + first);
            }
          });
    for (const double some : sums_of_parts) sum += some;
  }
  const double loss = sum / divisor;
  TrainReport& report = context.state.report;
  report.loss = static_cast<float>(loss);
  if (sums) {
    report.reconstruction = report.loss;
    report.loss += context.beta * report.divergence;
  }
  check_loss(context, instruction, loss);
}

void run_draw(Context& context, const Instruction& instruction) {
  const std::int64_t width = instruction.width;
  const std::int64_t stride = instruction.choice;
  math::draw_normals(context.noise_key, 0, 0, 1, instruction.c, instruction.count * width);
  double divergence = 0;
  for (std::int64_t row = 0; row < instruction.count; ++row) {
    const float* mean = instruction.a + row * stride;
    const float* log_variance = instruction.b + row * stride;
    for (std::int64_t i = 0; i < width; ++i)
      instruction.d[row * width + i] =
          mean[i] + math::exp(0.5F * log_variance[i]) * instruction.c[row * width + i];
    divergence += gaussian_divergence(mean, log_variance, width);
  }
  divergence /= context.state.options.batch;
  context.state.report.divergence = static_cast<float>(divergence);
  check_loss(context, instruction, divergence);
}

void run_draw_backward(Context& context, const Instruction& instruction) {
  const std::int64_t width = instruction.width;
  const std::int64_t stride = instruction.choice;
  const float weight = context.beta / static_cast<float>(context.state.options.batch);
  for (std::int64_t row = 0; row < instruction.count; ++row)
    for (std::int64_t i = 0; i < width; ++i) {
      const std::int64_t from = row * stride + i;
      const std::int64_t to = row * width + i;
      const float deviation = math::exp(0.5F * instruction.b[from]);
      instruction.e[from] = instruction.d[to] + weight * instruction.a[from];
      instruction.f[from] = 0.5F * (instruction.d[to] * instruction.c[to] * deviation +
                                    weight * (deviation * deviation - 1));
    }
}

void run_adversarial(Context& context, const Instruction& instruction) {
  const Side side = static_cast<Side>(instruction.choice);
  const TrainOptions& options = context.state.options;
  const double loss = adversarial_loss(options.adversarial, side, options.real_label, instruction.a,
                                       instruction.count, instruction.b);
  double mean = 0;
  for (std::int64_t i = 0; i < instruction.count; ++i) mean += double{instruction.a[i]};
  mean /= static_cast<double>(instruction.count);
  TrainReport& report = context.state.report;
  if (side == Side::kReal) {
    report.real = static_cast<float>(mean);
    report.partner_loss = static_cast<float>(loss);
  } else if (side == Side::kFake) {
    report.fake = static_cast<float>(mean);
    report.partner_loss += static_cast<float>(loss);
  } else {
    report.loss = static_cast<float>(loss);
  }
  check_loss(context, instruction, loss);
}

void run_latent(Context& context, const Instruction& instruction) {
  Tensor latent;
  latent.data = instruction.a;
  latent.shape.rank = 1;
  latent.shape.dims[0] = static_cast<std::int32_t>(instruction.count);
  const format::Prior* prior = context.state.roots[0]->prior();
  if (prior != nullptr && prior->distribution() == format::Distribution::Uniform)
    fill_uniform(latent, context.noise_key, prior->low(), prior->high());
  else
    fill_normal(latent, context.noise_key);
}

void run_one_hot(Context&, const Instruction& instruction) {
  for (std::int64_t row = 0; row < instruction.count; ++row)
    for (std::int64_t i = 0; i < instruction.width; ++i)
      instruction.a[row * instruction.width + i] = instruction.integers[row] == i ? 1.0F : 0.0F;
}

void run_clip_weights(Context& context, const Instruction&) {
  const float limit = context.state.options.clip_weights;
  for (const Parameter& parameter : context.state.parameters) {
    if (parameter.model != 1 || !parameter.learns()) continue;
    for (std::int64_t i = 0; i < parameter.count; ++i) {
      float& value = parameter.values[i];
      value = value < -limit ? -limit : value > limit ? limit : value;
    }
  }
}

}  // namespace figment::train
