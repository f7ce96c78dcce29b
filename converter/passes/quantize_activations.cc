// Makes activations int8 and computes in integers between them.
//
// Products with constant weights become integer products; what follows them stays int8 as far as it
// can: functions of one number become tables, sums of two tensors integer sums, and what only moves
// numbers moves bytes. Everything else computes in float32, with Quantize and Dequantize where it
// begins and ends. Tensors between which numbers only move share one range.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <sstream>

#include "converter/passes/edit.h"
#include "converter/passes/integer_weights.h"
#include "converter/passes/passes.h"

namespace figment::converter {
namespace {

// How a node is computed.
enum class Way : std::uint8_t {
  kFloat,
  kProduct,  // QuantizedDense, QuantizedConv2D, QuantizedConvTranspose2D
  kTable,    // QuantizedUnary
  kSum,      // QuantizedAdd
  kMove,     // the same operator on int8
  kClamp,    // nothing: the operator before clamps its result to these limits
};

// Activations stand by themselves, so that what they read can be observed.
void split_activations(Graph& graph) {
  for (std::size_t position = 0; position < graph.nodes.size(); ++position) {
    if (!graph.nodes[position].activation) continue;
    const format::UnaryT function = *graph.nodes[position].activation;
    graph.nodes[position].activation.reset();
    const TensorId before = graph.nodes[position].output;
    std::size_t next = position + 1;
    const TensorId after = add_before(graph, next, graph.nodes[position].name,
                                      make_options(format::UnaryT(function)), {before});
    redirect(graph, before, after);
    graph.nodes[position + 1].inputs[0] = before;
  }
}

bool is_scalar_constant(const Graph& graph, TensorId id) {
  const GraphTensor& tensor = graph.tensor(id);
  return tensor.constant() && tensor.type == DataType::kFloat32 && tensor.shape.elements() == 1;
}

// The input of a node that computes each of its numbers from one number; -1: it is none.
int table_input(const Graph& graph, const Node& node) {
  if (is_kind<format::UnaryT>(node)) return 0;
  if (!is_kind<format::BinaryT>(node)) return -1;
  for (const int constant : {0, 1})
    if (is_scalar_constant(graph, node.inputs[static_cast<std::size_t>(constant)]) &&
        graph.tensor(node.inputs[static_cast<std::size_t>(1 - constant)]).shape ==
            graph.tensor(node.output).shape)
      return 1 - constant;
  return -1;
}

// That node as a function, by the runtime's own definition.
Function function_of(const Graph& graph, const Node& node) {
  return [&graph, node](const std::vector<float>& values) {
    Graph small;
    std::vector<TensorId> inputs;
    const int input = table_input(graph, node);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const GraphTensor& tensor = graph.tensor(node.inputs[i]);
      inputs.push_back(
          static_cast<int>(i) == input
              ? small.add_floats("x", make_shape({static_cast<std::int64_t>(values.size())}),
                                 values)
              : small.add_constant("", tensor.type, Shape{}, *tensor.data));
    }
    return float_values(small.tensor(small.add_node(node.name, node.options, inputs)));
  };
}

bool only_moves(const Node& node) {
  if (is_kind<format::ResizeT>(node))
    return node.as<format::ResizeT>().mode == format::ResizeMode::Nearest;
  return is_kind<format::ReshapeT>(node) || is_kind<format::TransposeT>(node) ||
         is_kind<format::ConcatT>(node) || is_kind<format::SliceT>(node) ||
         is_kind<format::PadT>(node) || is_kind<format::TileT>(node) ||
         is_kind<format::DepthToSpaceT>(node);
}

// The limits of a function that an integer operator's clamp can be.
struct Limits {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

std::optional<Limits> limits_of(const Node& node) {
  if (!is_kind<format::UnaryT>(node)) return std::nullopt;
  const auto& unary = node.as<format::UnaryT>();
  if (unary.function == format::UnaryFunction::Relu) return Limits{0};
  if (unary.function == format::UnaryFunction::Clip)
    return Limits{double{unary.alpha}, double{unary.beta}};
  return std::nullopt;
}

class Quantizer {
 public:
  Quantizer(Graph& graph, std::vector<Histogram> histograms)
      : graph_(graph), histograms_(std::move(histograms)), links_(link(graph)) {}

  // The number of nodes that compute in integers.
  int run() {
    plan();
    choose_ranges();
    rebuild();
    return static_cast<int>(
        std::count_if(ways_.begin(), ways_.end(), [](Way way) { return way != Way::kFloat; }));
  }
  // Kinds of nodes that stayed float32, with how many there are.
  const std::map<std::string, int>& floats() const { return floats_; }

 private:
  void plan();
  Way way_of(const Node& node) const;
  void choose_ranges();
  void rebuild();
  void add_integer(const Node& node, Way way, TensorId output, const Limits& limits);
  std::vector<std::int32_t> clamp_of(TensorId output, const Limits& limits);
  TensorId as_int8(TensorId id);
  TensorId as_float(TensorId id);
  TensorId add_border(TensorId id, format::OperatorOptionsUnion options, TensorId from);

  // Tensors of one class have one range.
  TensorId root_of(TensorId id) const {
    while (parent_[static_cast<std::size_t>(id)] != id) id = parent_[static_cast<std::size_t>(id)];
    return id;
  }
  const Int8Range& range_of(TensorId id) const { return ranges_.at(root_of(id)); }
  bool is_int8(TensorId id) const { return is_int8_[static_cast<std::size_t>(id)]; }
  bool observed(TensorId id) const { return !histograms_[static_cast<std::size_t>(id)].empty(); }
  const Node* only_reader(TensorId id) const {
    return links_.has_one_reader(id) ? &graph_.nodes[static_cast<std::size_t>(
                                           links_.readers[static_cast<std::size_t>(id)][0])]
                                     : nullptr;
  }

  Graph& graph_;
  std::vector<Histogram> histograms_;  // by tensor id, as all the tables
  Links links_;
  std::vector<Way> ways_;                            // by node
  std::vector<bool> is_int8_;                        // an integer node gives it
  std::vector<bool> wanted_;                         // somebody reads or gives it as int8
  std::vector<TensorId> parent_;                     // the classes, as trees
  std::map<TensorId, Int8Range> ranges_;             // by root
  std::map<TensorId, TensorId> int8_of_, float_of_;  // what stands for a tensor of before
  std::map<std::string, int> floats_;
};

Way Quantizer::way_of(const Node& node) const {
  if (graph_.tensor(node.output).type != DataType::kFloat32 || !observed(node.output))
    return Way::kFloat;
  if (has_integer_weights(graph_, node))
    return observed(node.inputs[0]) ? Way::kProduct : Way::kFloat;
  if (const int input = table_input(graph_, node);
      input >= 0 && is_int8(node.inputs[static_cast<std::size_t>(input)]))
    return Way::kTable;
  if (!std::all_of(node.inputs.begin(), node.inputs.end(),
                   [&](TensorId id) { return id != kAbsent && is_int8(id); }))
    return Way::kFloat;
  if (only_moves(node)) return Way::kMove;
  const bool is_sum = is_kind<format::BinaryT>(node) &&
                      node.as<format::BinaryT>().function == format::BinaryFunction::Add &&
                      graph_.tensor(node.inputs[0]).shape == graph_.tensor(node.inputs[1]).shape;
  return is_sum ? Way::kSum : Way::kFloat;
}

void Quantizer::plan() {
  is_int8_.assign(graph_.tensors.size(), false);
  wanted_.assign(graph_.tensors.size(), false);
  for (TensorId id = 0; id < static_cast<TensorId>(graph_.tensors.size()); ++id)
    parent_.push_back(id);
  for (const Node& node : graph_.nodes) {
    Way way = way_of(node);
    // A clamp of what one integer operator alone gives to it.
    if (way == Way::kTable && limits_of(node) && only_reader(node.inputs[0]) == &node) {
      const Way before = ways_[static_cast<std::size_t>(
          links_.producer[static_cast<std::size_t>(node.inputs[0])])];
      if (before == Way::kProduct || before == Way::kSum) way = Way::kClamp;
    }
    ways_.push_back(way);
    if (way == Way::kFloat) continue;
    is_int8_[static_cast<std::size_t>(node.output)] = true;
    wanted_[static_cast<std::size_t>(node.output)] = true;
    if (way == Way::kProduct) wanted_[static_cast<std::size_t>(node.inputs[0])] = true;
    if (way == Way::kClamp) wanted_[static_cast<std::size_t>(node.inputs[0])] = false;
    if (way == Way::kMove)
      for (const TensorId input : node.inputs)
        parent_[static_cast<std::size_t>(root_of(input))] = root_of(node.output);
  }
}

void Quantizer::choose_ranges() {
  std::map<TensorId, std::vector<TensorId>> classes;
  for (TensorId id = 0; id < static_cast<TensorId>(wanted_.size()); ++id)
    if (wanted_[static_cast<std::size_t>(id)]) classes[root_of(id)].push_back(id);
  for (const auto& [root, members] : classes) {
    std::vector<const Histogram*> histograms;
    for (const TensorId id : members)
      histograms.push_back(&histograms_[static_cast<std::size_t>(id)]);
    Function through;
    if (members.size() == 1)
      if (const Node* reader = only_reader(members[0]);
          reader != nullptr && table_input(graph_, *reader) >= 0)
        through = function_of(graph_, *reader);
    ranges_[root] = choose_range(histograms, through);
  }
}

TensorId Quantizer::as_int8(TensorId id) {
  if (const auto found = int8_of_.find(id); found != int8_of_.end()) return found->second;
  return int8_of_[id] = add_border(id, make_options(format::QuantizeT{}), as_float(id));
}

TensorId Quantizer::as_float(TensorId id) {
  if (id == kAbsent || !is_int8(id)) return id;
  if (const auto found = float_of_.find(id); found != float_of_.end()) return found->second;
  return float_of_[id] = add_border(id, make_options(format::DequantizeT{}), int8_of_.at(id));
}

// Quantize or Dequantize of tensor `id`, which is `from`.
TensorId Quantizer::add_border(TensorId id, format::OperatorOptionsUnion options, TensorId from) {
  const Int8Range& range = range_of(id);
  const std::string name = graph_.tensor(id).name;
  const TensorId scale = graph_.add_floats(name + " scale", make_shape({1}), {range.scale});
  const TensorId zero_point =
      graph_.add_integers(name + " zero point", make_shape({1}), {range.zero_point});
  return graph_.add_node(name, std::move(options), {from, scale, zero_point});
}

// Lowest and highest integer of an output.
std::vector<std::int32_t> Quantizer::clamp_of(TensorId output, const Limits& limits) {
  const Int8Range& range = range_of(output);
  const std::int32_t low = range.quantize(limits.low);
  return {low, std::max(low, range.quantize(limits.high))};
}

// Adds the integer node that does what `node` does and gives `output`.
void Quantizer::add_integer(const Node& node, Way way, TensorId output, const Limits& limits) {
  const Int8Range& y = range_of(output);
  const std::vector<std::int32_t> clamp = clamp_of(output, limits);
  format::OperatorOptionsUnion options = node.options;
  std::vector<TensorId> inputs;
  std::optional<Shape> declared;
  if (way == Way::kProduct) {
    const Int8Range& x = range_of(node.inputs[0]);
    const IntegerWeights operands = add_integer_weights(graph_, node, x, y);
    const TensorId range = graph_.add_integers(node.name + " range", make_shape({4}),
                                               {x.zero_point, y.zero_point, clamp[0], clamp[1]});
    inputs = {as_int8(node.inputs[0]), operands.weights, operands.channels, range};
    options = integer_options(node);
  } else if (way == Way::kSum) {
    const Int8Range& a = range_of(node.inputs[0]);
    const Int8Range& b = range_of(node.inputs[1]);
    inputs = {
        as_int8(node.inputs[0]), as_int8(node.inputs[1]),
        graph_.add_integers(node.name + " numbers", make_shape({8}), sum_numbers(a, b, y, clamp))};
    options = make_options(format::QuantizedAddT{});
  } else if (way == Way::kTable) {
    const TensorId input = node.inputs[static_cast<std::size_t>(table_input(graph_, node))];
    inputs = {as_int8(input),
              graph_.add_constant(node.name + " table", DataType::kInt8, make_shape({256}),
                                  table_of(function_of(graph_, node), range_of(input), y))};
    options = make_options(format::QuantizedUnaryT{});
  } else {
    for (const TensorId input : node.inputs) inputs.push_back(as_int8(input));
    if (is_kind<format::PadT>(node)) {
      auto& pad = *static_cast<format::PadT*>(options.value);
      pad.value = static_cast<float>(y.quantize(double{pad.value}));
    }
    declared = graph_.tensor(output).shape;
  }
  const TensorId added =
      graph_.add_node(node.name, std::move(options), std::move(inputs), declared);
  graph_.tensor(added).batch_axis = graph_.tensor(output).batch_axis;
  int8_of_[output] = added;
}

void Quantizer::rebuild() {
  std::vector<Node> nodes = std::move(graph_.nodes);
  graph_.nodes.clear();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Node& node = nodes[i];
    if (ways_[i] == Way::kFloat) {
      ++floats_[kind_name(node)];
      for (TensorId& input : node.inputs) input = as_float(input);
      graph_.nodes.push_back(std::move(node));
      continue;
    }
    if (ways_[i] == Way::kClamp) continue;  // with the one before
    TensorId output = node.output;
    Limits limits;
    if (const auto& readers = links_.readers[static_cast<std::size_t>(output)];
        readers.size() == 1 && ways_[static_cast<std::size_t>(readers[0])] == Way::kClamp) {
      const Node& clamp = nodes[static_cast<std::size_t>(readers[0])];
      limits = *limits_of(clamp);
      output = clamp.output;
    }
    add_integer(node, ways_[i], output, limits);
  }
  for (GraphPort& port : graph_.outputs) port.tensor = as_float(port.tensor);
}

}  // namespace

PassResult quantize_activations(Graph& graph, const Observer& observe_graph) {
  split_activations(graph);
  Quantizer quantizer(graph, observe_graph(graph));
  PassResult result;
  result.changes = quantizer.run();
  fuse_activation(graph);
  std::ostringstream sentence;
  sentence << "made " << counted(result.changes, "operator") << " compute in integers";
  const char* separator = "; in float32 stayed ";
  for (const auto& [kind, count] : quantizer.floats()) {
    sentence << separator << counted(count, kind);
    separator = ", ";
  }
  result.sentence = sentence.str();
  return result;
}

}  // namespace figment::converter
