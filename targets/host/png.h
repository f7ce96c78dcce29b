// PNG pictures, through libpng.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "targets/host/picture.h"

namespace figment::host {

// Any PNG as 8 bits a channel: grey files become one channel, all others three; transparency lies
// on black. `name` is for errors: throws VerbError (ExitCode::kBadFile).
Picture read_png(std::span<const std::byte> bytes, const std::string& name);

// The same bytes for the same picture.
std::vector<std::byte> write_png(const Picture& picture);

}  // namespace figment::host
