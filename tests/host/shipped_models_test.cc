// The shipped models against PyTorch: converted at float32 by the command line, run on PyTorch's
// inputs.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/host/arrays.h"
#include "tests/host/command_line.h"
#include "tests/host/scratch_folder.h"

namespace figment::testing {
namespace {

struct Part {
  const char* model;  // the folder under models/
  const char* name;
  std::vector<const char*> inputs;
  std::vector<const char*> outputs;
};

const Part kParts[] = {
    {"digits_vae", "encoder", {"image"}, {"mean", "log_variance"}},
    {"digits_vae", "decoder", {"latent"}, {"image"}},
    {"digits_plane", "decoder", {"latent"}, {"image"}},
    {"digits_gan", "generator", {"latent"}, {"image"}},
    {"digits_gan", "discriminator", {"image"}, {"logits"}},
    {"names_vae", "names_decoder", {"latent", "previous", "hidden"}, {"logits", "next_hidden"}},
};

}  // namespace

TEST_CASE("every shipped ONNX file gives PyTorch's numbers on both backends") {
  const ScratchFolder folder;
  const std::string converted = folder / "model.fgm";
  const std::string written = folder / "y.npy";
  for (const Part& part : kParts) {
    const std::string models = source_folder() + "models/" + part.model + "/";
    const std::string golden = models + "golden/" + part.name + ".";
    REQUIRE(run_figment("convert " + models + part.name + ".onnx -o " + converted).code == 0);
    for (const char* backend : {"xnnpack", "portable"}) {
      for (const char* output : part.outputs) {
        CAPTURE(part.name);
        CAPTURE(backend);
        std::string line = "run " + converted + " --backend " + backend;
        for (const char* input : part.inputs)
          line += std::string(" --in ") + input + "=" + golden + input + ".npy";
        line += std::string(" --out ") + output + "=" + written;
        REQUIRE(run_figment(line).code == 0);
        CHECK(largest_difference(read_array(written), read_array(golden + output + ".npy")) < 1e-4);
      }
    }
  }
}

TEST_CASE("the names model draws the names that are kept beside it, on both backends") {
  const std::string folder = source_folder() + "models/names_vae/";
  const std::string names = read_text(folder + "drawn.txt");
  CHECK(std::count(names.begin(), names.end(), '\n') == 64);
  const std::string line =
      "sample " + folder + "names_decoder.fgm --count 64 --seed 42 --temperature 0.8";
  CHECK(run_figment(line + " --backend portable").output == names);
  CHECK(run_figment(line + " --backend portable --batch 5").output == names);
  CHECK(run_figment(line).output == names);
  CHECK(run_figment("check " + folder + "names_decoder.fgm").code == 0);
}

TEST_CASE("the names model is refused with another vocabulary, symbol or state") {
  const ScratchFolder scratch;
  const std::string part = source_folder() + "models/names_vae/names_decoder";
  using Json = nlohmann::json;
  const Json sound = Json::parse(read_text(part + ".text.json"));
  const auto sentence_of = [&](const std::function<void(Json&)>& change) {
    Json changed = sound;
    change(changed);
    write_text(scratch / "text.json", changed.dump());
    const CommandResult result =
        run_figment("convert " + part + ".onnx -o " + (scratch / "out.fgm") + " --text " +
                    (scratch / "text.json"));
    CHECK(result.code == (result.error.empty() ? 0 : 4));
    return result.error;
  };
  const auto holds = [](const std::string& sentence, const char* words) {
    CAPTURE(sentence);
    CHECK(sentence.find(words) != std::string::npos);
  };
  CHECK(sentence_of([](Json&) {}).empty());
  holds(sentence_of([](Json& text) { text["vocabulary"].push_back("!"); }), "gives 53 logits");
  holds(sentence_of([](Json& text) { text["symbol"] = "latent"; }), "must be int32");
  holds(sentence_of([](Json& text) {
          text["states"] = {{"hidden", "logits"}};
        }),
        "is not what output logits gives");
  holds(sentence_of([](Json& text) {
          text["states"] = {{"latent", "next_hidden"}};
        }),
        "is not what output next_hidden gives");
  holds(sentence_of([](Json& text) { text["start"] = nullptr; }), "no symbol starts it");
  holds(sentence_of([](Json& text) { text["end"] = 53; }), "symbol 53 of 53");
  holds(sentence_of([](Json& text) { text["length"] = 100000; }), "symbols long");
}

}  // namespace figment::testing
