// The names of Python that a pickle of PyTorch may use, and what stands for their results.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "converter/import/pickle.h"

namespace figment::converter {

bool is_known_global(const std::string& module, const std::string& name);

// Throws ConvertError: one sentence with what to do.
[[noreturn]] void refuse_global(const std::string& file, const std::string& module,
                                const std::string& name);

// What a known global ("module name") makes of its arguments; a new object's contents go to `made`
// (the value then has no object yet). Nothing: the arguments do not fit.
std::optional<PickleValue> call_global(const std::string& global,
                                       const std::vector<PickleValue>& arguments,
                                       PickleObject& made);

// ('storage', type, key, device, count[, view]); false: it is something else.
bool read_storage(const std::vector<PickleValue>& id, PickleObject& storage);

}  // namespace figment::converter
