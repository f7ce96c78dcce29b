// The formats of trained files: how each is told by its content, and who reads it.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "converter/import/import.h"

namespace figment::converter {

struct SourceFormat {
  const char* name;  // "ONNX"
  // True when the file's content is of this format, whole or not. Never throws.
  bool (*looks_like)(const std::filesystem::path& path);
  // The model as a graph of the runtime's operators, at options.batch, with no batch axes yet.
  // Inputs and outputs keep the source's names, order and axis order. Throws ConvertError with one
  // sentence that names the node, the operator and what to do.
  Graph (*import)(const std::filesystem::path& path, const ImportOptions& options);
};

// Those that this build reads, asked in this order.
std::span<const SourceFormat> source_formats();

// For messages, of a file that is none of them: what its first bytes are ("a ZIP archive", "text",
// "a picture (PNG)").
std::string describe_content(const std::filesystem::path& path);

}  // namespace figment::converter
