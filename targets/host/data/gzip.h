// Files compressed by gzip, as data sets are often handed around.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "targets/host/model_file.h"

namespace figment::host {

bool is_gzip(std::span<const std::byte> bytes);

// Unpacks into a temporary file without a name, which the system takes back in any case, so that
// what is large stays out of memory. Throws VerbError: kBadFile for damage, kInputOutput where the
// temporary folder (TMPDIR) has no room.
std::unique_ptr<MappedFile> unpack_gzip(std::span<const std::byte> bytes, const std::string& name);

}  // namespace figment::host
