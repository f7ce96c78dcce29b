// The walk over a Flux model: layers become the runtime's operators.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "converter/import/flux/julia_value.h"
#include "converter/import/import.h"

namespace figment::converter {

class FluxLayer;

// A layer and where the user finds it: the saved name, then names and Julia's indices, "decoder.2".
struct FluxPart {
  const JuliaValue* value = nullptr;
  std::string place;
};

// The layers in a tuple, a vector or a NamedTuple, which stands at `place`.
std::vector<FluxPart> flux_parts(const JuliaValue& layers, const std::string& place);

class FluxImporter {
 public:
  // `file` and `options` must outlive the importer.
  FluxImporter(const JuliaFile& file, const ImportOptions& options);

  Graph import();

  // ---- for layers ----

  Graph& graph() { return graph_; }
  // What the layer or function (or a function's type) makes of x.
  TensorId apply(const JuliaValue& layer, const std::string& place, TensorId x);
  // Counts an array that becomes a constant; a file's constants are no larger than a few times it.
  void spend(const JuliaValue& numbers, const std::string& what);

 private:
  TensorId apply_here(const JuliaValue& layer, const std::string& place, TensorId x);
  TensorId apply_closure(FluxLayer& layer, TensorId x);
  std::string suggest_shape(std::int64_t sample) const;
  TensorId add_input(const std::vector<FluxPart>& layers);
  // Adds a graph's output; every one is a tensor of its own.
  void add_output(const std::string& name, TensorId id);
  void check_shapes_used() const;

  const JuliaFile& file_;
  const ImportOptions& options_;
  Graph graph_;
  std::vector<std::string> shaped_;   // the places whose --shape was of use
  const JuliaValue* next_ = nullptr;  // the layer after the one that is applied
  std::uint64_t constant_bytes_ = 0;
  int depth_ = 0;
  int applied_ = 0;
};

// x with Julia's extents (W, H, C) for each sample. Refuses another number of elements.
TensorId reshape_flux(FluxLayer& layer, TensorId x, const std::vector<std::int64_t>& extents);

}  // namespace figment::converter
