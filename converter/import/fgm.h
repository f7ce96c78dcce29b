// Reads .fgm files back, so that what has learned can be converted once more: its batch
// normalizations folded, its weights quantized.
#pragma once

#include <filesystem>

#include "converter/emit/flatbuffer.h"

namespace figment::converter {

// True when the file carries the mark of an .fgm.
bool looks_like_fgm(const std::filesystem::path& path);

struct ImportedModel {
  Graph graph;
  // What the file says of itself; of the golden the seed alone counts.
  ModelFacts facts;
};

// Weights become float32, activations operators of their own, and what was tuned is forgotten, so
// that every pass finds what it looks for. Throws ConvertError.
ImportedModel import_fgm(const std::filesystem::path& path);

}  // namespace figment::converter
