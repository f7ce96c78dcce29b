// Supervised learning, VAEs, autoencoders and GANs as instructions.
#include "runtime/train/tasks.h"

#include "runtime/train/losses.h"
#include "runtime/train/task_instructions.h"
#include "runtime/train/task_ports.h"

namespace figment::train {
namespace {

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
        if constexpr (kLearnsGans) emit_gan();
        return;
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
    if (counts_classes()) {
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
    if (counts_classes())
      program_.use(instruction.integers, target);
    else
      program_.use(instruction.c, target);
    return gradient;
  }

  bool counts_classes() const {
    return kLearnsClasses && state_.options.loss == Loss::kCrossEntropy;
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
