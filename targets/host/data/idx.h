// IDX files, the format of MNIST: one array of numbers each.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "targets/host/npy.h"

namespace figment::host {

// Whether the bytes begin as an IDX file.
bool is_idx(std::span<const std::byte> bytes);

// Where the array lies in the file. Throws VerbError (kBadFile) for what is cut short or too long.
ArrayLayout find_idx(std::span<const std::byte> bytes, const std::string& name);

}  // namespace figment::host
