// Whether models go together for a task, and which passes it takes.
#include "runtime/train/task_ports.h"
#include "runtime/train/tasks.h"

namespace figment::train {
namespace {

bool counts_classes(const Trainer::State& state) {
  return kLearnsClasses && state.options.loss == Loss::kCrossEntropy;
}

bool trains_gan(const Trainer::State& state) {
  return kLearnsGans && state.options.task == figment::Task::kGan;
}

// A second input takes the label: int32 [B], or a vector with a 1.
Status check_label_input(const Trainer::State& state, int model) {
  const int count = input_count(state, model);
  if (count < 2) return {};
  const Shape shape = shape_at_batch(state, model, false, 1);
  const bool integer = input_type(state, model, 1) == DataType::kInt32;
  if (count > 2 || shape.rank < 1 || shape[0] != state.options.batch ||
      (integer && shape.elements() != state.options.batch))
    return unsupported(
        {"the ", model == 0 ? "model" : "partner", " has ", count,
         " inputs; a trainer fills one, and a second that takes each example's class"});
  return {};
}

bool learns(const Selection& selection) { return selection.learns != Learns::kNothing; }

Status check_loss_of(const Trainer::State& state) {
  if (!counts_classes(state)) return {};
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
                    .drops_softmax = counts_classes(state)};
  plan.pass_count = 1;
  return {};
}

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
  if (!counts_classes(state) && shown != drawn)
    return bad_argument({"the encoder takes ", shown / state.options.batch,
                         " numbers an example, but the decoder gives ",
                         drawn / state.options.batch});
  const bool encoder_learns = learns(state.options.partner_selection);
  plan.passes[0] = {.model = 1, .parameter_gradients = encoder_learns};
  plan.passes[1] = {.model = 0,
                    .parameter_gradients = learns(state.options.selection),
                    .input_gradient = encoder_learns,
                    .drops_sigmoid = state.options.loss == Loss::kBinaryCrossEntropy,
                    .drops_softmax = counts_classes(state)};
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

}  // namespace

Status plan_task(const Trainer::State& state, TaskPlan& plan) {
  if (state.options.task == figment::Task::kSupervised) return plan_supervised(state, plan);
  if (state.roots[1] == nullptr)
    return bad_argument({"this task trains two models: give the ",
                         trains_gan(state) ? "discriminator" : "encoder", " as the partner"});
  return trains_gan(state) ? plan_gan(state, plan) : plan_encoded(state, plan);
}

}  // namespace figment::train
