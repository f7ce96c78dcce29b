// Reads models of Flux.jl, in files of BSON.jl and of JLD2.
#pragma once

#include <filesystem>

#include "converter/import/import.h"

namespace figment::converter {

// A BSON document whose length is the file's, or a file that starts with JLD2's text.
bool looks_like_bson(const std::filesystem::path& path);
bool looks_like_jld2(const std::filesystem::path& path);

// `options.from` names a model or layer as the file has it: "decoder", "model.2" (Julia counts from
// 1). Functions without a name have no code in the file: options.layer_shapes says what shape they
// give. Throws ConvertError.
Graph import_flux_bson(const std::filesystem::path& path, const ImportOptions& options);
Graph import_flux_jld2(const std::filesystem::path& path, const ImportOptions& options);

}  // namespace figment::converter
