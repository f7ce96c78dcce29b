// Models that give text, made by hand: what they say is known without running them.
#pragma once

#include <functional>
#include <vector>

#include "converter/emit/flatbuffer.h"

namespace figment::testing {

// A change to the graph and to how its first output is read, before the file is written.
using TextChange = std::function<void(converter::Graph&, format::TextT&)>;

// The step of a text over the symbols "" (0, start and end), "a", "b", "é" and "dd", at most 6
// long. Inputs: latent [N,5], previous int32 [N], count [N,1] (a state). Outputs: logits [N,5],
// next_count [N,1] = count + 1. The likeliest after the start is a, after a b, after b é, after é
// dd, after dd a again; each step adds count to the end's logit, which is the likeliest when count
// reaches 4. The latent is added to the logits.
std::vector<std::byte> step_model(const TextChange& change = {});

// A text of up to 4 of the symbols "x", "y" and "z", all in one run; y ends it. The input `logits`
// [N,4,3] is the output.
std::vector<std::byte> whole_model(const TextChange& change = {});

}  // namespace figment::testing
