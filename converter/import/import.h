// The importers' common door: a trained file of any supported format becomes a Graph.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "converter/convert.h"
#include "converter/graph/graph.h"

namespace figment::converter {

struct ImportOptions {
  // The extent given to the batch dimension where the source leaves it open.
  int batch = 1;
  NoiseHandling noise = NoiseHandling::kOperator;
  // Input name -> all its extents, in the source's order: fixes dimensions that the source leaves
  // open.
  std::map<std::string, std::vector<std::int64_t>> input_shapes;
  // Nodes in training mode are taken as they would be in inference: batch normalizations with the
  // stored statistics, dropout as nothing. Otherwise they are refused.
  bool for_training = false;
  // The part of the model between two layers, by the source's names: what `from` computes (or, of
  // an input layer, is) becomes the input, what `to` computes the output. Empty: all of it. Formats
  // without named layers refuse them.
  std::string from, to;
  // Layer -> the shape of one sample behind it, in Julia's order (W, H, C): for Flux.jl's functions
  // without a name, whose code their files do not hold. "input": what the model takes.
  std::map<std::string, std::vector<std::int64_t>> layer_shapes;
  // A description of the network in JSON, for files that hold weights alone; empty: none.
  std::filesystem::path network;
};

// Imports `path` at options.batch. The format is told by the content. Throws ConvertError.
Graph import_file(const std::filesystem::path& path, const ImportOptions& options);

// Imports `path` so that every tensor knows its batch axis.
//
// Where the source leaves the batch open, the file is imported at batch 1 and at batch 3, and a
// tensor's batch axis is the one in which the two differ. Where the source says 1, the batch axis
// of its inputs is followed through the graph, as if the model were run several times. Where
// neither holds (an operator mixes the samples, or has a batch written into it), any_batch is
// false. Throws ConvertError.
//
// What following cannot tell (which of several axes of extent 1 is the batch's) shows when the file
// is imported with its inputs' 1 made a 3; that counts where every operator keeps the samples
// apart.
Graph import_with_batch(const std::filesystem::path& path, const ImportOptions& options);

// Gives every tensor its batch axis, starting from the inputs whose axis 0 has the extent 1; false,
// and the graph as it was, when some operator would not keep the samples apart.
bool follow_batch(Graph& graph);

}  // namespace figment::converter
