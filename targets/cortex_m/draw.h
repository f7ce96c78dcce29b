// Draws from the model onto the console: draw_picture.cc or draw_text.cc, whichever the model
// gives.
#pragma once

#include "figment/figment.h"

namespace figment::board {

// Sample `number` of the run that begins with `seed`, the same as the command line's `sample`
// draws.
Status draw(const Model& model, Session& session, std::uint64_t seed, std::uint64_t number);

// Fills what sample `number` is drawn from: every input of float32. A text's own states are among
// them, which are zeroed when it is drawn.
void fill_latents(const Model& model, Session& session, std::uint64_t seed, std::uint64_t number);

}  // namespace figment::board
