// Selection by rule and by reach, and the lasting memory of what was selected.
#include "runtime/train/parameters.h"

#include <cstring>
#include <new>

#include "runtime/math/noise.h"
#include "runtime/train/delta.h"
#include "runtime/train/effective_weights.h"
#include "runtime/train/optimizers.h"

namespace figment::train {
namespace {

using format::OperatorOptions;

std::size_t input_count(const format::Operator& node) {
  return node.inputs() == nullptr ? 0 : node.inputs()->size();
}
std::int32_t input_of(const format::Operator& node, std::size_t index) {
  return node.inputs()->Get(static_cast<flatbuffers::uoffset_t>(index));
}

bool is_constant(const format::Model& root, std::int32_t tensor) {
  return tensor >= 0 &&
         root.tensors()->Get(static_cast<flatbuffers::uoffset_t>(tensor))->data() != nullptr;
}

bool is_matrix(const format::Model& root, std::int32_t tensor) {
  const auto* shape = root.tensors()->Get(static_cast<flatbuffers::uoffset_t>(tensor))->shape();
  return shape != nullptr && shape->size() >= 2;
}

// * stands for any letters, ? for one.
bool fits(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t after_star = 0;
  while (n < name.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after_star = n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++after_star;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// One model's constants: which are selected, and which gradients reach.
class Chooser {
 public:
  Chooser(Trainer::State& state, int model, const Role& role, Arena& arena)
      : state_(state),
        root_(*state.roots[model]),
        selection_(model == 0 ? state.options.selection : state.options.partner_selection),
        role_(role) {
    const std::size_t count = root_.tensors()->size();
    marks_ = arena.allocate_array<Mark>(count);
    if (marks_ == nullptr) return;
    for (std::size_t i = 0; i < count; ++i) marks_[i] = {};
    mark_selected();
    mark_reached();
  }

  bool ok() const { return marks_ != nullptr; }
  void release(Arena& arena) const { arena.release(marks_); }

  bool learns(std::int32_t tensor) const {
    const Mark& mark = marks_[tensor];
    return mark.selected && mark.reached;
  }
  // A statistic of a batch normalization that learns.
  bool moves(std::int32_t tensor) const { return marks_[tensor].statistic; }

  // Calls visit(node, index) for each operator that stops gradients on their way to something
  // selected.
  template <typename Visit>
  void each_blocking(const Visit& visit) const {
    std::int32_t index = 0;
    for (const format::Operator* node : *root_.operators()) {
      bool blocks = false;
      for (std::size_t k = 0; k < input_count(*node); ++k) {
        const std::int32_t input = input_of(*node, k);
        if (input >= 0 && marks_[input].above && !stops_by_nature(*node, k) &&
            !(passes_gradient(*node, k) && activation_passes_gradient(*node)))
          blocks = true;
      }
      if (blocks && marks_[node->outputs()->Get(0)].reached) visit(*node, index);
      ++index;
    }
  }

  // Calls visit(tensor, uses) for each constant that learns or moves.
  template <typename Visit>
  void each_chosen(const Visit& visit) const {
    for (std::int32_t tensor = 0; tensor < static_cast<std::int32_t>(root_.tensors()->size());
         ++tensor)
      if (learns(tensor) || moves(tensor)) visit(tensor, marks_[tensor].uses);
  }

 private:
  struct Mark {
    bool selected = false;
    bool reached = false;  // by gradients, from the loss
    bool above = false;    // selected, or computed from something that is
    bool statistic = false;
    std::int32_t uses = 0;
  };

  // Operands that a result does not depend on smoothly by their nature: nobody is told of them.
  bool stops_by_nature(const format::Operator& node, std::size_t index) const {
    const BackwardRoom* room = backward_of(root_, node, state_.options.batch);
    return room != nullptr && (room->differentiable & input_bit(index)) == 0;
  }

  bool passes_gradient(const format::Operator& node, std::size_t index) const {
    const BackwardRoom* room = backward_of(root_, node, state_.options.batch);
    return room != nullptr && (room->differentiable & input_bit(index)) != 0;
  }
  static bool activation_passes_gradient(const format::Operator& node) {
    return node.activation() == nullptr ||
           kBackwardRooms[static_cast<int>(OperatorOptions::Unary)] != nullptr;
  }

  bool wants(const format::Operator& node, std::size_t index, int layers_after) const {
    const std::int32_t tensor = input_of(node, index);
    if (!is_constant(root_, tensor) || stops_by_nature(node, index)) return false;
    const auto* entry = root_.tensors()->Get(static_cast<flatbuffers::uoffset_t>(tensor));
    if (entry->type() == format::DataType::Int32 || entry->type() == format::DataType::UInt8)
      return false;
    const OperatorOptions kind = node.options_type();
    const bool adapts = kind == OperatorOptions::Dense || kind == OperatorOptions::Conv2D ||
                        kind == OperatorOptions::ConvTranspose2D;
    if (selection_.adapter_rank > 0 && !(adapts && index == 1)) return false;
    switch (selection_.learns) {
      case Learns::kNothing:
        return false;
      case Learns::kAll:
        return true;
      case Learns::kLastLayers:
        return layers_after < selection_.layers;
      case Learns::kBiasesAndScales:
        return !is_matrix(root_, tensor);
      case Learns::kNamed:
        return fits(selection_.pattern, text(entry->name())) ||
               fits(selection_.pattern, text(node.name()));
    }
    return false;
  }

  bool has_weights(const format::Operator& node) const {
    for (std::size_t k = 0; k < input_count(node); ++k)
      if (is_constant(root_, input_of(node, k)) && is_matrix(root_, input_of(node, k))) return true;
    return false;
  }

  void mark_selected() {
    int layers_after = 0;
    for (const format::Operator* node : *root_.operators())
      if (has_weights(*node)) ++layers_after;
    for (const format::Operator* node : *root_.operators()) {
      if (has_weights(*node)) --layers_after;
      bool above = false;
      for (std::size_t k = 0; k < input_count(*node); ++k) {
        const std::int32_t input = input_of(*node, k);
        if (input < 0) continue;
        Mark& mark = marks_[input];
        ++mark.uses;
        if (wants(*node, k, layers_after)) mark.selected = mark.above = true;
        above = above || mark.above;
      }
      marks_[node->outputs()->Get(0)].above = above;
    }
  }

  void mark_reached() {
    for (int i = 0; i < role_.outputs; ++i)
      marks_[root_.outputs()->Get(static_cast<flatbuffers::uoffset_t>(i))->tensor()].reached = true;
    const auto* nodes = root_.operators();
    for (flatbuffers::uoffset_t i = nodes->size(); i-- > 0;) {
      const format::Operator& node = *nodes->Get(i);
      if (!marks_[node.outputs()->Get(0)].reached || !activation_passes_gradient(node)) continue;
      for (std::size_t k = 0; k < input_count(node); ++k)
        if (input_of(node, k) >= 0 && passes_gradient(node, k))
          marks_[input_of(node, k)].reached = true;
      // The statistics move with the model, whatever of it learns.
      if (node.options_type() == OperatorOptions::BatchNormalization &&
          state_.options.batch_statistics && selection_.learns != Learns::kNothing)
        for (const std::size_t k : {3, 4})
          if (is_constant(root_, input_of(node, k))) marks_[input_of(node, k)].statistic = true;
    }
  }

  Trainer::State& state_;
  const format::Model& root_;
  const Selection& selection_;
  Role role_;
  Mark* marks_ = nullptr;
};

Parameter make_parameter(const Trainer::State& state, int model, std::int32_t tensor,
                         std::int32_t uses, bool learns, const Role& role) {
  const TrainOptions& options = state.options;
  Parameter parameter;
  parameter.model = model;
  parameter.tensor = tensor;
  parameter.uses = uses;
  parameter.source = tensor_view(*state.roots[model], tensor, 1);
  parameter.decays = parameter.source.shape.rank >= 2;
  const MatrixExtents matrix = matrix_extents(parameter.source.shape);
  parameter.rows = matrix.rows;
  parameter.columns = matrix.columns;
  parameter.count = parameter.source.elements();
  const Selection& selection = model == 0 ? options.selection : options.partner_selection;
  if (!learns) {
    parameter.form = Form::kStatistic;
  } else if (selection.adapter_rank > 0) {
    parameter.form = Form::kAdapter;
    parameter.rank = selection.adapter_rank;
    parameter.count = (parameter.rows + parameter.columns) * parameter.rank;
  } else if (model == 1 && options.spectral_normalization && parameter.decays) {
    parameter.form = Form::kSpectral;
  }
  parameter.keeps_gradient =
      parameter.learns() &&
      (options.accumulation > 1 || options.clip_norm > 0 || uses * role.gradient_passes > 1);
  return parameter;
}

// Adapters begin as nothing: right is random, left 0. Singular vectors begin at random.
void fill_normals(float* values, std::int64_t count, float scale, std::uint64_t key) {
  math::draw_normals(key, 0, 0, scale, values, count);
}

bool keeps_average(const Trainer::State& state, const Parameter& parameter) {
  return state.options.average_decay > 0 && parameter.model == 0;
}

void give_memory(Trainer::State& state, Arena& arena) {
  const auto moments = static_cast<std::size_t>(moment_count(state.options.optimizer));
  const auto padded = [](std::int64_t count) {
    return Arena::round_up(static_cast<std::size_t>(count) * sizeof(float));
  };
  std::size_t bytes = Arena::round_up(sizeof(Counters));
  std::size_t kept = 0;
  for (const Parameter& parameter : state.parameters) {
    const std::size_t average = keeps_average(state, parameter) ? 1 : 0;
    bytes += padded(parameter.count) * (1 + average + (parameter.learns() ? moments : 0));
    if (parameter.is_spectral())
      bytes += padded(parameter.rows) + padded(parameter.columns) + padded(1);
    if (parameter.keeps_gradient && state.options.accumulation > 1) kept += padded(parameter.count);
  }
  auto* memory = static_cast<std::byte*>(arena.allocate(bytes));
  auto* gradients = static_cast<std::byte*>(arena.allocate(kept));
  if (arena.overflowed()) return;
  state.persistent = {memory, bytes};
  state.gradients = {reinterpret_cast<float*>(gradients), kept / sizeof(float)};
  if (arena.measuring()) return;
  std::memset(memory, 0, bytes);
  std::memset(gradients, 0, kept);
  const auto take = [&](std::byte*& from, std::int64_t count) {
    float* values = reinterpret_cast<float*>(from);
    from += padded(count);
    return values;
  };
  state.counters = new (memory) Counters{};
  memory += Arena::round_up(sizeof(Counters));
  std::uint64_t key = state.options.seed;
  for (Parameter& parameter : state.parameters) {
    parameter.values = take(memory, parameter.count);
    if (parameter.learns())
      for (std::size_t i = 0; i < moments; ++i)
        parameter.moments[i] = take(memory, parameter.count);
    ++key;
    if (parameter.adapts())
      fill_normals(parameter.right(), parameter.rank * parameter.columns,
                   1 / static_cast<float>(parameter.rank), key);
    else
      widen_constant(parameter.source, parameter.values);
    if (keeps_average(state, parameter)) {
      parameter.average = take(memory, parameter.count);
      std::memcpy(parameter.average, parameter.values,
                  static_cast<std::size_t>(parameter.count) * sizeof(float));
    }
    if (parameter.is_spectral()) {
      parameter.left_vector = take(memory, parameter.rows);
      parameter.right_vector = take(memory, parameter.columns);
      parameter.singular_value = take(memory, 1);
      fill_normals(parameter.left_vector, parameter.rows, 1, key);
      follow_singular_vectors(parameter);
    }
    if (parameter.keeps_gradient && state.options.accumulation > 1)
      parameter.gradient = take(gradients, parameter.count);
  }
}

}  // namespace

const BackwardRoom* backward_of(const format::Model& root, const format::Operator& node,
                                int batch) {
  const BackwardRoom* room = kBackwardRooms[static_cast<int>(node.options_type())];
  if (room == nullptr || room->refuses == nullptr) return room;
  Tensor inputs[kMaxInputs];
  Tensor output;
  view_operands(root, node, batch, inputs, &output);
  Call call;
  call.operation.options = node.options();
  call.operation.inputs = {inputs, input_count(node)};
  call.operation.outputs = {&output, 1};
  return room->refuses(call) == nullptr ? room : nullptr;
}

Parameter* parameter_of(const Trainer::State& state, int model, int tensor) {
  for (Parameter& parameter : state.parameters)
    if (parameter.model == model && parameter.tensor == tensor) return &parameter;
  return nullptr;
}

Status choose_parameters(Trainer::State& state, const Role (&roles)[2], Arena& arena) {
  std::size_t chosen = 0;
  std::size_t blocking = 0;
  std::size_t learning = 0;
  // Once to count, once to write down: the tables come before the marks in the arena.
  for (const bool writes : {false, true}) {
    if (writes) {
      auto* parameters = arena.allocate_array<Parameter>(chosen);
      auto* blockings = arena.allocate_array<Trainer::Blocking>(blocking);
      if (arena.overflowed()) return {};
      state.parameters = {parameters, chosen};
      state.blockings = {blockings, blocking};
      chosen = blocking = 0;
    }
    for (int model = 0; model < 2; ++model) {
      if (state.roots[model] == nullptr) continue;
      const Chooser chooser(state, model, roles[model], arena);
      if (!chooser.ok()) return {};
      chooser.each_chosen([&](std::int32_t tensor, std::int32_t uses) {
        const bool learns = chooser.learns(tensor);
        if (writes)
          new (&state.parameters[chosen])
              Parameter(make_parameter(state, model, tensor, uses, learns, roles[model]));
        else if (learns)
          ++learning;
        ++chosen;
      });
      chooser.each_blocking([&](const format::Operator& node, std::int32_t index) {
        if (writes)
          new (&state.blockings[blocking])
              Trainer::Blocking{model, index, entry_of(node).kind, text(node.name())};
        ++blocking;
      });
      chooser.release(arena);
    }
  }
  if (learning == 0 && blocking > 0)
    return unsupported({"nothing can learn: ", state.blockings[0].kind, " '",
                        state.blockings[0].name,
                        "' has no backward, and all that is selected lies before it"});
  if (learning == 0)
    return bad_argument(
        {"the selection selects nothing that learns; `figment show` lists the names "
         "of operators and tensors"});
  give_memory(state, arena);
  return {};
}

}  // namespace figment::train
