// Runs a graph the way a user would: through emit, Model::open and a portable session. Values go in
// and come out in the source's order of axes, so that a graph gives the same before and after
// to_nhwc.
#pragma once

#include <vector>

#include "converter/graph/graph.h"

namespace figment::converter {

// All outputs, one after another, in the source's order of axes. Inputs are filled with numbers
// between -1 and 1 that depend on `seed`, in the source's order of axes too.
std::vector<float> run_graph(const Graph& graph, int batch = 1, int seed = 1);

// The largest difference between what the two graphs give, relative to the larger of 1 and the
// value; infinity where their outputs have different sizes. Tries batch 3 as well when `before`
// takes any batch.
double difference(const Graph& before, const Graph& after);

// How many nodes are of kind T.
template <typename T>
int count(const Graph& graph) {
  int found = 0;
  for (const Node& node : graph.nodes)
    if (node.kind() == format::OperatorOptionsUnionTraits<T>::enum_value) ++found;
  return found;
}

// Numbers between -1 and 1, the same for the same seed.
std::vector<float> some_floats(std::size_t count, int seed);

// An input whose first axis takes any batch, with its port.
TensorId add_batch_input(Graph& graph, const std::string& name,
                         const std::vector<std::int64_t>& shape);

// A constant of some_floats.
TensorId add_some(Graph& graph, const std::vector<std::int64_t>& shape, int seed);

// A constant of one number, without axes.
TensorId add_number(Graph& graph, float value);

void add_output(Graph& graph, TensorId id);

// Nodes in short.
TensorId transpose(Graph& graph, TensorId x, const std::vector<std::int32_t>& permutation);
TensorId to_last(Graph& graph, TensorId x);    // N,C,H,W -> N,H,W,C
TensorId from_last(Graph& graph, TensorId x);  // and back
TensorId reshape(Graph& graph, TensorId x, const std::vector<std::int64_t>& shape);
TensorId unary(Graph& graph, TensorId x, format::UnaryFunction function, float alpha = 0,
               float beta = 0);
TensorId binary(Graph& graph, TensorId a, TensorId b, format::BinaryFunction function);
TensorId dense(Graph& graph, TensorId x, int outputs, int seed);
// 3x3, padded so that the size stays, on N,H,W,C.
TensorId convolution(Graph& graph, TensorId x, int outputs, int seed);
// 2x2 of stride 2 on N,H,W,C.
TensorId transposed_convolution(Graph& graph, TensorId x, int outputs, int groups, int seed);
TensorId batch_normalization(Graph& graph, TensorId x, int seed);

}  // namespace figment::converter
