// Text through the command line: how it is described, drawn, shown, and refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "targets/host/exit_code.h"
#include "targets/host/text_file.h"
#include "tests/host/command_line.h"
#include "tests/host/scratch_folder.h"
#include "tests/support/text_model.h"

namespace figment::testing {
namespace {

using Json = nlohmann::json;

// Writes a model by hand and returns its path.
std::string write_model(const ScratchFolder& folder, const std::vector<std::byte>& bytes) {
  std::string path = folder / "model.fgm";
  write_text(path, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  return path;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

void check_refused(const std::string& line, int code, const std::string& words) {
  const CommandResult result = run_figment(line);
  CAPTURE(line);
  CAPTURE(result.error);
  CHECK(result.code == code);
  CHECK(result.output.empty());
  CHECK(result.error.find("figment ") == 0);
  CHECK(result.error.find('\n') == result.error.size() - 1);
  CHECK(result.error.find(words) != std::string::npos);
}

const std::string kPictures = source_folder() + "models/digits_vae/decoder";

}  // namespace

TEST_CASE("sample writes one text a line, the same for a seed, however many at once") {
  const ScratchFolder folder;
  const std::string model = write_model(folder, step_model());
  const std::string base = "sample " + model + " --count 21 ";
  const CommandResult first = run_figment(base + "--seed 5");
  CAPTURE(first.error);
  REQUIRE(first.code == 0);
  CHECK(lines_of(first.output).size() == 21);
  CHECK(run_figment(base + "--seed 5 --batch 4").output == first.output);
  CHECK(run_figment(base + "--seed 5 --batch 1 --backend portable").output == first.output);
  CHECK(run_figment(base + "--seed 5 --temperature 1 -o -").output == first.output);
  CHECK(run_figment(base + "--seed 6").output != first.output);
  CHECK(run_figment(base + "--seed 5 --temperature 0.5").output != first.output);
  CHECK(run_figment(base + "--seed 5 --truncation 0.1").output != first.output);
  const CommandResult filed = run_figment(base + "--seed 5 -o " + (folder / "names.txt"));
  CHECK(filed.code == 0);
  CHECK(filed.output.empty());
  CHECK(read_text(folder / "names.txt") == first.output);
  // Fewer are the first of more.
  const std::string three = run_figment("sample " + model + " --count 3 --seed 5").output;
  CHECK(first.output.substr(0, three.size()) == three);
}

TEST_CASE("at temperature 0 the latent alone decides") {
  const ScratchFolder folder;
  const std::string model = write_model(folder, step_model());
  const std::string base = "sample " + model + " --truncation 0.01 --temperature 0 ";
  // Latents near 0 leave the table's likeliest.
  const CommandResult result = run_figment(base + "--count 3 --seed 1");
  CHECK(result.output ==
        "ab\xc3\xa9"
        "dd\nab\xc3\xa9"
        "dd\nab\xc3\xa9"
        "dd\n");
}

TEST_CASE("control characters do not break the lines") {
  const ScratchFolder folder;
  const std::string model =
      write_model(folder, step_model([](converter::Graph&, format::TextT& text) {
                    text.vocabulary[1] = "\n";
                    text.vocabulary[2] = "\x1b";
                  }));
  CHECK(run_figment("sample " + model + " --truncation 0.01 --temperature 0 --count 1").output ==
        "  \xc3\xa9"
        "dd\n");
}

TEST_CASE("show tells how a text is read") {
  const ScratchFolder folder;
  const std::string model = write_model(folder, step_model());
  const CommandResult text = run_figment("show " + model);
  CHECK(text.output.find("text        5 symbols, up to 6 in a text, start 0, end 0, the one before "
                         "into previous\n") != std::string::npos);
  const Json json = Json::parse(run_figment("show --json " + model).output);
  CHECK(json["text"]["vocabulary_size"] == 5);
  CHECK(json["text"]["length"] == 6);
  CHECK(json["text"]["start"] == 0);
  CHECK(json["text"]["end"] == 0);
  CHECK(json["text"]["symbol"] == "previous");
  CHECK(json["text"]["states"] == Json({{"count", "next_count"}}));
  CHECK(json["text"]["vocabulary"] == Json({"", "a", "b", "\xc3\xa9", "dd"}));
  CHECK_FALSE(json.contains("image"));
  const Json whole =
      Json::parse(run_figment("show --json " + write_model(folder, whole_model())).output);
  CHECK(whole["text"]["start"].is_null());
  CHECK(whole["text"]["end"] == 1);
  CHECK(whole["text"]["symbol"].is_null());
  const Json pictures = Json::parse(run_figment("show --json " + kPictures + ".fgm").output);
  CHECK_FALSE(pictures.contains("text"));
}

TEST_CASE("pictures have no temperature and need a place, texts make no picture") {
  const ScratchFolder folder;
  const std::string out = folder / "out";
  check_refused("sample " + kPictures + ".fgm -o " + out + " --temperature 0.5", 5,
                "--temperature is for models that give text");
  check_refused("sample " + kPictures + ".fgm", 2, "--output");
  const std::string model = write_model(folder, step_model());
  check_refused("sample " + model + " --temperature -1", 2, "--temperature");
  check_refused("sample " + model + " --temperature nan", 5, "temperature must be");
  check_refused("sample " + model + " -o " + (folder / "no/names.txt"), 8, "no/names.txt");
  CHECK_FALSE(std::filesystem::exists(out));
}

TEST_CASE("a latent of whole numbers has no prior") {
  const ScratchFolder folder;
  const std::string model = write_model(
      folder, step_model([](converter::Graph& graph, format::TextT&) {
        const auto label = graph.add_input("label", DataType::kInt32, converter::make_shape({1}));
        graph.tensor(label).batch_axis = 0;
      }));
  check_refused("sample " + model, 5, "'label' takes numbers of type int32");
}

TEST_CASE("a description is read whole") {
  const ScratchFolder folder;
  const std::string path = folder / "text.json";
  write_text(path,
             R"({"vocabulary": ["", "a", "é"], "start": 0, "end": null, "length": 9,
                 "symbol": "x", "states": {"h": "g", "c": "d"}})");
  const converter::TextDescription text = host::read_text_file(path);
  CHECK(text.vocabulary == std::vector<std::string>{"", "a", "\xc3\xa9"});
  CHECK(text.start == 0);
  CHECK(text.end == -1);
  CHECK(text.length == 9);
  CHECK(text.symbol == "x");
  CHECK(text.states == std::vector<std::pair<std::string, std::string>>{{"h", "g"}, {"c", "d"}});
  write_text(path, R"({"vocabulary": ["a"], "length": 1})");
  CHECK(host::read_text_file(path).symbol.empty());
}

TEST_CASE("a description that makes no sense is refused, and no file is left") {
  const ScratchFolder folder;
  const std::string path = folder / "text.json";
  const std::string line =
      "convert " + kPictures + ".onnx -o " + (folder / "out.fgm") + " --text " + path;
  check_refused(line, 8, "text.json");
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"", "no JSON object"},
      {"[1, 2]", "no JSON object"},
      {R"({"vocabulary": ["a")", "no JSON object"},
      {R"({"length": 4})", "'vocabulary' must be a list of strings"},
      {R"({"vocabulary": [], "length": 4})", "'vocabulary' must be"},
      {R"({"vocabulary": "abc", "length": 4})", "'vocabulary' must be"},
      {R"({"vocabulary": ["a", 1], "length": 4})", "'vocabulary' must be"},
      {R"({"vocabulary": ["a"]})", "'length' must be 1 or more"},
      {R"({"vocabulary": ["a"], "length": 0})", "'length' must be 1 or more"},
      {R"({"vocabulary": ["a"], "length": 1.5})", "'length' must be a whole number"},
      {R"({"vocabulary": ["a"], "length": 18446744073709551615})", "'length' must be a whole"},
      {R"({"vocabulary": ["a"], "length": 4, "start": "a"})", "'start' must be a whole number"},
      {R"({"vocabulary": ["a"], "length": 4, "end": -2})", "'end' must be a whole number"},
      {R"({"vocabulary": ["a"], "length": 4, "symbol": 1})", "'symbol' must be"},
      {R"({"vocabulary": ["a"], "length": 4, "symbol": ""})", "'symbol' must be"},
      {R"({"vocabulary": ["a"], "length": 4, "states": ["h"]})", "'states' must be"},
      {R"({"vocabulary": ["a"], "length": 4, "states": {"h": 1}})", "'states' must be"},
      {R"({"vocabulary": ["a"], "length": 4, "stop": 1})", "'stop' is none of"},
  };
  for (const auto& [text, words] : cases) {
    write_text(path, text);
    check_refused(line, 3, words);
  }
  // Sound in itself, but not of this model: the runtime has the word.
  write_text(path, R"({"vocabulary": ["a", "b"], "length": 1})");
  check_refused(line, 4, "the vocabulary has 2 symbols, but the first output gives 784 logits");
  write_text(path, R"({"vocabulary": ["a"], "length": 1, "symbol": "before", "start": 0})");
  check_refused(line, 4, "the input 'before', but the model has: latent");
  write_text(path, R"({"vocabulary": ["a"], "length": 1, "symbol": "latent", "start": 0})");
  check_refused(line, 4, "input latent takes no symbol");
  check_refused(line + " --image 28x28x1", 2, "--text");
  CHECK(folder.files() == 1);
}

TEST_CASE("a model that gives its logits at once is converted and drawn") {
  const ScratchFolder folder;
  Json description{{"length", 1}};
  for (int index = 0; index < 784; ++index)
    description["vocabulary"].push_back("<" + std::to_string(index) + ">");
  write_text(folder / "text.json", description.dump());
  const std::string model = folder / "model.fgm";
  REQUIRE(run_figment("convert " + kPictures + ".onnx -o " + model + " --text " +
                      (folder / "text.json"))
              .code == 0);
  CHECK(run_figment("check " + model).code == 0);
  const std::string drawn = run_figment("sample " + model + " --count 5 --seed 3").output;
  const std::vector<std::string> lines = lines_of(drawn);
  REQUIRE(lines.size() == 5);
  for (const std::string& line : lines) CHECK(line.front() == '<');
}

}  // namespace figment::testing
