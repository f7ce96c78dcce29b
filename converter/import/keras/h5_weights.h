// The weights of layers in HDF5 files: in .h5 files they are listed layer by layer, in the
// model.weights.h5 of a .keras archive each object of the program has a group.
#pragma once

#include <memory>

#include "converter/import/hdf5_file.h"
#include "converter/import/layers/layer_weights.h"

namespace figment::converter {

// A .h5 file's; `group` holds one group a layer ("/model_weights"). `file` must outlive it.
std::unique_ptr<LayerWeights> listed_weights(const Hdf5File& file, const std::string& group);
// A .keras archive's.
std::unique_ptr<LayerWeights> weights_by_object(const Hdf5File& file);

}  // namespace figment::converter
