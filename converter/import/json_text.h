// JSON in foreign files.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace figment::converter {

// Parses `text`, which `what` names in messages. Throws DamagedFile when it is no JSON, or is
// nested more deeply than any description of a model.
nlohmann::json parse_json(std::string_view text, const std::string& what);

}  // namespace figment::converter
