// convert --one-at-a-time: the same pictures from a file that is a little larger.
#include <doctest/doctest.h>

#include <filesystem>

#include "tests/host/arrays.h"
#include "tests/host/command_line.h"
#include "tests/host/scratch_folder.h"

namespace figment::testing {
namespace {

const std::string kFolder = source_folder() + "models/digits_vae/";

// What the model gives for the golden latents, one after another.
host::Array draw(const ScratchFolder& folder, const std::string& model,
                 const std::string& backend) {
  const CommandResult result =
      run_figment("run --backend " + backend + " " + model + " --in " + kFolder +
                  "golden/decoder.latent.npy --out " + (folder / "y.npy"));
  CAPTURE(result.error);
  REQUIRE(result.code == 0);
  return read_array(folder / "y.npy");
}

}  // namespace

TEST_CASE("convert --one-at-a-time splits the LeakyRelu, of an ONNX file or an .fgm") {
  const ScratchFolder folder;
  const std::string plain = folder / "plain.fgm", split = folder / "split.fgm";
  REQUIRE(run_figment("convert " + kFolder + "decoder.onnx -o " + plain).code == 0);
  const std::string options = "convert --one-at-a-time --report -o " + split + " ";
  for (const std::string& source : {kFolder + "decoder.onnx", plain}) {
    CAPTURE(source);
    const CommandResult result = run_figment(options + source);
    CAPTURE(result.error);
    REQUIRE(result.code == 0);
    CHECK(result.output.find("split 1 LeakyRelu") != std::string::npos);
    CHECK(run_figment("show --ops " + split).output == "Dense,Concat,Unary:Relu,Unary:Sigmoid\n");
    CHECK(run_figment("check " + split).code == 0);
    const auto before = std::filesystem::file_size(plain);
    const auto after = std::filesystem::file_size(split);
    CHECK(after > before);
    CHECK(after - before < before / 8);
    // Each of them is up to 1e-6 from what double precision gives: logits go to 144.
    for (const char* backend : {"xnnpack", "portable"})
      CHECK(largest_difference(draw(folder, split, backend), draw(folder, plain, backend)) < 3e-6);
  }
}

TEST_CASE("without it nothing is split") {
  const ScratchFolder folder;
  const CommandResult result =
      run_figment("convert " + kFolder + "decoder.onnx -o " + (folder / "plain.fgm") + " --report");
  CHECK(result.output.find("split_leaky_relu") == std::string::npos);
}

TEST_CASE("convert --one-at-a-time with what it does not go with") {
  const ScratchFolder folder;
  const std::string line =
      "convert " + kFolder + "decoder.onnx -o " + (folder / "no.fgm") + " --one-at-a-time ";
  for (const char* weights : {"int8", "int4"}) {
    const CommandResult result = run_figment(line + "--weights " + weights);
    CHECK(result.code == 4);
    CHECK(result.error.find("with weights of f32 and f16 alone") != std::string::npos);
  }
  const CommandResult learning = run_figment(line + "--for-training");
  CHECK(learning.code == 4);
  CHECK(learning.error.find("once it has learned") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / "no.fgm"));
  CHECK(run_figment(line + "--weights f16").code == 0);
}

}  // namespace figment::testing
