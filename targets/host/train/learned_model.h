// What a trainer has learned, as a delta and as pictures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "figment/train.h"

namespace figment::host {

// Throws VerbError (kBadArgument), which names the tensor, when a number that has been learned is
// NaN or infinite: such a state is no use to anyone.
void require_finite(const Trainer& trainer, std::int64_t steps);

// The delta's bytes. `examples_seen`: what a merge may weigh it by.
std::vector<std::byte> delta_of(const Trainer& trainer, std::int64_t examples_seen);

// Writes a grid of what `model` draws with what has been learned so far, always from the same
// latents. Throws VerbError when it draws no pictures.
void write_samples(const std::string& path, const Model& model, const Trainer& trainer,
                   Backend backend);

}  // namespace figment::host
