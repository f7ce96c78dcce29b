// JSON in foreign files.
#include "converter/import/json_text.h"

#include <nlohmann/json.hpp>

#include "converter/graph/graph.h"

namespace figment::converter {

nlohmann::json parse_json(std::string_view text, const std::string& what) {
  constexpr int kMostDepth = 200;
  // Parsing itself needs no stack; walks over the result do.
  const auto check_depth = [&](int depth, nlohmann::json::parse_event_t /*event*/,
                               const nlohmann::json& /*parsed*/) {
    if (depth > kMostDepth) throw DamagedFile(what + " is nested too deeply; the file is damaged");
    return true;
  };
  nlohmann::json result = nlohmann::json::parse(text, check_depth, false);
  if (result.is_discarded())
    throw DamagedFile(what + " is no JSON; the file is cut off or damaged: copy it again");
  return result;
}

}  // namespace figment::converter
