// Instructions carried out.
#include "runtime/train/instructions.h"

#include <cmath>

#include "runtime/train/effective_weights.h"
#include "runtime/train/optimizers.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

OptimizerStep optimizer_step(const Context& context, const Parameter& parameter) {
  return {.options = &context.state.options.optimizer,
          .learning_rate = context.learning_rates[parameter.model],
          .gradient_scale = context.gradient_scales[parameter.model],
          .update = context.state.counters->updates + 1,
          .decays = parameter.decays};
}

bool is_finite(const Tensor& tensor) {
  if (tensor.type != DataType::kFloat32 || tensor.data == nullptr) return true;
  for (const float value : tensor.values())
    if (!(value - value == 0)) return false;
  return true;
}

}  // namespace

void run_forward(Context& context, const Instruction& instruction) {
  Call call = instruction.call;
  call.operation.noise_seed = context.noise_key;
  if (context.evaluating) call.batch_statistics = false;
  if (instruction.backward_room != nullptr)
    instruction.backward_room->forward(call);
  else if (instruction.room->forward != nullptr)
    instruction.room->forward(call.operation);
}

void run_backward(Context&, const Instruction& instruction) {
  instruction.backward_room->backward(instruction.call);
}

void run_form(Context& context, const Instruction& instruction) {
  form_weights(*instruction.parameter, instruction.choice != 0 && !context.evaluating,
               instruction.a);
}

void run_widen(Context&, const Instruction& instruction) {
  widen_constant(instruction.call.in(0), instruction.a);
}

void run_return_gradient(Context& context, const Instruction& instruction) {
  return_gradient(*instruction.parameter, instruction.a, instruction.choice != 0,
                  *context.state.loops, instruction.b, instruction.call.operation.scratch,
                  context.threads());
}

void run_add(Context& context, const Instruction& instruction) {
  share_elements(context.threads(), instruction.count, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) instruction.a[i] += instruction.b[i];
  });
}

void run_update(Context& context, const Instruction& instruction) {
  const Parameter& parameter = *instruction.parameter;
  apply_optimizer(optimizer_step(context, parameter), parameter.count, instruction.a,
                  parameter.values, parameter.moments, context.threads());
}

void run_average(Context& context, const Instruction&) {
  const auto updates = static_cast<float>(context.state.counters->updates + 1);
  // A young average forgets faster, or it would carry the first weights for long.
  const float young = updates / (updates + 10);
  const float decay = context.state.options.average_decay;
  const float rest = 1 - (young < decay ? young : decay);
  for (const Parameter& parameter : context.state.parameters) {
    if (parameter.average == nullptr) continue;
    share_elements(context.threads(), parameter.count, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i)
        parameter.average[i] += rest * (parameter.values[i] - parameter.average[i]);
    });
  }
}

void run_update_rows(Context& context, const Instruction& instruction) {
  const Parameter& parameter = *instruction.parameter;
  const std::int64_t rows = parameter.source.shape[0];
  const std::int64_t row = parameter.count / rows;
  const OptimizerStep step = optimizer_step(context, parameter);
  for (std::int64_t first = 0; first < rows; first += instruction.width) {
    const std::int64_t count = instruction.width < rows - first ? instruction.width : rows - first;
    instruction.backward_room->weight_rows(instruction.call, first, count, instruction.a);
    float* moments[2] = {};
    for (int i = 0; i < 2; ++i)
      if (parameter.moments[i] != nullptr) moments[i] = parameter.moments[i] + first * row;
    apply_optimizer(step, count * row, instruction.a, parameter.values + first * row, moments,
                    context.threads());
  }
}

void run_adapter_rows(Context& context, const Instruction& instruction) {
  const Parameter& parameter = *instruction.parameter;
  const bool add = instruction.choice != 0;
  for (std::int64_t first = 0; first < parameter.rows; first += instruction.width) {
    const std::int64_t left = parameter.rows - first;
    const std::int64_t count = instruction.width < left ? instruction.width : left;
    instruction.backward_room->weight_rows(instruction.call, first, count, instruction.a);
    return_adapter_rows(parameter, first, count, instruction.a, add, add || first > 0,
                        *context.state.loops, instruction.b, instruction.call.operation.scratch,
                        context.threads());
  }
}

void run_clip(Context& context, const Instruction& instruction) {
  const int model = instruction.choice;
  const float scale = context.gradient_scales[model];
  double sum = 0;
  for (const Parameter& parameter : context.state.parameters) {
    if (parameter.model != model || !parameter.keeps_gradient || !parameter.has_gradient) continue;
    for (std::int64_t i = 0; i < parameter.count; ++i)
      sum += double{parameter.gradient[i]} * parameter.gradient[i];
  }
  const float norm = static_cast<float>(std::sqrt(sum)) * scale;
  const float limit = context.state.options.clip_norm;
  if (model == 0) context.state.report.gradient_norm = norm;
  if (norm > limit) context.gradient_scales[model] = scale * (limit / norm);
}

Status blame(Context& context) {
  if (!is_finite(context.state.examples))
    return bad_argument({"the loss is no number: the examples hold one that is NaN or infinite"});
  for (const Instruction& instruction : context.state.instructions) {
    if (&instruction == context.broken) break;
    if (instruction.phase != Phase::kLoss) continue;
    instruction.run(context, instruction);
    if (instruction.run != run_forward || is_finite(instruction.call.out())) continue;
    const format::Operator& node = *context.state.roots[instruction.model]->operators()->Get(
        static_cast<flatbuffers::uoffset_t>(instruction.operator_index));
    Status status = bad_argument(
        {"the loss is no number: ", entry_of(node).kind, " '", text(node.name()), "' of the ",
         instruction.model == 0 ? "model" : "partner",
         " is the first to give NaN or an infinity; lower the learning rate, or clip gradients"});
    status.operator_index = instruction.operator_index;
    return status;
  }
  return bad_argument(
      {"the loss is no number, though what it is computed from is finite; lower the "
       "learning rate, or clip gradients"});
}

}  // namespace figment::train
