// Makes a zero Pad part of the convolution or average pool after it.
#include <algorithm>

#include "converter/passes/edit.h"
#include "converter/passes/passes.h"

namespace figment::converter {
namespace {

// Pads with zeros, outwards, along height and width alone.
bool is_spatial_zero_pad(const format::PadT& pad) {
  if (pad.mode != format::PadMode::Constant || pad.value != 0.0f) return false;
  if (pad.before.size() != 4 || pad.after.size() != 4) return false;
  for (const int axis : {0, 3})
    if (pad.before[axis] != 0 || pad.after[axis] != 0) return false;
  for (const int axis : {1, 2})
    if (pad.before[axis] < 0 || pad.after[axis] < 0) return false;
  return true;
}

template <typename T>
void add_padding(T& options, const format::PadT& pad) {
  options.pad_top += pad.before[1];
  options.pad_bottom += pad.after[1];
  options.pad_left += pad.before[2];
  options.pad_right += pad.after[2];
}

bool pads_nothing(const format::Pool2DT& pool) {
  return pool.pad_top == 0 && pool.pad_bottom == 0 && pool.pad_left == 0 && pool.pad_right == 0;
}

// Puts the padding into `node`'s options when that means the same.
bool take_padding(Node& node, const format::PadT& pad) {
  if (is_kind<format::Conv2DT>(node)) {
    add_padding(node.as<format::Conv2DT>(), pad);
    return true;
  }
  if (!is_kind<format::Pool2DT>(node)) return false;
  format::Pool2DT& pool = node.as<format::Pool2DT>();
  // A maximum over zeros is not one over nothing; with ceil_mode the last windows would differ.
  if (pool.function != format::PoolFunction::Average || pool.ceil_mode) return false;
  if (!pool.count_include_pad && !pads_nothing(pool)) return false;
  add_padding(pool, pad);
  pool.count_include_pad = true;  // the zeros were counted
  return true;
}

// Whether the runtime accepts the node and gives the output that is declared.
bool holds(const Graph& graph, const Node& node) {
  try {
    return infer(graph, node, 1).shape == graph.tensor(node.output).shape;
  } catch (const ConvertError&) {
    return false;
  }
}

bool fold_one(Graph& graph) {
  const Links links = link(graph);
  for (Node& node : graph.nodes) {
    if (node.inputs.empty()) continue;
    const Node* pad = written_by<format::PadT>(graph, links, node.inputs[0]);
    if (pad == nullptr || !is_spatial_zero_pad(pad->as<format::PadT>())) continue;
    Node folded = node;
    folded.inputs[0] = pad->inputs[0];
    if (!take_padding(folded, pad->as<format::PadT>()) || !holds(graph, folded)) continue;
    node = std::move(folded);
    return true;
  }
  return false;
}

}  // namespace

PassResult fold_pad(Graph& graph) {
  PassResult result;
  while (fold_one(graph)) ++result.changes;
  sweep(graph);
  result.sentence =
      "made " + counted(result.changes, "Pad") + " part of the convolution or pool after";
  return result;
}

}  // namespace figment::converter
