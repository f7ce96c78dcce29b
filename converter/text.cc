// Finds the inputs and outputs that a text is made with.
#include "converter/text.h"

namespace figment::converter {
namespace {

int find_port(const std::vector<GraphPort>& ports, const std::string& name, const char* what) {
  std::string names;
  for (std::size_t index = 0; index < ports.size(); ++index) {
    if (ports[index].name == name) return static_cast<int>(index);
    names += (names.empty() ? "" : ", ") + ports[index].name;
  }
  throw ConvertError(std::string("the text names ") + what + " '" + name +
                     "', but the model has: " + names);
}

}  // namespace

format::TextT resolve_text(const Graph& graph, const TextDescription& description) {
  format::TextT text;
  text.vocabulary = description.vocabulary;
  text.start = description.start;
  text.end = description.end;
  text.length = description.length;
  if (!description.symbol.empty())
    text.symbol_input = find_port(graph.inputs, description.symbol, "the input");
  for (const auto& [input, output] : description.states) {
    auto state = std::make_unique<format::TextStateT>();
    state->input = find_port(graph.inputs, input, "the input");
    state->output = find_port(graph.outputs, output, "the output");
    text.states.push_back(std::move(state));
  }
  return text;
}

}  // namespace figment::converter
