// Runs a graph node by node.
#include "tests/import/run_graph.h"

#include <cstring>
#include <stdexcept>

namespace figment::testing {

using converter::describe;
using converter::Graph;
using converter::GraphPort;
using converter::GraphTensor;
using converter::Node;

GraphRun run_graph(const Graph& graph, const std::vector<std::vector<float>>& inputs, int batch) {
  Graph running = graph;
  for (GraphTensor& tensor : running.tensors) {
    if (tensor.batch_axis < 0) continue;
    tensor.shape[tensor.batch_axis] *= batch;
    tensor.batch_axis = -1;
  }
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    GraphTensor& tensor = running.tensor(running.inputs.at(index).tensor);
    const std::vector<float>& values = inputs[index];
    if (values.size() != static_cast<std::size_t>(tensor.shape.elements()))
      throw std::runtime_error("input " + tensor.name + " wants " + describe(tensor.shape));
    tensor.data.emplace(values.size() * 4);
    for (std::size_t at = 0; at < values.size(); ++at) {
      const auto whole = static_cast<std::int32_t>(values[at]);
      std::memcpy(tensor.data->data() + at * 4,
                  tensor.type == DataType::kInt32 ? static_cast<const void*>(&whole) : &values[at],
                  4);
    }
  }
  for (const Node& node : running.nodes) {
    GraphTensor& output = running.tensor(node.output);
    const GraphTensor inferred = infer(running, node, 1);
    if (!(inferred.shape == output.shape) || inferred.type != output.type)
      throw std::runtime_error("node " + node.name + " gives " + describe(inferred.shape) +
                               ", not " + describe(output.shape));
    if (node.kind() == format::OperatorOptions::RandomNormal)
      throw std::runtime_error("noise has no constant value");
    output.data = evaluate(running, node, output);
  }
  GraphRun run;
  for (const GraphPort& port : running.outputs) {
    const GraphTensor& tensor = running.tensor(port.tensor);
    run.shapes.push_back(tensor.shape);
    std::vector<double>& values = run.values.emplace_back();
    for (std::int64_t at = 0; at < tensor.shape.elements(); ++at)
      values.push_back(tensor.type == DataType::kInt32 ? tensor.integers()[at]
                                                       : static_cast<double>(tensor.floats()[at]));
  }
  return run;
}

}  // namespace figment::testing
