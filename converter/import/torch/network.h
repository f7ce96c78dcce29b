// A network's description (JSON, see README.md here) joined with weights.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "converter/import/import.h"
#include "converter/import/torch/weights.h"

namespace figment::converter {

struct NetworkText {
  const char* name;  // "dcgan"
  const char* text;
};

// Those that the program holds: networks/*.json, put into it when it is built.
std::span<const NetworkText> shipped_networks();

// The text of `network`: a shipped name or a file's path. Throws ConvertError.
std::string read_network(const std::filesystem::path& network);

// Which dictionary of a checkpoint a description asks for; empty: it does not say.
std::string network_key(const std::string& text, const std::string& name);

// True when the network may be chosen by its weights alone.
bool chosen_by_weights(const std::string& text);

// The graph of the network `text`, called `name` in messages. Throws ConvertError.
Graph import_network(const std::string& text, const std::string& name,
                     const TorchStorages& storages, const TorchNames& names,
                     const ImportOptions& options);

}  // namespace figment::converter
