// Examples from a folder of PNG pictures.
#pragma once

#include <memory>
#include <string>

#include "targets/host/data/data_set.h"

namespace figment::host {

// Every file of the folder that ends in .png, in the order of their names; hidden ones are left
// out. Sizes and channels are compared at once, from the files' first bytes; pixels are read when
// they are asked for. Throws VerbError.
std::unique_ptr<DataSet> open_png_folder(const std::string& path, const ExampleForm& form);

}  // namespace figment::host
