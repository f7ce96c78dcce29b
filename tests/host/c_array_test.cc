// `convert --emit c-array`: of a trained file and of an .fgm, and what it refuses.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/host/command_line.h"
#include "tests/host/scratch_folder.h"

namespace figment::testing {
namespace {

const std::string kTrained = source_folder() + "models/digits_vae/decoder.onnx";
const std::string kModel = source_folder() + "models/digits_vae/decoder.fgm";

std::string shown_arena(const std::string& model) {
  const auto facts = nlohmann::json::parse(run_figment("show " + model + " --json").output);
  return std::to_string(facts["plan"]["portable"]["arena_bytes"].get<int>());
}

void check_refused(const std::string& arguments, const std::string& words) {
  const CommandResult result = run_figment("convert " + arguments);
  CAPTURE(arguments);
  CAPTURE(result.error);
  CHECK(result.code == 2);
  CHECK(result.error.find(words) != std::string::npos);
  CHECK(result.error.find('\n') == result.error.size() - 1);
}

}  // namespace

TEST_CASE("an .fgm goes into C source as it is, with the arena that show names") {
  const ScratchFolder folder;
  const std::string path = folder / "model.c";
  REQUIRE(run_figment("convert " + kModel + " --emit c-array -o " + path).code == 0);
  const std::string source = read_text(path), bytes = read_text(kModel);
  CHECK(source.starts_with("// digits VAE decoder, by figment convert"));
  CHECK(source.find("#define DIGITS_VAE_DECODER_FGM_BYTES " + std::to_string(bytes.size()) +
                    "\n") != std::string::npos);
  CHECK(source.find("_ARENA_BYTES " + shown_arena(kModel) + "\n") != std::string::npos);
  std::string head;
  for (const char byte : bytes.substr(0, 24))
    head += std::to_string(static_cast<unsigned char>(byte)) + ",";
  CHECK(source.find("= {\n" + head + "\n") != std::string::npos);

  // From standard input, under a name of the user's.
  const CommandResult piped =
      run_figment("convert - --emit c-array --symbol decoder -o -", read_text(kModel));
  CHECK(piped.code == 0);
  CHECK(piped.output.find("alignas(64) const unsigned char decoder[DECODER_BYTES]") !=
        std::string::npos);
  CHECK(piped.output.substr(piped.output.find("= {")) == source.substr(source.find("= {")));
}

TEST_CASE("a trained file is converted on the way") {
  const ScratchFolder folder;
  const std::string options = kTrained + " --weights f16 --image 28x28x1 --name half ";
  REQUIRE(run_figment("convert " + options + "-o " + (folder / "half.fgm")).code == 0);
  REQUIRE(run_figment("convert " + options + "--emit c-array -o " + (folder / "a.c")).code == 0);
  REQUIRE(run_figment("convert " + (folder / "half.fgm") + " --emit c-array -o " + (folder / "b.c"))
              .code == 0);
  CHECK(read_text(folder / "a.c") == read_text(folder / "b.c"));
}

TEST_CASE("what makes no sense is refused in one sentence") {
  const ScratchFolder folder;
  const std::string out = " -o " + (folder / "out");
  check_refused(kModel + " --emit c-array --noise input" + out, "--noise is for trained files");
  check_refused(kModel + " --input z=1x64" + out, "--input is for trained files");
  check_refused(kTrained + " --emit rust" + out, "fgm, c-array");
  check_refused(kTrained + " --symbol x" + out, "--emit c-array");
  check_refused(kTrained + " --emit c-array --symbol 2nd" + out, "begin with no digit");
  CHECK(folder.files() == 0);
}

}  // namespace figment::testing
