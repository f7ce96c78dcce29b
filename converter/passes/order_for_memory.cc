// Puts the nodes in the order that needs least memory at once. The source's order is compared with
// a greedy one: of the nodes that could run, the one after which least is alive. The better stays.
#include <algorithm>
#include <numeric>

#include "converter/passes/edit.h"
#include "converter/passes/passes.h"
#include "runtime/ops/operator.h"

namespace figment::converter {
namespace {

std::int64_t tensor_bytes(const GraphTensor& tensor) {
  const bool is_wide = tensor.type == DataType::kFloat32 || tensor.type == DataType::kInt32;
  return tensor.shape.elements() * (is_wide ? 4 : tensor.type == DataType::kFloat16 ? 2 : 1);
}

// Which tensors share memory, and how many readers each memory has left, as nodes run in some
// order.
class Memory {
 public:
  Memory(const Graph& graph, const Links& links) : graph_(graph), roots_(graph.tensors.size()) {
    std::iota(roots_.begin(), roots_.end(), 0);
    for (const Node& node : graph.nodes) {
      const ops::OperatorRoom* room = ops::kOperators[static_cast<int>(node.kind())].room;
      if (room != nullptr && room->memory == ops::Memory::kAlias && node.inputs[0] != kAbsent)
        roots_[node.output] = roots_[node.inputs[0]];
    }
    waiting_.assign(graph.tensors.size(), 0);
    kept_.assign(graph.tensors.size(), false);
    for (std::size_t id = 0; id < graph.tensors.size(); ++id) {
      waiting_[roots_[id]] += static_cast<int>(links.readers[id].size());
      if (links.is_output[id]) kept_[roots_[id]] = true;
    }
    // Inputs keep their values over a run.
    for (const GraphPort& port : graph.inputs) {
      kept_[port.tensor] = true;
      live_ += tensor_bytes(graph.tensor(port.tensor));
    }
  }

  // The bytes alive while `node` runs, and how many stay alive after it.
  struct Cost {
    std::int64_t during, after;
  };
  Cost cost(const Node& node) const {
    const TensorId output = roots_[node.output];
    const bool is_new = output == node.output;
    Cost result{live_, live_};
    if (is_new) result.during = result.after = live_ + tensor_bytes(graph_.tensor(output));
    std::int64_t freed = 0;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const TensorId root = freed_by(node, i);
      if (root == kAbsent || root == output) continue;
      freed += tensor_bytes(graph_.tensor(root));
      // The output may lie on the first input when nobody needs that any more.
      const ops::OperatorRoom* room = ops::kOperators[static_cast<int>(node.kind())].room;
      if (i == 0 && is_new && room != nullptr && room->memory == ops::Memory::kInPlace &&
          tensor_bytes(graph_.tensor(root)) == tensor_bytes(graph_.tensor(output)))
        result.during = live_;
    }
    result.after -= freed;
    return result;
  }

  void run(const Node& node) {
    live_ = cost(node).after;
    for (const TensorId input : node.inputs)
      if (input != kAbsent) --waiting_[roots_[input]];
  }

 private:
  // The memory that nobody needs once `node` has read its input `index`; each is named once.
  TensorId freed_by(const Node& node, std::size_t index) const {
    if (node.inputs[index] == kAbsent || graph_.tensor(node.inputs[index]).constant())
      return kAbsent;
    const TensorId root = roots_[node.inputs[index]];
    int reads = 0;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == kAbsent || roots_[node.inputs[i]] != root) continue;
      if (i < index) return kAbsent;
      ++reads;
    }
    return !kept_[root] && waiting_[root] == reads ? root : kAbsent;
  }

  const Graph& graph_;
  std::vector<TensorId> roots_;  // the tensor whose memory it is
  std::vector<int> waiting_;     // reads to come, by root
  std::vector<bool> kept_;       // alive to the end
  std::int64_t live_ = 0;
};

using Order = std::vector<int>;

std::int64_t peak_of(const Graph& graph, const Links& links, const Order& order) {
  Memory memory(graph, links);
  std::int64_t peak = 0;
  for (const int index : order) {
    peak = std::max(peak, memory.cost(graph.nodes[index]).during);
    memory.run(graph.nodes[index]);
  }
  return peak;
}

Order greedy_order(const Graph& graph, const Links& links) {
  Memory memory(graph, links);
  std::vector<int> missing(graph.nodes.size(), 0);  // inputs not computed yet
  std::vector<int> ready;
  for (int index = 0; index < static_cast<int>(graph.nodes.size()); ++index) {
    for (const TensorId input : graph.nodes[index].inputs)
      if (input != kAbsent && links.producer[input] >= 0) ++missing[index];
    if (missing[index] == 0) ready.push_back(index);
  }
  Order order;
  while (!ready.empty()) {
    const auto best = std::min_element(ready.begin(), ready.end(), [&](int left, int right) {
      const std::int64_t left_bytes = memory.cost(graph.nodes[left]).after;
      const std::int64_t right_bytes = memory.cost(graph.nodes[right]).after;
      return left_bytes != right_bytes ? left_bytes < right_bytes : left < right;
    });
    const int index = *best;
    ready.erase(best);
    order.push_back(index);
    memory.run(graph.nodes[index]);
    for (const int reader : links.readers[graph.nodes[index].output])
      if (--missing[reader] == 0) ready.push_back(reader);
  }
  return order;
}

}  // namespace

PassResult order_for_memory(Graph& graph) {
  const Links links = link(graph);
  Order source(graph.nodes.size());
  std::iota(source.begin(), source.end(), 0);
  const Order greedy = greedy_order(graph, links);
  const std::int64_t before = peak_of(graph, links, source);
  const std::int64_t after = peak_of(graph, links, greedy);
  PassResult result;
  if (after >= before) {
    result.sentence =
        "kept the order; at most " + std::to_string(before) + " bytes are alive at once";
    return result;
  }
  std::vector<Node> nodes;
  for (const int index : greedy) nodes.push_back(std::move(graph.nodes[index]));
  graph.nodes = std::move(nodes);
  for (std::size_t place = 0; place < greedy.size(); ++place)
    if (greedy[place] != static_cast<int>(place)) ++result.changes;
  result.sentence = "moved " + counted(result.changes, "operator") + "; at most " +
                    std::to_string(after) + " bytes are alive at once instead of " +
                    std::to_string(before);
  return result;
}

}  // namespace figment::converter
