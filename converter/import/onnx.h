// Reads ONNX files, opsets 7 to 21.
#pragma once

#include <filesystem>

#include "converter/import/import.h"

namespace figment::converter {

// True when the file's first bytes are those of an ONNX model, whole or not.
bool looks_like_onnx(const std::filesystem::path& path);

// The model as a graph of the runtime's operators, at options.batch, with no batch axes yet. Inputs
// and outputs keep the source's names, order and axis order. Throws ConvertError with one sentence
// that names the node, the operator and what to do.
Graph import_onnx(const std::filesystem::path& path, const ImportOptions& options);

}  // namespace figment::converter
