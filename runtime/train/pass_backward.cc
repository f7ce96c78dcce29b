// The backward of a pass, against the file's order: gradients of activations are values, those of
// what learns are used at once or kept.
#include "runtime/train/effective_weights.h"
#include "runtime/train/instructions.h"
#include "runtime/train/pass_parts.h"
#include "runtime/train/threads.h"

namespace figment::train {

template <typename T>
void Pass::use_kept(Parameter& parameter, T*& pointer) {
  if (state_.options.accumulation > 1) {
    pointer = parameter.gradient;
    return;
  }
  if (parameter.gradient_value == kNoValue) {
    parameter.gradient_value = program_.floats(parameter.count);
    program_.show(reinterpret_cast<void**>(&parameter.gradient), parameter.gradient_value);
  }
  program_.use(pointer, parameter.gradient_value);
}

// Whether a gradient may be written to where it is kept; else it is added to what is there.
bool Pass::is_first(const Parameter& parameter) const {
  return state_.options.accumulation == 1 && !parameter.has_gradient;
}

// What follows when `gradient`, by the weights that an operator used, has been computed.
void Pass::use_weights_gradient(Parameter& parameter, ValueId gradient) {
  if (parameter.is_formed()) {
    Instruction& instruction = program_.emit(run_return_gradient, Phase::kLearn);
    instruction.parameter = &parameter;
    program_.use(instruction.a, gradient);
    scratch(instruction, return_scratch_bytes(parameter, state_.options.threads));
    if (parameter.keeps_gradient) {
      instruction.choice = is_first(parameter) ? 0 : 1;
      use_kept(parameter, instruction.b);
    } else {
      gradient = program_.floats(parameter.count);
      program_.use(instruction.b, gradient);
    }
  } else if (parameter.keeps_gradient) {
    Instruction& instruction = program_.emit(run_add, Phase::kLearn);
    instruction.count = parameter.count;
    program_.use(instruction.b, gradient);
    use_kept(parameter, instruction.a);
  }
  parameter.has_gradient = true;
  if (parameter.keeps_gradient) return;
  Instruction& update = program_.emit(run_update, Phase::kUpdate);
  update.parameter = &parameter;
  program_.use(update.a, gradient);
}

// The gradient of an adapter, computed by rows into instruction.b, is kept or used.
void Pass::finish_adapter(Parameter& parameter, Instruction& instruction) {
  if (parameter.keeps_gradient) {
    instruction.choice = is_first(parameter) ? 0 : 1;
    return use_kept(parameter, instruction.b);
  }
  const ValueId gradient = program_.floats(parameter.count);
  program_.use(instruction.b, gradient);
  Instruction& update = program_.emit(run_update, Phase::kUpdate);
  update.parameter = &parameter;
  program_.use(update.a, gradient);
}

void Pass::backward(std::span<const ValueId> output_gradients) {
  for (std::size_t i = 0; i < output_gradients.size(); ++i) {
    const std::int32_t tensor =
        root().outputs()->Get(static_cast<flatbuffers::uoffset_t>(i))->tensor();
    Node& node = nodes_[i == 0 && dropped_ >= 0 ? dropped_ : tensor];
    if (output_gradients[i] != kNoValue) node.gradient = output_gradients[i];
  }
  each_step_backward([&](const Step& step) { backward_step(step); });
}

// What a backward's gradient by one input becomes.
struct Pass::Gradient {
  enum class Kind : std::uint8_t { kNone, kDone, kAdded, kWeights } kind = Kind::kNone;
  ValueId value = kNoValue;
};

// Says where the gradient of input `index` shall be written: view and what follows.
Pass::Gradient Pass::place_gradient(const Step& step, std::size_t index, ValueId output_gradient,
                                    Tensor& view) {
  Node& node = nodes_[step.input(index)];
  view.type = DataType::kFloat32;
  view.scales = {};
  if (Parameter* parameter = node.parameter) {
    if (!parameter->is_formed() && parameter->keeps_gradient && is_first(*parameter)) {
      use_kept(*parameter, view.data);
      parameter->has_gradient = true;
      return {Gradient::Kind::kDone, parameter->gradient_value};
    }
    const ValueId value = program_.floats(view.elements());
    program_.use(view, value);
    return {Gradient::Kind::kWeights, value};
  }
  if (node.gradient != kNoValue) {
    const ValueId value = program_.floats(view.elements());
    program_.use(view, value);
    return {Gradient::Kind::kAdded, value};
  }
  node.gradient = index == 0 && step.backward_room->in_place ? output_gradient
                                                             : program_.floats(view.elements());
  program_.use(view, node.gradient);
  return {Gradient::Kind::kDone, node.gradient};
}

// What `step` gave in the forward, once more.
ValueId Pass::make_again(const Step& step) {
  const std::span<Tensor> view = views_.take(1);
  const std::span<Tensor> inputs = operands(step, kNoInputs, true, view[0]);
  Instruction& instruction = program_.emit(run_forward, Phase::kLearn);
  instruction.room = &step.room();
  fill_call(step, inputs, view.data(), instruction.call);
  program_.use(inputs[0], nodes_[step.input(0)].value);
  const ValueId value = program_.value(tensor_bytes(view[0]));
  program_.use(view[0], value);
  return value;
}

void Pass::backward_step(const Step& step) {
  const Node& output = nodes_[step.output];
  const Inputs wanted_here = wanted(step);
  if (output.gradient == kNoValue || wanted_here == kNoInputs) return;
  const BackwardRoom& room = *step.backward_room;
  const std::size_t count = step.input_count();

  // Shapes alone, to ask what it reads.
  const std::span<Tensor> view = views_.take(1);
  const std::span<Tensor> inputs = operands(step, kNoInputs, false, view[0]);
  Call call;
  fill_call(step, inputs, view.data(), call);
  const Reads reads = room.reads(call, wanted_here);

  // The weights' gradient part by part, where it is large and used at once. Threads meet in each
  // part, so that they want larger ones.
  const auto threads = static_cast<std::int64_t>(thread_count(state_.options.threads));
  const std::int64_t part = threads > 1 ? 4 * threads * kGradientPart : kGradientPart;
  Parameter* by_rows = nullptr;
  if (room.weight_rows != nullptr && (wanted_here & input_bit(1))) {
    Parameter* parameter = nodes_[step.node->inputs()->Get(1)].parameter;
    const bool at_once_used = parameter != nullptr && !parameter->is_formed() &&
                              !parameter->keeps_gradient && parameter->count > part;
    if (at_once_used || is_stored(step, 1)) by_rows = parameter;
  }
  const Inputs at_once = by_rows != nullptr ? wanted_here & ~input_bit(1) : wanted_here;

  // What is read, made again where it did not last.
  ValueId read[kMaxInputs];
  for (std::size_t k = 0; k < count; ++k) {
    read[k] = kNoValue;
    const std::int32_t input = step.input(k);
    if (input < 0 || !(reads.inputs & input_bit(k))) continue;
    Node& node = nodes_[input];
    read[k] = node.again.has_value() ? make_again(*node.again) : node.value;
    if (is_stored(step, k)) {
      inputs[k].data = tensor_view(root(), input, state_.options.batch).data;
    } else if (node.parameter != nullptr) {
      if (node.parameter->is_formed())
        read[k] = form(*node.parameter, Phase::kLearn);
      else
        inputs[k].data = node.parameter->values;
    } else if (node.value == kNoValue) {
      const Tensor constant = tensor_view(root(), input, state_.options.batch);
      if (!is_narrow(constant.type))
        inputs[k].data = constant.data;
      else
        read[k] = widen(constant, Phase::kLearn);
    }
  }

  const auto use_operands = [&](Instruction& instruction, bool first) {
    instruction.model = options_.model;
    instruction.operator_index = step.operator_index;
    instruction.backward_room = &room;
    instruction.call = call;
    for (std::size_t k = 0; k < count; ++k) {
      program_.use(read[k]);
      if (first && read[k] != kNoValue) program_.show(&inputs[k].data, read[k]);
    }
    if (reads.output) program_.use(output.value);
    if (first && reads.output) program_.show(&view[0].data, output.value);
    program_.use(output.saved);
    if (output.saved != kNoValue)
      program_.show(reinterpret_cast<void**>(&instruction.call.saved), output.saved);
    program_.use(instruction.call.output_gradient, output.gradient);
    if (room.scratch_bytes != nullptr) scratch(instruction, room.scratch_bytes(call));
  };

  Gradient gradients[kMaxInputs];
  const ValueId output_gradient = output.gradient;
  if (at_once != kNoInputs) {
    Instruction& instruction = program_.emit(run_backward, Phase::kLearn);
    use_operands(instruction, true);
    const std::span<Tensor> gradient_views = views_.take(count);
    for (std::size_t k = 0; k < count; ++k) {
      gradient_views[k] = inputs[k];
      gradient_views[k].data = nullptr;
    }
    for (std::size_t k = 0; k < count; ++k)
      if (at_once & input_bit(k))
        gradients[k] = place_gradient(step, k, output_gradient, gradient_views[k]);
    instruction.call.input_gradients = gradient_views;
  }
  if (by_rows != nullptr) {
    const bool adapts = by_rows->adapts();
    Instruction& instruction = program_.emit(adapts ? run_adapter_rows : run_update_rows,
                                             adapts ? Phase::kLearn : Phase::kUpdate);
    use_operands(instruction, at_once == kNoInputs);
    instruction.parameter = by_rows;
    const std::int64_t row = by_rows->columns;
    instruction.width = row < part ? part / row : 1;
    program_.use(instruction.a, program_.floats(instruction.width * row));
    if (adapts) finish_adapter(*by_rows, instruction);
    by_rows->has_gradient = true;
  }
  for (std::size_t k = 0; k < count; ++k) {
    if (gradients[k].kind != Gradient::Kind::kAdded &&
        gradients[k].kind != Gradient::Kind::kWeights)
      continue;
    Node& node = nodes_[step.input(k)];
    if (gradients[k].kind == Gradient::Kind::kWeights) {
      use_weights_gradient(*node.parameter, gradients[k].value);
      continue;
    }
    Instruction& instruction = program_.emit(run_add, Phase::kLearn);
    instruction.count = inputs[k].elements();
    program_.use(instruction.a, node.gradient);
    program_.use(instruction.b, gradients[k].value);
  }
}

void emit_updates(Trainer::State& state, Program& program, int model) {
  const auto use = [&](const Parameter& parameter) {
    if (state.options.accumulation == 1) program.use(parameter.gradient_value);
  };
  const auto kept = [&](const Parameter& parameter) {
    return parameter.model == model && parameter.keeps_gradient && parameter.has_gradient;
  };
  if (state.options.clip_norm > 0) {
    Instruction& instruction = program.emit(run_clip, Phase::kUpdate);
    instruction.choice = model;
    for (const Parameter& parameter : state.parameters)
      if (kept(parameter)) use(parameter);
  }
  for (Parameter& parameter : state.parameters) {
    if (!kept(parameter)) continue;
    Instruction& instruction = program.emit(run_update, Phase::kUpdate);
    instruction.parameter = &parameter;
    use(parameter);
    if (state.options.accumulation == 1)
      program.show(reinterpret_cast<void**>(&instruction.a), parameter.gradient_value);
    else
      instruction.a = parameter.gradient;
  }
}

}  // namespace figment::train
