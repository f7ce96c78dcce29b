// JSON in foreign files.
#include "converter/import/json_text.h"

#include <nlohmann/json.hpp>

#include "converter/graph/graph.h"

namespace figment::converter {
namespace {

using Json = nlohmann::json;

// Walks over a text before anything is built of it, and counts what would be. The library can call
// back while it builds, but then looks through all of a list at the end of each object in it.
class Budget : public nlohmann::json_sax<Json> {
 public:
  Budget(std::size_t bytes, const std::string& what) : left_(bytes), what_(what) {}

  bool null() override { return spend(kElement); }
  bool boolean(bool) override { return spend(kElement); }
  bool number_integer(number_integer_t) override { return spend(kElement); }
  bool number_unsigned(number_unsigned_t) override { return spend(kElement); }
  bool number_float(number_float_t, const string_t&) override { return spend(kElement); }
  bool string(string_t& text) override { return spend(kElement + kText + text.size()); }
  bool binary(binary_t&) override { return false; }
  bool key(string_t& name) override { return spend(kMember + name.size()); }
  bool start_object(std::size_t) override { return enter(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  // What is no JSON is noticed when it is parsed.
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    return false;
  }

 private:
  // Heap memory, malloc's own included; at most what glibc's takes. A list that grows is there
  // twice, the old one and the new.
  static constexpr std::size_t kMember = 96, kText = 48, kContainer = 64;
  static constexpr std::size_t kElement = 3 * sizeof(Json);
  // Parsing itself needs no stack; walks over the result do.
  static constexpr int kMostDepth = 200;

  bool spend(std::size_t bytes) {
    if (bytes > left_)
      throw DamagedFile(
          what_ + " has more lists and names than a model's description; the file is damaged");
    left_ -= bytes;
    return true;
  }
  bool enter() {
    if (++depth_ > kMostDepth)
      throw DamagedFile(what_ + " is nested too deeply; the file is damaged");
    return spend(kElement + kContainer);
  }
  bool leave() {
    --depth_;
    return true;
  }

  std::size_t left_;
  const std::string& what_;
  int depth_ = 0;
};

// The library keeps a text, a number or the room between two of them five times while it reads it.
void check_tokens(std::string_view text, const std::string& what) {
  bool in_text = false;
  std::size_t length = 0;
  for (std::size_t at = 0; at < text.size(); ++at, ++length) {
    if (length > kLongestToken)
      throw DamagedFile(what + " holds a text of more than " + std::to_string(kLongestToken) +
                        " letters; the file is damaged, or numbers belong in files beside it");
    const char letter = text[at];
    if (in_text && letter == '\\') {
      ++at;
      ++length;
    } else if (letter == '"') {
      in_text = !in_text;
    } else if (!in_text && std::string_view("[]{},:").find(letter) != std::string_view::npos) {
      length = 0;
    }
  }
}

}  // namespace

void check_json(std::string_view text, const std::string& what, bool comments) {
  if (text.size() > kLongestToken) check_tokens(text, what);
  Budget budget(kJsonExpansion * text.size() + kSmallJson, what);
  Json::sax_parse(text, &budget, Json::input_format_t::json, true, comments);
}

Json parse_json(std::string_view text, const std::string& what) {
  check_json(text, what, false);
  Json result = Json::parse(text, nullptr, false);
  if (result.is_discarded())
    throw DamagedFile(what + " is no JSON; the file is cut off or damaged: copy it again");
  return result;
}

Json parse_json(std::span<const std::byte> text, const std::string& what) {
  return parse_json(std::string_view(reinterpret_cast<const char*>(text.data()), text.size()),
                    what);
}

}  // namespace figment::converter
