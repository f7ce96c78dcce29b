// The model and the arena that a firmware was built with.
#pragma once

#include <cstddef>
#include <span>

namespace figment::board {

std::span<const std::byte> model_bytes();  // in flash
std::span<std::byte> arena();              // in RAM, as large as figment show says

}  // namespace figment::board
