// What the file says about itself, checked in the browser.
#pragma once

#include <cstddef>
#include <span>

#include "figment/figment.h"

namespace figment::web {

// Ok when the file is as it was converted, by its content hash, and its golden's digest comes out
// here bit for bit. The session for that is laid out in `arena`.
Status check_golden(const Model& model, std::span<std::byte> arena);

}  // namespace figment::web
