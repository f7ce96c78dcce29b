// Examples from lines of text, written in a model's vocabulary.
#pragma once

#include <memory>
#include <string>

#include "targets/host/data/data_set.h"
#include "targets/host/model_file.h"

namespace figment::host {

// Each line that is not empty is an example. The longest symbol that fits comes next. Throws
// VerbError (kBadArgument), which names the line, when one cannot be written in the vocabulary of
// form.text or is too long.
std::unique_ptr<DataSet> open_text_lines(std::unique_ptr<MappedFile> file, const ExampleForm& form,
                                         TextRole role, const std::string& name);

}  // namespace figment::host
