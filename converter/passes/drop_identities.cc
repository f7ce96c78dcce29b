// Removes operators that change nothing.
#include <algorithm>

#include "converter/passes/edit.h"
#include "converter/passes/passes.h"
#include "converter/passes/permutation.h"

namespace figment::converter {
namespace {

bool all_zero(const std::vector<std::int32_t>& values) {
  return std::all_of(values.begin(), values.end(), [](std::int32_t value) { return value == 0; });
}

bool is_neutral_binary(const Graph& graph, const Node& node) {
  const std::optional<float> right = scalar_value(graph, node.inputs[1]);
  if (!right) return false;
  switch (node.as<format::BinaryT>().function) {
    case format::BinaryFunction::Add:
    case format::BinaryFunction::Sub:
      return *right == 0.0f;
    case format::BinaryFunction::Mul:
    case format::BinaryFunction::Div:
    case format::BinaryFunction::Pow:
      return *right == 1.0f;
    default:
      return false;
  }
}

bool keeps_every_element(const format::SliceT& slice) {
  return std::all_of(slice.steps.begin(), slice.steps.end(),
                     [](std::int32_t step) { return step == 1; });
}

bool scales_by_one(const format::ResizeT& resize) {
  const auto one = [](float scale) { return scale == 0.0f || scale == 1.0f; };
  return one(resize.scale_height) && one(resize.scale_width);
}

// Whether the node's output is its first input, number by number.
bool changes_nothing(const Graph& graph, const Node& node) {
  if (node.inputs.empty() || node.inputs[0] == kAbsent || node.activation) return false;
  const GraphTensor& input = graph.tensor(node.inputs[0]);
  const GraphTensor& output = graph.tensor(node.output);
  if (!(input.shape == output.shape) || input.type != output.type ||
      input.batch_axis != output.batch_axis)
    return false;
  switch (node.kind()) {
    case format::OperatorOptions::Reshape:
    case format::OperatorOptions::Tile:
    case format::OperatorOptions::Cast:
      return true;
    case format::OperatorOptions::Unary:
      return node.as<format::UnaryT>().function == format::UnaryFunction::Identity;
    case format::OperatorOptions::Transpose:
      return is_identity(node.as<format::TransposeT>().permutation);
    case format::OperatorOptions::Slice:
      return keeps_every_element(node.as<format::SliceT>());
    case format::OperatorOptions::Pad:
      return all_zero(node.as<format::PadT>().before) && all_zero(node.as<format::PadT>().after);
    case format::OperatorOptions::Concat:
      return node.inputs.size() == 1;
    case format::OperatorOptions::Resize:
      return scales_by_one(node.as<format::ResizeT>());
    case format::OperatorOptions::Binary:
      return is_neutral_binary(graph, node);
    default:
      return false;
  }
}

struct Counts {
  int dropped = 0, transposes = 0;
};

bool change_one(Graph& graph, Counts& counts) {
  const Links links = link(graph);
  for (std::size_t index = 0; index < graph.nodes.size(); ++index) {
    Node& node = graph.nodes[index];
    if (changes_nothing(graph, node) && may_bypass(graph, links, node)) {
      redirect(graph, node.output, node.inputs[0]);
      graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(index));
      ++counts.dropped;
      return true;
    }
    if (is_kind<format::TransposeT>(node) &&
        moves_nothing(node.as<format::TransposeT>().permutation,
                      symbolic_extents(graph.tensor(node.inputs[0])))) {
      node.options = make_options(format::ReshapeT{});
      ++counts.transposes;
      return true;
    }
    if (is_kind<format::ReshapeT>(node)) {
      // A Reshape of a Reshape reads what the first one read.
      if (const Node* first = written_by<format::ReshapeT>(graph, links, node.inputs[0])) {
        node.inputs[0] = first->inputs[0];
        if (links.has_one_reader(first->output)) {
          graph.nodes.erase(graph.nodes.begin() + links.producer[first->output]);
          ++counts.dropped;
        }
        return true;
      }
    }
  }
  return false;
}

}  // namespace

PassResult drop_identities(Graph& graph) {
  Counts counts;
  while (change_one(graph, counts)) {
  }
  sweep(graph);
  PassResult result;
  result.changes = counts.dropped + counts.transposes;
  result.sentence = "removed " + counted(counts.dropped, "operator") + " that changed nothing";
  if (counts.transposes > 0)
    result.sentence += " and made a Reshape of " + counted(counts.transposes, "Transpose") +
                       " that moved no number";
  return result;
}

}  // namespace figment::converter
