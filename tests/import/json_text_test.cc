// JSON in foreign files: what is taken, and what is refused. What it takes in memory is measured in
// limits/json_memory_test.cc.
#include "converter/import/json_text.h"

#include <doctest/doctest.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "converter/graph/graph.h"

namespace figment::testing {
namespace {

std::string refusal(const std::string& text) {
  try {
    static_cast<void>(converter::parse_json(text, "the text"));
  } catch (const converter::DamagedFile& error) {
    return error.what();
  }
  return {};
}

std::string nested(std::size_t depth, const std::string& open, const std::string& close) {
  std::string text;
  for (std::size_t level = 0; level < depth; ++level) text += open;
  text += "0";
  for (std::size_t level = 0; level < depth; ++level) text += close;
  return text;
}

}  // namespace

TEST_CASE("ordinary JSON is read whole") {
  const auto json = converter::parse_json(
      std::string_view(
          R"({"layers": [{"name": "dense", "units": 3, "scale": 0.5, "bias": null}]})"),
      "the text");
  CHECK(json["layers"][0]["name"] == "dense");
  CHECK(json["layers"][0]["units"] == 3);
  CHECK(json["layers"][0]["scale"] == 0.5);
  CHECK(json["layers"][0]["bias"].is_null());
}

TEST_CASE("what is no JSON is refused by one sentence") {
  for (const char* text :
       {"", "{", "[1,", "{\"a\"}", "nul", "[1] 2", "{\"a\":1,}", "\x80", "'a'"}) {
    CAPTURE(text);
    CHECK(refusal(text) == "the text is no JSON; the file is cut off or damaged: copy it again");
  }
}

TEST_CASE("what is nested too deeply is refused, in lists and in objects") {
  CHECK(refusal(nested(150, "[", "]")).empty());
  CHECK(refusal(nested(150, "{\"a\":", "}")).empty());
  for (const std::size_t depth : {300, 1000000}) {
    CHECK(refusal(nested(depth, "[", "]")).find("nested too deeply") != std::string::npos);
    CHECK(refusal(nested(depth, "{\"a\":", "}")).find("nested too deeply") != std::string::npos);
    CHECK(refusal(std::string(depth, '[')).find("nested too deeply") != std::string::npos);
  }
}

TEST_CASE("a long list of objects takes a moment, not its square") {
  std::string objects = "[{}";
  for (int index = 1; index < 100000; ++index) objects += ",{}";
  const auto begun = std::chrono::steady_clock::now();
  CHECK(converter::parse_json(std::string_view(objects + "]"), "the text").size() == 100000);
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(3));
}

TEST_CASE("many small things in little text are refused") {
  std::string zeros = "[0";
  while (zeros.size() < std::size_t{40} << 20) zeros += ",0";
  CHECK(refusal(zeros + "]") ==
        "the text has more lists and names than a model's description; the file is damaged");
}

}  // namespace figment::testing
