// Models of a few weights that `figment train` teaches within milliseconds.
#pragma once

#include <string>
#include <vector>

namespace figment::testing {

// z [N,2] -> Dense, sigmoid -> picture [N,16], 4x4 grey from 0 to 1; the prior is normal.
std::vector<std::byte> small_decoder();
// picture [N,16] -> Dense -> [N,4]: two means and two logarithms of the variance.
std::vector<std::byte> small_encoder();
// x [N,4] -> Dense -> logits [N,3].
std::vector<std::byte> small_classifier();
// symbols int32 [N,4] -> embedding, Dense -> logits [N,4,4] over "", "a", "b" and "c", where ""
// starts and ends a text.
std::vector<std::byte> small_text_model();

}  // namespace figment::testing
