// A pass: its steps, what needs gradients, what is left out.
#include "runtime/train/pass.h"

#include "runtime/train/instructions.h"
#include "runtime/train/pass_parts.h"

namespace figment::train {

PassSize& PassSize::operator+=(const PassSize& other) {
  instructions += other.instructions;
  values += other.values;
  places += other.places;
  views += other.views;
  return *this;
}

PassSize pass_size(const Trainer::State& state, const PassOptions& options) {
  const format::Model& root = *state.roots[options.model];
  const bool back = options.parameter_gradients || options.input_gradient;
  PassSize size;
  for (const format::Operator* node : *root.operators()) {
    const auto inputs =
        static_cast<std::int32_t>(node->inputs() == nullptr ? 0 : node->inputs()->size());
    const std::int32_t steps = node->activation() == nullptr ? 1 : 2;
    const std::int32_t operands = inputs + steps - 1;
    // Forward: itself, and weights formed. A value each for output, scratch, what is saved, weights
    // and the scratch that forms them.
    size.instructions += steps + operands;
    size.values += 3 * steps + 2 * operands;
    size.places += 3 * steps + 4 * operands;
    size.views += static_cast<std::size_t>(2 * operands + steps);
    if (!back) continue;
    // Backward: the same, and for each operand a gradient, perhaps one more to be added or
    // returned, and an update.
    size.instructions += steps + 5 * operands;
    size.values += steps + 7 * operands;
    size.places += 4 * steps + 14 * operands;
    size.views += static_cast<std::size_t>(5 * operands + steps);
  }
  return size;
}

std::size_t Pass::node_count(const format::Model& root) {
  return root.tensors()->size() + root.operators()->size();
}

std::size_t Pass::node_bytes() { return sizeof(Node); }
Pass::Node* Pass::node_at(Node* nodes, std::size_t index) { return nodes + index; }

Pass::Pass(Trainer::State& state, Program& program, Views& views, const PassOptions& options,
           Node* nodes)
    : state_(state), program_(program), views_(views), options_(options), nodes_(nodes) {
  const auto count = static_cast<std::int32_t>(node_count(root()));
  for (std::int32_t i = 0; i < count; ++i) nodes_[i] = Node{};
  for (std::int32_t tensor = 0; tensor < tensor_count(root()); ++tensor)
    nodes_[tensor].parameter = parameter_of(state, options.model, tensor);
  count_uses();
  mark_needs();
  find_dropped();
}

Pass::Step Pass::step_of(std::int32_t index, bool activation) const {
  const format::Operator& node =
      *root().operators()->Get(static_cast<flatbuffers::uoffset_t>(index));
  const std::int32_t output = node.outputs()->Get(0);
  const std::int32_t raw = tensor_count(root()) + index;
  if (activation)
    return {&node,
            node.activation(),
            OperatorOptions::Unary,
            true,
            index,
            output,
            raw,
            kBackwardRooms[static_cast<int>(OperatorOptions::Unary)]};
  return {&node,
          node.options(),
          node.options_type(),
          false,
          index,
          node.activation() == nullptr ? output : raw,
          raw,
          backward_of(root(), node, state_.options.batch)};
}

void Pass::count_uses() {
  each_step([&](const Step& step) {
    for (std::size_t k = 0; k < step.input_count(); ++k)
      if (const std::int32_t input = step.input(k); input >= 0) ++nodes_[input].uses;
  });
  for (const format::Port* port : *root().outputs()) ++nodes_[port->tensor()].uses;
}

void Pass::mark_needs() {
  if (options_.parameter_gradients)
    for (std::int32_t tensor = 0; tensor < tensor_count(root()); ++tensor)
      if (nodes_[tensor].parameter != nullptr && nodes_[tensor].parameter->learns())
        nodes_[tensor].needs = true;
  if (options_.input_gradient) nodes_[root().inputs()->Get(0)->tensor()].needs = true;
  each_step([&](const Step& step) {
    for (std::size_t k = 0; k < step.input_count(); ++k)
      if (wants(step, k)) nodes_[step.output].needs = true;
  });
}

// Whether backward shall give the gradient of input `index`.
bool Pass::wants(const Step& step, std::size_t index) const {
  const std::int32_t input = step.input(index);
  const BackwardRoom* room = step.backward_room;
  return input >= 0 && room != nullptr && nodes_[input].needs &&
         (room->differentiable & input_bit(index)) != 0;
}

Inputs Pass::wanted(const Step& step) const {
  Inputs result = kNoInputs;
  for (std::size_t k = 0; k < step.input_count(); ++k)
    if (wants(step, k)) result |= input_bit(k);
  return result;
}

void Pass::find_dropped() {
  const std::int32_t output = root().outputs()->Get(0)->tensor();
  if (nodes_[output].uses != 1) return;
  each_step([&](const Step& step) {
    if (step.output != output) return;
    const bool sigmoid = step.kind == OperatorOptions::Unary &&
                         static_cast<const format::Unary*>(step.options)->function() ==
                             format::UnaryFunction::Sigmoid;
    if ((options_.drops_sigmoid && sigmoid) ||
        (options_.drops_softmax && step.kind == OperatorOptions::Softmax))
      dropped_ = step.input(0);
  });
}

ValueId Pass::output(int index) const {
  const std::int32_t tensor =
      root().outputs()->Get(static_cast<flatbuffers::uoffset_t>(index))->tensor();
  return nodes_[index == 0 && dropped_ >= 0 ? dropped_ : tensor].value;
}

Shape Pass::output_shape(int index) const {
  const std::int32_t tensor =
      root().outputs()->Get(static_cast<flatbuffers::uoffset_t>(index))->tensor();
  return tensor_view(root(), tensor, state_.options.batch).shape;
}

bool Pass::wants_gradient(int index) const {
  return nodes_[root().outputs()->Get(static_cast<flatbuffers::uoffset_t>(index))->tensor()].needs;
}

ValueId Pass::input_gradient() const { return nodes_[root().inputs()->Get(0)->tensor()].gradient; }

void Pass::scratch(Instruction& instruction, std::size_t bytes) {
  if (bytes > 0) program_.use(instruction.call.operation.scratch, program_.value(bytes));
}

void emit_average(Program& program) { program.emit(run_average, Phase::kUpdate); }

}  // namespace figment::train
