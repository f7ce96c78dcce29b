// What of a file's values is a model, and which of its layers the user wants.
#pragma once

#include <string>
#include <vector>

#include "converter/import/flux/flux_importer.h"

namespace figment::converter {

struct FluxModel {
  // One after another, chains within chains written out.
  std::vector<FluxPart> layers;
  // Where the last layer's result goes to several: an encoder's mean and logarithm of the
  // deviation. Empty: it is the output itself.
  std::vector<FluxPart> heads;
};

// Chooses by --from and --to. Throws ConvertError with what there is to choose from.
FluxModel choose_flux_model(const JuliaFile& file, const std::string& from, const std::string& to);

}  // namespace figment::converter
