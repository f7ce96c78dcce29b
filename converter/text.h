// Text: how the symbols that a model gives become words, as its training wrote it down.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "converter/graph/graph.h"

namespace figment::converter {

// Table Text of the format with the source's names instead of indices.
struct TextDescription {
  std::vector<std::string> vocabulary;  // UTF-8
  int start = -1, end = -1;
  int length = 0;
  std::string symbol;  // an input; empty: all symbols in one run
  std::vector<std::pair<std::string, std::string>> states;  // input, output
};

// The description with indices of the graph's inputs and outputs. Throws ConvertError for a name
// that the graph does not have; all else is the runtime's to check, when the file is opened.
format::TextT resolve_text(const Graph& graph, const TextDescription& description);

}  // namespace figment::converter
