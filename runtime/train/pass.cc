// A model's operators as instructions: forward in the file's order, backward against it.
#include "runtime/train/pass.h"

#include <cmath>
#include <new>

#include "runtime/train/effective_weights.h"
#include "runtime/train/optimizers.h"
#include "runtime/train/parameters.h"
#include "runtime/train/threads.h"

namespace figment::train {

using format::OperatorOptions;

// A tensor of the model, or what an operator gives before the activation that it carries: those
// come after the tensors, by operator.
struct Pass::Node {
  ValueId value = kNoValue;
  ValueId gradient = kNoValue;
  ValueId saved = kNoValue;  // by the step that gives it
  Parameter* parameter = nullptr;
  std::int32_t uses = 0;
  bool needs = false;     // a gradient: something that learns lies above
  bool is_alias = false;  // shares its value with another
};

// One thing to run: an operator, or the activation that it carries.
struct Pass::Step {
  const format::Operator* node;
  const void* options;
  OperatorOptions kind;
  bool activation;
  std::int32_t operator_index;
  std::int32_t output;                // a node
  const BackwardRoom* backward_room;  // null: none

  std::size_t input_count() const {
    if (activation) return 1;
    return node->inputs() == nullptr ? 0 : node->inputs()->size();
  }
  const ops::OperatorRoom& room() const { return *ops::kOperators[static_cast<int>(kind)].room; }
};

namespace {

std::int32_t tensor_count(const format::Model& root) {
  return static_cast<std::int32_t>(root.tensors()->size());
}

bool is_narrow(DataType type) {
  return type == DataType::kFloat16 || type == DataType::kInt8 || type == DataType::kInt4;
}

// ---- What instructions do ----

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

// a: the weights formed.
void run_form(Context& context, const Instruction& instruction) {
  form_weights(*instruction.parameter, instruction.choice != 0 && !context.evaluating,
               instruction.a);
}

// a: the constant widened.
void run_widen(Context&, const Instruction& instruction) {
  widen_constant(instruction.call.in(0), instruction.a);
}

// a: the gradient by the weights used; b: that by what learns.
void run_return_gradient(Context& context, const Instruction& instruction) {
  return_gradient(*instruction.parameter, instruction.a, instruction.choice != 0,
                  *context.state.loops, instruction.b, instruction.call.operation.scratch,
                  context.threads());
}

// a += b
void run_add(Context&, const Instruction& instruction) {
  for (std::int64_t i = 0; i < instruction.count; ++i) instruction.a[i] += instruction.b[i];
}

OptimizerStep optimizer_step(const Context& context, const Parameter& parameter) {
  return {.options = &context.state.options.optimizer,
          .learning_rate = context.learning_rates[parameter.model],
          .gradient_scale = context.gradient_scales[parameter.model],
          .update = context.state.counters->updates + 1,
          .decays = parameter.decays};
}

// a: the gradient of all of it.
void run_update(Context& context, const Instruction& instruction) {
  const Parameter& parameter = *instruction.parameter;
  apply_optimizer(optimizer_step(context, parameter), parameter.count, instruction.a,
                  parameter.values, parameter.moments, context.threads());
}

// The average of what a model learns moves toward it.
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

// a: room for the gradient of `width` rows.
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

// The adapter's gradient b, from the weights' gradient by rows: a has room for `width` of them.
// choice: 1 where it is added to what is there.
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

// The norm of all gradients that a model keeps, and the scale that brings it down to the limit.
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

}  // namespace

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
    size.instructions += steps + 4 * operands;
    size.values += steps + 6 * operands;
    size.places += 4 * steps + 12 * operands;
    size.views += static_cast<std::size_t>(3 * operands + steps);
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
  if (activation)
    return {&node, node.activation(), OperatorOptions::Unary, true, index, output,
            kBackwardRooms[static_cast<int>(OperatorOptions::Unary)]};
  return {&node,
          node.options(),
          node.options_type(),
          false,
          index,
          node.activation() == nullptr ? output : tensor_count(root()) + index,
          backward_of(root(), node, state_.options.batch)};
}

template <typename Visit>
void Pass::each_step(const Visit& visit) const {
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(root().operators()->size()); ++i) {
    const Step step = step_of(i, false);
    visit(step);
    if (step.node->activation() != nullptr) visit(step_of(i, true));
  }
}

template <typename Visit>
void Pass::each_step_backward(const Visit& visit) const {
  for (auto i = static_cast<std::int32_t>(root().operators()->size()); i-- > 0;) {
    const Step step = step_of(i, false);
    if (step.node->activation() != nullptr) visit(step_of(i, true));
    visit(step);
  }
}

namespace {

std::int32_t input_node(const format::Model& root, const format::Operator& node, bool activation,
                        std::int32_t operator_index, std::size_t index) {
  if (activation) return tensor_count(root) + operator_index;
  return node.inputs()->Get(static_cast<flatbuffers::uoffset_t>(index));
}

}  // namespace

void Pass::count_uses() {
  each_step([&](const Step& step) {
    for (std::size_t k = 0; k < step.input_count(); ++k)
      if (const std::int32_t input =
              input_node(root(), *step.node, step.activation, step.operator_index, k);
          input >= 0)
        ++nodes_[input].uses;
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
  const std::int32_t input =
      input_node(root(), *step.node, step.activation, step.operator_index, index);
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
      dropped_ = input_node(root(), *step.node, step.activation, step.operator_index, 0);
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

// ---- Forward ----

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
  if (parameter != nullptr) return parameter->form == Form::kAdapter;
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
  const std::int32_t input =
      input_node(root(), *step.node, step.activation, step.operator_index, 0);
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
    const std::int32_t input =
        input_node(root(), *step.node, step.activation, step.operator_index, k);
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
  const std::int32_t first =
      step.input_count() > 0
          ? input_node(root(), *step.node, step.activation, step.operator_index, 0)
          : -1;
  if (dropped_ >= 0 && first == dropped_ && step.output == root().outputs()->Get(0)->tensor())
    return;
  // Weights first: their instructions run before this one.
  ValueId formed[kMaxInputs];
  for (std::size_t k = 0; k < step.input_count(); ++k) {
    const std::int32_t input =
        input_node(root(), *step.node, step.activation, step.operator_index, k);
    formed[k] = kNoValue;
    if (input >= 0 && nodes_[input].parameter != nullptr && nodes_[input].parameter->is_formed() &&
        !is_stored(step, k))
      formed[k] = form(*nodes_[input].parameter, Phase::kLoss);
    // What a backward needs saved, only its own forward saves, and that takes float32.
    if (input < 0 || formed[k] != kNoValue || !output.needs || nodes_[input].parameter != nullptr ||
        step.backward_room->saved_bytes == nullptr)
      continue;
    const Tensor constant = tensor_view(root(), input, state_.options.batch);
    if (nodes_[input].value == kNoValue && is_narrow(constant.type))
      formed[k] = widen(constant, Phase::kLoss);
  }
  const std::span<Tensor> view = views_.take(1);
  const std::span<Tensor> inputs = operands(step, kNoInputs, true, view[0]);
  Instruction& instruction = program_.emit(run_forward, Phase::kLoss);
  instruction.model = static_cast<std::int8_t>(options_.model);
  instruction.operator_index = step.operator_index;
  instruction.room = &step.room();
  fill_call(step, inputs, view.data(), instruction.call);
  bool all_float = true;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (!inputs[k].present()) continue;
    const std::int32_t input =
        input_node(root(), *step.node, step.activation, step.operator_index, k);
    if (formed[k] != kNoValue) {
      inputs[k].type = DataType::kFloat32;
      inputs[k].scales = {};
    }
    program_.use(inputs[k], formed[k] != kNoValue ? formed[k] : nodes_[input].value);
    all_float = all_float && (is_stored(step, k) || !is_narrow(inputs[k].type));
  }
  const BackwardRoom* room = step.backward_room;
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
  }
  program_.use(view[0], output.value);
}

// ---- Backward ----

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
// to step, else in a value of the program.
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
  Node& node = nodes_[input_node(root(), *step.node, step.activation, step.operator_index, index)];
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

  // The weights' gradient part by part, where it is large and used at once.
  Parameter* by_rows = nullptr;
  if (room.weight_rows != nullptr && (wanted_here & input_bit(1))) {
    Parameter* parameter = nodes_[step.node->inputs()->Get(1)].parameter;
    const bool at_once_used = parameter != nullptr && !parameter->is_formed() &&
                              !parameter->keeps_gradient && parameter->count > kGradientPart;
    if (at_once_used || is_stored(step, 1)) by_rows = parameter;
  }
  const Inputs at_once = by_rows != nullptr ? wanted_here & ~input_bit(1) : wanted_here;

  // What is read, made again where it did not last.
  ValueId read[kMaxInputs];
  for (std::size_t k = 0; k < count; ++k) {
    read[k] = kNoValue;
    const std::int32_t input =
        input_node(root(), *step.node, step.activation, step.operator_index, k);
    if (input < 0 || !(reads.inputs & input_bit(k))) continue;
    Node& node = nodes_[input];
    read[k] = node.value;
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
    instruction.model = static_cast<std::int8_t>(options_.model);
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
    const bool adapts = by_rows->form == Form::kAdapter;
    Instruction& instruction = program_.emit(adapts ? run_adapter_rows : run_update_rows,
                                             adapts ? Phase::kLearn : Phase::kUpdate);
    use_operands(instruction, at_once == kNoInputs);
    instruction.parameter = by_rows;
    const std::int64_t row = by_rows->columns;
    instruction.width = row < kGradientPart ? kGradientPart / row : 1;
    program_.use(instruction.a, program_.floats(instruction.width * row));
    if (adapts) finish_adapter(*by_rows, instruction);
    by_rows->has_gradient = true;
  }
  for (std::size_t k = 0; k < count; ++k) {
    if (gradients[k].kind != Gradient::Kind::kAdded &&
        gradients[k].kind != Gradient::Kind::kWeights)
      continue;
    Node& node = nodes_[input_node(root(), *step.node, step.activation, step.operator_index, k)];
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

void emit_average(Program& program) { program.emit(run_average, Phase::kUpdate); }

namespace {

bool is_finite(const Tensor& tensor) {
  if (tensor.type != DataType::kFloat32 || tensor.data == nullptr) return true;
  for (const float value : tensor.values())
    if (!(value - value == 0)) return false;
  return true;
}

}  // namespace

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
