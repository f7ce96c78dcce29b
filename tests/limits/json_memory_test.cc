// JSON in foreign files takes no more memory than is stated, however it is nested.
#include <doctest/doctest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "converter/graph/graph.h"
#include "converter/import/json_text.h"
#include "tests/limits/heap_watch.h"

namespace figment::testing {
namespace {

std::string repeated(const std::string& start, const std::string& part, std::size_t bytes) {
  std::string text = start;
  text.reserve(bytes + part.size());
  while (text.size() < bytes) text += part;
  return text;
}

// The sentence with which `text` is refused; empty when it is not. Either way what is taken on the
// way must stay within what is stated.
std::string refusal(const std::string& text) {
  std::string sentence;
  HeapWatch heap;
  try {
    static_cast<void>(converter::parse_json(text, "the text"));
  } catch (const converter::DamagedFile& error) {
    sentence = error.what();
  }
  CHECK(heap.peak_bytes() <=
        converter::kJsonExpansion * text.size() + converter::kSmallJson + (std::size_t{1} << 20));
  return sentence;
}

}  // namespace

TEST_CASE("lists and objects of many small things are refused before they fill the memory") {
  constexpr std::size_t kBytes = std::size_t{40} << 20;
  for (const auto& [start, part] : {std::pair<const char*, const char*>{"[0", ",0"},
                                    {"[{}", ",{}"},
                                    {"[[]", ",[]"},
                                    {"[\"\"", ",\"\""},
                                    {"[{\"\":0}", ",{\"\":0}"},
                                    {"[[0]", ",[[[[0]]]]"}}) {
    CAPTURE(part);
    CHECK(refusal(repeated(start, part, kBytes) + "]").find("has more lists and names") !=
          std::string::npos);
  }
  std::string members = "{";
  for (int index = 0; members.size() < kBytes / 4; ++index)
    members += '"' + std::to_string(index) + "\":0,";
  CHECK(refusal(members + "\"\":0}").find("has more lists and names") != std::string::npos);
}

TEST_CASE("long texts, numbers and rooms between them are refused before they are read") {
  for (const std::size_t bytes : {std::size_t{2} << 20, std::size_t{32} << 20})
    for (const std::string& text :
         {'"' + std::string(bytes, 'a') + '"',
          '"' + std::string(bytes / 2, 'a') + "\\\"" + std::string(bytes / 2, ',') + '"',
          std::string(bytes, '1'), '[' + std::string(bytes, ' ') + ']'})
      CHECK(refusal(text).find("holds a text of more than") != std::string::npos);
}

TEST_CASE("a text of a million letters or a list of long numbers is no such thing") {
  CHECK(refusal('"' + std::string(1'000'000, 'a') + '"').empty());
  CHECK(refusal(repeated("[0", ",0.123456789012345678901234567890", 8 << 20) + "]").empty());
}

}  // namespace figment::testing
