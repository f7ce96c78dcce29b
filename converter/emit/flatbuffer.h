// Writes a Graph as the bytes of an .fgm file.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "converter/graph/graph.h"

namespace figment::converter {

// What the file says besides the graph.
struct ModelFacts {
  format::ModelKind kind = format::ModelKind::Other;
  std::optional<format::PriorT> prior;
  format::OutputReadingUnion output_reading;
  std::optional<format::GoldenT> golden;
  std::string source_name;
  std::vector<std::uint8_t> source_hash;  // 32 bytes of SHA-256, or empty
  std::string licence;
  // Constants with equal values are stored apart: the file's tensors shall learn.
  bool parts_constants = false;
};

// Weights are aligned to 64 bytes, the content hash is filled in. The vector's own memory need not
// be aligned.
std::vector<std::byte> emit(const Graph& graph, const ModelFacts& facts);

}  // namespace figment::converter
