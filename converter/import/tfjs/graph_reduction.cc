// Sums, means and other numbers over axes in TensorFlow graphs.
#include <nlohmann/json.hpp>

#include "converter/import/tfjs/graph_node.h"

namespace figment::converter {
namespace {

using format::ArgReduceFunction;
using format::ReduceFunction;

// x, axes
template <ReduceFunction kFunction>
void reduce(GraphNode& node) {
  const TensorId x = node.input(0);
  const std::vector<std::int64_t> axes = node.integers(1, "axes");
  if (axes.empty()) return node.set_output(x);
  format::ReduceT options;
  options.function = kFunction;
  options.keep_axes = node.flag("keep_dims", false);
  for (const std::int64_t axis : axes)
    options.axes.push_back(node.checked_axis(axis, node.rank(x)));
  node.set_output(node.emit(std::move(options), {x}));
}

// x, axis
template <ArgReduceFunction kFunction>
void arg_reduce(GraphNode& node) {
  const TensorId x = node.input(0);
  format::ArgReduceT options;
  options.function = kFunction;
  options.axis = node.checked_axis(node.integer_input(1, "axis"), node.rank(x));
  node.set_output(node.emit(options, {x}));
}

void cumulative_sum(GraphNode& node) {
  const TensorId x = node.input(0);
  format::CumulativeSumT options;
  options.axis = node.checked_axis(node.integer_input(1, "axis"), node.rank(x));
  options.exclusive = node.flag("exclusive", false);
  options.reverse = node.flag("reverse", false);
  node.set_output(node.emit(options, {x}));
}

constexpr GraphOperator kRows[] = {
    {"ArgMax", arg_reduce<ArgReduceFunction::ArgMax>},
    {"ArgMin", arg_reduce<ArgReduceFunction::ArgMin>},
    {"Cumsum", cumulative_sum},
    {"Max", reduce<ReduceFunction::Max>},
    {"Mean", reduce<ReduceFunction::Mean>},
    {"Min", reduce<ReduceFunction::Min>},
    {"Prod", reduce<ReduceFunction::Prod>},
    {"Sum", reduce<ReduceFunction::Sum>},
};

}  // namespace

const std::span<const GraphOperator> kGraphReduction = kRows;

}  // namespace figment::converter
