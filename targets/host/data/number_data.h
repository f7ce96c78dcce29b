// Examples from an array of numbers in a mapped file: the first axis counts them.
#pragma once

#include <memory>
#include <string>

#include "targets/host/data/data_set.h"
#include "targets/host/model_file.h"
#include "targets/host/npy.h"

namespace figment::host {

// An example's axes are the source's, as `figment run` reads them, or the runtime's (N,H,W,C), or
// one axis of all numbers; axes of extent 1 may be there or not. Throws VerbError.
std::unique_ptr<DataSet> open_numbers(std::unique_ptr<MappedFile> file, const ArrayLayout& layout,
                                      const ExampleForm& form, const std::string& name);

}  // namespace figment::host
