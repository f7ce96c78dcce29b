// JSON in foreign files.
#include "converter/import/json_text.h"

#include <nlohmann/json.hpp>

#include "converter/graph/graph.h"

namespace figment::converter {
namespace {

using Json = nlohmann::json;
using Event = Json::parse_event_t;

// Heap memory that an event stands for, malloc's own included; at most what glibc's takes.
std::size_t bytes_of(Event event, const Json& parsed) {
  constexpr std::size_t kMember = 96, kText = 48, kContainer = 64;
  constexpr std::size_t kElement = 3 * sizeof(Json);  // a list that grows: the old one and the new
  switch (event) {
    case Event::key:
      return kMember + parsed.get_ref<const std::string&>().size();
    case Event::value:
      return kElement +
             (parsed.is_string() ? kText + parsed.get_ref<const std::string&>().size() : 0);
    case Event::object_start:
    case Event::array_start:
      return kElement + kContainer;
    default:
      return 0;
  }
}

}  // namespace

Json parse_json(std::string_view text, const std::string& what) {
  constexpr int kMostDepth = 200;
  std::size_t left = kJsonExpansion * text.size() + kSmallJson;
  // Parsing itself needs no stack; walks over the result do.
  const auto check = [&](int depth, Event event, const Json& parsed) {
    if (depth > kMostDepth) throw DamagedFile(what + " is nested too deeply; the file is damaged");
    const std::size_t taken = bytes_of(event, parsed);
    if (taken > left)
      throw DamagedFile(
          what + " has more lists and names than a model's description; the file is damaged");
    left -= taken;
    return true;
  };
  Json result = Json::parse(text, check, false);
  if (result.is_discarded())
    throw DamagedFile(what + " is no JSON; the file is cut off or damaged: copy it again");
  return result;
}

Json parse_json(std::span<const std::byte> text, const std::string& what) {
  return parse_json(std::string_view(reinterpret_cast<const char*>(text.data()), text.size()),
                    what);
}

}  // namespace figment::converter
