// Runs a graph node by node, by the runtime's portable definitions: what a graph means before any
// pass or file.
#pragma once

#include <vector>

#include "converter/graph/graph.h"

namespace figment::testing {

struct GraphRun {
  std::vector<Shape> shapes;  // of the outputs, in order
  std::vector<std::vector<double>> values;
};

// `inputs` in the order of the graph's ports; integers are given as whole numbers. At `batch` every
// batch axis is that many times as long.
GraphRun run_graph(const converter::Graph& graph, const std::vector<std::vector<float>>& inputs,
                   int batch = 1);

}  // namespace figment::testing
