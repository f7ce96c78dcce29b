// JSON in foreign files.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

namespace figment::converter {

// Parses `text`, which `what` names in messages. Throws DamagedFile when it is no JSON, is nested
// more deeply than any description of a model, would take more memory than kJsonExpansion times its
// length and kSmallJson ("[0,0,..." takes sixteen times its own), or holds a text of more than
// kLongestToken letters.
nlohmann::json parse_json(std::string_view text, const std::string& what);
nlohmann::json parse_json(std::span<const std::byte> text, const std::string& what);

// The same checks of a text that is parsed elsewhere, perhaps with comments, which also says what
// is no JSON.
void check_json(std::string_view text, const std::string& what, bool comments);

inline constexpr std::size_t kJsonExpansion = 2, kSmallJson = std::size_t{16} << 20;
inline constexpr std::size_t kLongestToken = std::size_t{1} << 20;

}  // namespace figment::converter
