// Writes a model's file anew with the ways in which its operators run fastest on one machine, and
// with their weights packed for it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "figment/figment.h"

namespace figment::converter {

struct TunedOperator {
  std::string lowering;                            // empty: the runtime chooses
  std::vector<std::span<const std::byte>> blocks;  // as PackedRecorder has told of them
};

// One TunedOperator for each of the model's. Where `fingerprint` is empty, the ways alone. Throws
// ConvertError when the file would pass 2 GB.
std::vector<std::byte> emit_tuned(const Model& model, const std::vector<TunedOperator>& operators,
                                  const std::string& fingerprint);

}  // namespace figment::converter
