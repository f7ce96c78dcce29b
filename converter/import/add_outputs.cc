// What every importer does at the end: names the graph's outputs.
#include "converter/import/add_outputs.h"

#include <set>

namespace figment::converter {

void add_outputs(Graph& graph, const std::vector<std::pair<std::string, TensorId>>& outputs) {
  std::set<TensorId> taken;
  std::set<std::string> names;
  for (const GraphPort& port : graph.inputs) taken.insert(port.tensor);
  for (const auto& [wanted, tensor] : outputs) {
    std::string name = wanted;
    for (int number = 1; !names.insert(name).second; ++number)
      name = wanted + "_" + std::to_string(number);
    TensorId id = tensor;
    if (graph.tensor(id).constant())
      throw ConvertError("the output '" + name +
                         "' does not depend on any input; leave it out of the model");
    if (!taken.insert(id).second) {
      // The larger of a number and itself, for integers too.
      format::BinaryT options;
      options.function = format::BinaryFunction::Max;
      id = graph.add_node(name, make_options(options), {id, id});
    }
    graph.outputs.push_back({name, id, {}});
  }
  sweep(graph);
}

}  // namespace figment::converter
