// The JSON file that says how a model's symbols become text: what `convert --text` reads.
#pragma once

#include <string>

#include "converter/text.h"

namespace figment::host {

// Reads an object with `vocabulary` (a list of strings) and `length` (most symbols in a text), and
// where the model has them `start` and `end` (indices into the vocabulary), `symbol` (the input
// that takes the symbol before) and `states` ({input: output}). Throws VerbError: kInputOutput when
// the file cannot be read, kBadFile with a sentence when it says something else.
converter::TextDescription read_text_file(const std::string& path);

}  // namespace figment::host
