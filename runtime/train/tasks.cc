// Supervised learning, VAEs, autoencoders and GANs as instructions.
#include "runtime/train/tasks.h"

#include <cmath>

#include "runtime/math/elementary.h"
#include "runtime/math/noise.h"
#include "runtime/train/losses.h"

namespace figment::train {
namespace {

// ---- What instructions do ----

bool is_number(double value) { return value - value == 0; }

void check_loss(Context& context, const Instruction& instruction, double loss) {
  if (!is_number(loss) && context.broken == nullptr) context.broken = &instruction;
}

// a [count / width, width]: what the model gave; b: where its gradient goes; c or integers: the
// target. choice: 1 where the loss is a sum over an example, 0 where it is a mean over elements.
void run_loss(Context& context, const Instruction& instruction) {
  const TrainOptions& options = context.state.options;
  const std::int64_t count = instruction.count;
  const bool sums = instruction.choice != 0;
  double divisor = sums ? options.batch : static_cast<double>(count);
  double sum = 0;
  if (options.loss == Loss::kCrossEntropy) {
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
    sum = loss(instruction.a, instruction.c, count, static_cast<float>(1 / divisor), instruction.b);
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

// Numbers of the latent's stream in this step.
std::uint64_t noise_key(const Context& context, const Instruction& instruction) {
  return context.noise_key + static_cast<std::uint64_t>(instruction.width);
}

// The latent d [count, width] = a + e^(b/2) * c, c drawn from N(0,1); a and b have rows `choice`
// floats apart.
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

// From d, the gradient by the latent, e and f, those by a and b of run_draw. With the divergence's:
// d mean = dz + beta mean / B, d log variance = dz * noise * e^(v/2) / 2 + beta (e^v - 1) / 2B.
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

// a: logits [count]; b: their gradient; choice: the side.
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

// a [count]: a latent from the model's prior.
void run_latent(Context& context, const Instruction& instruction) {
  Tensor latent;
  latent.data = instruction.a;
  latent.shape.rank = 1;
  latent.shape.dims[0] = static_cast<std::int32_t>(instruction.count);
  const format::Prior* prior = context.state.roots[0]->prior();
  if (prior != nullptr && prior->distribution() == format::Distribution::Uniform)
    fill_uniform(latent, noise_key(context, instruction), prior->low(), prior->high());
  else
    fill_normal(latent, noise_key(context, instruction));
}

// a [count, width]: a 1 at each number of the class.
void run_one_hot(Context&, const Instruction& instruction) {
  for (std::int64_t row = 0; row < instruction.count; ++row)
    for (std::int64_t i = 0; i < instruction.width; ++i)
      instruction.a[row * instruction.width + i] = instruction.integers[row] == i ? 1.0F : 0.0F;
}

// Weights of the discriminator stay within +-clip_weights.
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

// ---- Checks ----

Shape shape_at_batch(const Trainer::State& state, int model, bool output, int index) {
  const format::Model& root = *state.roots[model];
  const auto* ports = output ? root.outputs() : root.inputs();
  return tensor_view(root, ports->Get(static_cast<flatbuffers::uoffset_t>(index))->tensor(),
                     state.options.batch)
      .shape;
}

DataType input_type(const Trainer::State& state, int model, int index) {
  return state.models[model]->input(index).type;
}

int input_count(const Trainer::State& state, int model) {
  return state.models[model]->input_count();
}

// A second input takes the label: int32 [B], or a vector with a 1.
Status check_label_input(const Trainer::State& state, int model) {
  const int count = input_count(state, model);
  if (count < 2) return {};
  const Shape shape = shape_at_batch(state, model, false, 1);
  const bool integer = input_type(state, model, 1) == DataType::kInt32;
  if (count > 2 || shape.rank < 1 || shape[0] != state.options.batch ||
      (integer && shape.elements() != state.options.batch))
    return unsupported({"the ", model == 0 ? "model" : "partner", " has ", count,
                        " inputs; a trainer fills one, and a second that takes a class's number "
                        "for each example"});
  return {};
}

bool learns(const Selection& selection) { return selection.learns != Learns::kNothing; }

Status check_loss_of(const Trainer::State& state) {
  if (state.options.loss != Loss::kCrossEntropy) return {};
  if (shape_at_batch(state, 0, true, 0).rank < 2)
    return bad_argument({"cross-entropy needs an output whose last axis are the classes"});
  return {};
}

Status plan_supervised(const Trainer::State& state, TaskPlan& plan) {
  FIG_TRY(check_label_input(state, 0));
  FIG_TRY(check_loss_of(state));
  plan.passes[0] = {.model = 0,
                    .parameter_gradients = true,
                    .drops_sigmoid = state.options.loss == Loss::kBinaryCrossEntropy,
                    .drops_softmax = state.options.loss == Loss::kCrossEntropy};
  plan.pass_count = 1;
  return {};
}

// Floats of one latent, and whether mean and variance come as one output.
std::int64_t latent_width(const Trainer::State& state) {
  return shape_at_batch(state, 0, false, 0).elements() / state.options.batch;
}
bool has_two_outputs(const Trainer::State& state) { return state.models[1]->output_count() > 1; }

Status plan_encoded(const Trainer::State& state, TaskPlan& plan) {
  FIG_TRY(check_label_input(state, 0));
  FIG_TRY(check_label_input(state, 1));
  FIG_TRY(check_loss_of(state));
  const bool draws = state.options.task == Task::kVae;
  const std::int64_t latent = shape_at_batch(state, 0, false, 0).elements();
  const std::int64_t given = shape_at_batch(state, 1, true, 0).elements();
  const bool two = draws && has_two_outputs(state);
  if (given != (draws && !two ? 2 * latent : latent) ||
      (two && shape_at_batch(state, 1, true, 1).elements() != latent))
    return bad_argument({"the decoder takes ", latent_width(state),
                         " numbers an example, but the encoder gives ", given / state.options.batch,
                         draws
                             ? ": a VAE's encoder gives a mean and a logarithm of the variance for "
                               "each, as two outputs or one"
                             : ""});
  const std::int64_t shown = shape_at_batch(state, 1, false, 0).elements();
  const std::int64_t drawn = shape_at_batch(state, 0, true, 0).elements();
  if (state.options.loss != Loss::kCrossEntropy && shown != drawn)
    return bad_argument({"the encoder takes ", shown / state.options.batch,
                         " numbers an example, but the decoder gives ",
                         drawn / state.options.batch});
  const bool encoder_learns = learns(state.options.partner_selection);
  plan.passes[0] = {.model = 1, .parameter_gradients = encoder_learns};
  plan.passes[1] = {.model = 0,
                    .parameter_gradients = learns(state.options.selection),
                    .input_gradient = encoder_learns,
                    .drops_sigmoid = state.options.loss == Loss::kBinaryCrossEntropy,
                    .drops_softmax = state.options.loss == Loss::kCrossEntropy};
  plan.pass_count = 2;
  plan.roles[1].outputs = two ? 2 : 1;
  return {};
}

Status plan_gan(const Trainer::State& state, TaskPlan& plan) {
  FIG_TRY(check_label_input(state, 0));
  FIG_TRY(check_label_input(state, 1));
  const std::int64_t drawn = shape_at_batch(state, 0, true, 0).elements();
  const std::int64_t seen = shape_at_batch(state, 1, false, 0).elements();
  if (drawn != seen)
    return bad_argument({"the generator gives ", drawn / state.options.batch,
                         " numbers an example, but the discriminator takes ",
                         seen / state.options.batch});
  if (shape_at_batch(state, 1, true, 0).elements() != state.options.batch)
    return bad_argument({"the discriminator must give one number an example, a logit"});
  if (state.options.adversarial == AdversarialLoss::kWasserstein &&
      state.options.clip_weights <= 0 && !state.options.spectral_normalization)
    return bad_argument(
        {"the Wasserstein loss needs a discriminator that is bounded: give "
         "clip_weights or spectral_normalization"});
  const bool discriminator_learns = learns(state.options.partner_selection);
  const bool logits = state.options.adversarial == AdversarialLoss::kMinimax ||
                      state.options.adversarial == AdversarialLoss::kNonSaturating;
  plan.passes[0] = {.model = 0, .parameter_gradients = learns(state.options.selection)};
  const PassOptions judged{
      .model = 1, .parameter_gradients = discriminator_learns, .drops_sigmoid = logits};
  plan.passes[1] = plan.passes[2] = plan.passes[3] = judged;
  plan.passes[1].iterates = true;
  plan.passes[3].parameter_gradients = false;
  plan.passes[3].input_gradient = learns(state.options.selection);
  plan.pass_count = 4;
  plan.roles[1].gradient_passes = 2;
  return {};
}

// ---- Emission ----

// Writes one task's instructions between its passes.
class Task {
 public:
  Task(Trainer::State& state, Program& program, std::span<Pass> passes)
      : state_(state), program_(program), passes_(passes) {}

  void emit() {
    const int shown = state_.options.task == figment::Task::kSupervised ? 0 : 1;
    examples_ = caller_tensor(state_.examples, input_type(state_, shown, 0),
                              shape_at_batch(state_, shown, false, 0));
    for (int model = 0; model < 2; ++model)
      if (state_.roots[model] != nullptr && input_count(state_, model) > 1 && labels_ == kNoValue) {
        Shape shape;
        shape.rank = 1;
        shape.dims[0] = state_.options.batch;
        labels_ = caller_tensor(state_.labels, DataType::kInt32, shape);
      }
    switch (state_.options.task) {
      case figment::Task::kSupervised:
        return emit_supervised();
      case figment::Task::kVae:
      case figment::Task::kAutoencoder:
        return emit_encoded();
      case figment::Task::kGan:
        return emit_gan();
    }
  }

 private:
  ValueId caller_tensor(Tensor& tensor, DataType type, const Shape& shape) {
    tensor.type = type;
    tensor.shape = shape;
    tensor.absent = false;
    const ValueId value = program_.value(tensor_bytes(tensor));
    program_.live_from_beginning(value);
    program_.show(&tensor.data, value);
    return value;
  }

  // The inputs of a model whose first is `first`.
  void forward(Pass& pass, int model, ValueId first) {
    ValueId inputs[2] = {first, kNoValue};
    const int count = input_count(state_, model);
    if (count > 1) inputs[1] = label_input(model);
    pass.forward({inputs, static_cast<std::size_t>(count)});
  }

  ValueId label_input(int model) {
    if (input_type(state_, model, 1) == DataType::kInt32) return labels_;
    const Shape shape = shape_at_batch(state_, model, false, 1);
    const ValueId value = program_.floats(shape.elements());
    Instruction& instruction = program_.emit(run_one_hot, Phase::kLoss);
    instruction.count = state_.options.batch;
    instruction.width = shape.elements() / state_.options.batch;
    program_.use(instruction.a, value);
    program_.use(instruction.integers, labels_);
    return value;
  }

  // The loss of a pass's first output against the target, and the gradient of it.
  ValueId emit_loss(Pass& pass, bool sums, ValueId target) {
    const Shape shape = pass.output_shape(0);
    if (state_.options.loss == Loss::kCrossEntropy) {
      Shape indices = shape;
      --indices.rank;
      target = caller_tensor(state_.targets, DataType::kInt32, indices);
    } else if (target == kNoValue) {
      target = caller_tensor(state_.targets, DataType::kFloat32, shape);
    }
    const ValueId gradient = program_.floats(shape.elements());
    Instruction& instruction = program_.emit(run_loss, Phase::kLoss);
    instruction.count = shape.elements();
    instruction.width = shape[shape.rank - 1];
    instruction.choice = sums ? 1 : 0;
    program_.use(instruction.a, pass.output(0));
    program_.use(instruction.b, gradient);
    if (state_.options.loss == Loss::kCrossEntropy)
      program_.use(instruction.integers, target);
    else
      program_.use(instruction.c, target);
    return gradient;
  }

  void backward(Pass& pass, ValueId gradient) { pass.backward({&gradient, 1}); }

  void emit_supervised() {
    forward(passes_[0], 0, examples_);
    backward(passes_[0], emit_loss(passes_[0], false, kNoValue));
    emit_updates(state_, program_, 0);
  }

  void emit_encoded() {
    Pass& encoder = passes_[0];
    Pass& decoder = passes_[1];
    forward(encoder, 1, examples_);
    const bool draws = state_.options.task == figment::Task::kVae;
    const std::int64_t width = latent_width(state_);
    const bool two = draws && has_two_outputs(state_);
    const ValueId mean = encoder.output(0);
    const ValueId log_variance = two ? encoder.output(1) : mean;
    ValueId latent = mean;
    ValueId noise = kNoValue;
    // Where both come as one output, the second half of each row is the logarithm of the variance.
    const auto use_statistics = [&](Instruction& instruction, ValueId a, ValueId b, float*& to_a,
                                    float*& to_b) {
      program_.use(to_a, a);
      program_.use(to_b, b);
      instruction.choice = static_cast<std::int32_t>(two ? width : 2 * width);
      instruction.count = state_.options.batch;
      instruction.width = width;
    };
    if (draws) {
      noise = program_.floats(state_.options.batch * width);
      latent = program_.floats(state_.options.batch * width);
      Instruction& instruction = program_.emit(two ? run_draw : run_draw_halves, Phase::kLoss);
      use_statistics(instruction, mean, log_variance, instruction.a, instruction.b);
      program_.use(instruction.c, noise);
      program_.use(instruction.d, latent);
    }
    forward(decoder, 0, latent);
    const ValueId gradient = emit_loss(decoder, true, examples_);
    backward(decoder, gradient);
    emit_updates(state_, program_, 0);
    if (!encoder.wants_gradient(0) || decoder.input_gradient() == kNoValue) return;
    if (!draws) {
      backward(encoder, decoder.input_gradient());
    } else {
      const std::int64_t count = state_.options.batch * width;
      ValueId gradients[2] = {program_.floats(two ? count : 2 * count), kNoValue};
      if (two) gradients[1] = program_.floats(count);
      Instruction& instruction =
          program_.emit(two ? run_draw_backward : run_draw_halves_backward, Phase::kLearn);
      use_statistics(instruction, mean, log_variance, instruction.a, instruction.b);
      program_.use(instruction.c, noise);
      program_.use(instruction.d, decoder.input_gradient());
      program_.use(instruction.e, gradients[0]);
      program_.use(instruction.f, two ? gradients[1] : gradients[0]);
      encoder.backward({gradients, two ? std::size_t{2} : std::size_t{1}});
    }
    emit_updates(state_, program_, 1);
  }

  static Instruction second_half(const Instruction& instruction) {
    Instruction halves = instruction;
    halves.b += instruction.width;
    if (halves.f != nullptr) halves.f += instruction.width;
    return halves;
  }
  static void run_draw_halves(Context& context, const Instruction& instruction) {
    run_draw(context, second_half(instruction));
  }
  static void run_draw_halves_backward(Context& context, const Instruction& instruction) {
    run_draw_backward(context, second_half(instruction));
  }

  ValueId emit_adversarial(Pass& pass, Side side) {
    const ValueId gradient = program_.floats(state_.options.batch);
    Instruction& instruction = program_.emit(run_adversarial, Phase::kLoss);
    instruction.count = state_.options.batch;
    instruction.choice = static_cast<std::int32_t>(side);
    program_.use(instruction.a, pass.output(0));
    program_.use(instruction.b, gradient);
    return gradient;
  }

  void emit_gan() {
    Pass& generator = passes_[0];
    const Shape shape = shape_at_batch(state_, 0, false, 0);
    const ValueId latent = program_.floats(shape.elements());
    Instruction& instruction = program_.emit(run_latent, Phase::kLoss);
    instruction.count = shape.elements();
    program_.use(instruction.a, latent);
    forward(generator, 0, latent);

    forward(passes_[1], 1, examples_);
    backward(passes_[1], emit_adversarial(passes_[1], Side::kReal));
    forward(passes_[2], 1, generator.output(0));
    backward(passes_[2], emit_adversarial(passes_[2], Side::kFake));
    emit_updates(state_, program_, 1);
    if (state_.options.clip_weights > 0) program_.emit(run_clip_weights, Phase::kUpdate);

    program_.set_turn(true);
    forward(passes_[3], 1, generator.output(0));
    backward(passes_[3], emit_adversarial(passes_[3], Side::kGenerator));
    if (passes_[3].input_gradient() != kNoValue) backward(generator, passes_[3].input_gradient());
    emit_updates(state_, program_, 0);
    program_.set_turn(false);
  }

  Trainer::State& state_;
  Program& program_;
  std::span<Pass> passes_;
  ValueId examples_ = kNoValue;
  ValueId labels_ = kNoValue;
};

}  // namespace

Status plan_task(const Trainer::State& state, TaskPlan& plan) {
  if (state.options.task == figment::Task::kSupervised) return plan_supervised(state, plan);
  if (state.roots[1] == nullptr)
    return bad_argument({"this task trains two models: give the ",
                         state.options.task == figment::Task::kGan ? "discriminator" : "encoder",
                         " as the partner"});
  return state.options.task == figment::Task::kGan ? plan_gan(state, plan)
                                                   : plan_encoded(state, plan);
}

PassSize task_size(const Trainer::State& state) {
  // A label for each pass, a draw and its way back, losses; and for each parameter its update.
  const auto parameters = static_cast<std::int32_t>(state.parameters.size());
  return {.instructions = 16 + parameters,
          .values = 24 + parameters,
          .places = 48 + 2 * parameters,
          .views = 0};
}

void emit_task(Trainer::State& state, Program& program, std::span<Pass> passes) {
  Task(state, program, passes).emit();
  if (state.options.average_decay > 0) emit_average(program);
}

}  // namespace figment::train
