// The forward of a pass, in the file's order, with the memory that it may use again.
#include "runtime/train/instructions.h"
#include "runtime/train/pass_parts.h"

namespace figment::train {

// The weights that a parameter stands for, made for the operator at hand.
ValueId Pass::form(Parameter& parameter, Phase phase) {
  const ValueId weights = program_.floats(parameter.source.elements());
  Instruction& instruction = program_.emit(run_form, phase);
  instruction.parameter = &parameter;
  instruction.choice = options_.iterates && phase == Phase::kLoss ? 1 : 0;
  program_.use(instruction.a, weights);
  return weights;
}

// Whether an operator takes input `index` as the file stores it, with what an adapter has learned.
bool Pass::is_stored(const Step& step, std::size_t index) const {
  if (index != 1 || step.activation) return false;
  const std::int32_t input = step.node->inputs()->Get(1);
  const BackwardRoom* room = step.backward_room;
  if (input < 0 || room == nullptr || !room->takes_stored_weights) return false;
  const Parameter* parameter = nodes_[input].parameter;
  if (parameter != nullptr) return parameter->adapts();
  return nodes_[input].value == kNoValue &&
         is_narrow(tensor_view(root(), input, state_.options.batch).type);
}

void Pass::fill_call(const Step& step, std::span<Tensor> inputs, Tensor* output, Call& call) const {
  call.operation.options = step.options;
  call.operation.inputs = inputs;
  call.operation.outputs = {output, 1};
  call.operation.threads = state_.options.threads;
  call.loops = state_.loops;
  call.momentum = state_.options.statistics_momentum;
  if (step.input_count() > 1 && is_stored(step, 1))
    if (const Parameter* parameter = nodes_[step.node->inputs()->Get(1)].parameter)
      call.adapter = parameter->low_rank();
  if (step.kind == OperatorOptions::BatchNormalization) {
    // Its stored variance is the last operand; where that moves, the batch's counts.
    const std::int32_t variance = step.node->inputs()->Get(4);
    call.batch_statistics = nodes_[variance].parameter != nullptr;
  }
}

// Whether the step's output may be written over its input.
bool Pass::may_reuse(const Step& step, const Call& call) const {
  if (step.room().memory != ops::Memory::kInPlace) return false;
  const std::int32_t input = step.input(0);
  const Node& source = nodes_[input];
  if (source.value == kNoValue || source.uses != 1 || source.is_alias) return false;
  for (const format::Port* port : *root().inputs())
    if (port->tensor() == input) return false;
  if (call.in(0).shape.elements() != call.out().shape.elements()) return false;
  if (!nodes_[step.output].needs) return true;
  const BackwardRoom* room = step.backward_room;
  if (room->reads(call, wanted(step)).inputs & input_bit(0)) return false;
  // Nor may the one before read what it gave.
  bool kept = false;
  each_step([&](const Step& producer) {
    if (producer.output != input || !nodes_[input].needs) return;
    kept = true;
    const BackwardRoom* before = producer.backward_room;
    Tensor views[kMaxInputs];
    Tensor output;
    view_operands(root(), *producer.node, state_.options.batch, views, &output);
    Call other;
    fill_call(producer, {views, producer.input_count()}, &output, other);
    if (producer.activation) views[0] = output;
    kept = before->reads(other, wanted(producer)).output;
  });
  return !kept;
}

// Whether a backward had better make the step's output again than keep it: an elementwise function
// whose input is kept in any case.
bool Pass::is_cheap(const Step& step, const Call& call) const {
  if (!state_.options.recompute || step.kind != OperatorOptions::Unary) return false;
  const Inputs inputs = wanted(step);
  if (inputs == kNoInputs || nodes_[step.input(0)].value == kNoValue) return false;
  const Reads reads = step.backward_room->reads(call, inputs);
  return (reads.inputs & input_bit(0)) != 0 && !reads.output;
}

// Views of a step's operands, of the last instruction: all in the forward; in the backward those
// that it reads, and the others with shapes alone.
std::span<Tensor> Pass::operands(const Step& step, Inputs reads, bool forward, Tensor& output) {
  const std::size_t count = step.input_count();
  const std::span<Tensor> views = views_.take(count);
  Tensor all[kMaxInputs];
  view_operands(root(), *step.node, state_.options.batch, all, &output);
  if (step.activation) all[0] = output;
  for (std::size_t k = 0; k < count; ++k) {
    views[k] = all[k];
    const std::int32_t input = step.input(k);
    if (input < 0) continue;
    Node& node = nodes_[input];
    if (is_stored(step, k)) {
      if (!forward && !(reads & input_bit(k))) views[k].data = nullptr;
      continue;
    }
    if (node.parameter != nullptr) {
      views[k].type = DataType::kFloat32;
      views[k].scales = {};
      views[k].constant = false;
      views[k].data = node.parameter->is_formed() ? nullptr : node.parameter->values;
    }
    if (!forward && !(reads & input_bit(k))) views[k].data = nullptr;
    if (!forward && is_narrow(views[k].type)) {
      views[k].type = DataType::kFloat32;  // widened, where it is read
      views[k].scales = {};
    }
  }
  return views;
}

void Pass::forward(std::span<const ValueId> inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    nodes_[root().inputs()->Get(static_cast<flatbuffers::uoffset_t>(i))->tensor()].value =
        inputs[i];
  each_step([&](const Step& step) { forward_step(step); });
}

void Pass::forward_step(const Step& step) {
  Node& output = nodes_[step.output];
  const std::int32_t first = step.input_count() > 0 ? step.input(0) : -1;
  if (dropped_ >= 0 && first == dropped_ && step.output == root().outputs()->Get(0)->tensor())
    return;
  const BackwardRoom* room = step.backward_room;
  // Weights first: their instructions run before this one.
  ValueId formed[kMaxInputs];
  for (std::size_t k = 0; k < step.input_count(); ++k) {
    const std::int32_t input = step.input(k);
    formed[k] = kNoValue;
    if (input >= 0 && nodes_[input].parameter != nullptr && nodes_[input].parameter->is_formed() &&
        !is_stored(step, k))
      formed[k] = form(*nodes_[input].parameter, Phase::kLoss);
    // A room's own forward takes float32.
    if (room == nullptr || room->forward == nullptr || input < 0 || formed[k] != kNoValue ||
        nodes_[input].parameter != nullptr || nodes_[input].value != kNoValue || is_stored(step, k))
      continue;
    const Tensor constant = tensor_view(root(), input, state_.options.batch);
    if (is_narrow(constant.type)) formed[k] = widen(constant, Phase::kLoss);
  }
  const std::span<Tensor> view = views_.take(1);
  const std::span<Tensor> inputs = operands(step, kNoInputs, true, view[0]);
  Instruction& instruction = program_.emit(run_forward, Phase::kLoss);
  instruction.model = options_.model;
  instruction.operator_index = step.operator_index;
  instruction.room = &step.room();
  fill_call(step, inputs, view.data(), instruction.call);
  bool all_float = true;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (!inputs[k].present()) continue;
    const std::int32_t input = step.input(k);
    if (formed[k] != kNoValue) {
      inputs[k].type = DataType::kFloat32;
      inputs[k].scales = {};
    }
    program_.use(inputs[k], formed[k] != kNoValue ? formed[k] : nodes_[input].value);
    all_float = all_float && (is_stored(step, k) || !is_narrow(inputs[k].type));
  }
  if (room != nullptr && room->forward != nullptr && all_float) instruction.backward_room = room;
  if (instruction.backward_room != nullptr) {
    if (room->forward_scratch_bytes != nullptr)
      scratch(instruction, room->forward_scratch_bytes(instruction.call));
    if (room->saved_bytes != nullptr) {
      output.saved = program_.value(room->saved_bytes(instruction.call));
      program_.use(instruction.call.saved, output.saved);
    }
  } else if (step.room().scratch_bytes != nullptr) {
    scratch(instruction, step.room().scratch_bytes(instruction.call.operation));
  }
  if (step.room().memory == ops::Memory::kAlias) {
    output.value = nodes_[first].value;
    output.is_alias = nodes_[first].is_alias = true;
    if (output.value == kNoValue) view[0].data = inputs[0].data;
  } else if (may_reuse(step, instruction.call)) {
    output.value = nodes_[first].value;
  } else {
    output.value = program_.value(tensor_bytes(view[0]));
    if (is_cheap(step, instruction.call)) output.again = step;
  }
  program_.use(view[0], output.value);
}

// A constant that is not float32, as float32, for the operator at hand.
ValueId Pass::widen(const Tensor& constant, Phase phase) {
  const ValueId values = program_.floats(constant.elements());
  Instruction& instruction = program_.emit(run_widen, phase);
  const std::span<Tensor> view = views_.take(1);
  view[0] = constant;
  instruction.call.operation.inputs = view;
  program_.use(instruction.a, values);
  return values;
}

// `pointer` shows the gradient that a parameter keeps: in lasting memory where it lasts from step

}  // namespace figment::train
