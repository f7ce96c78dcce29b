// The shipped models against PyTorch: converted at float32 by the command line, run on PyTorch's
// inputs.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/host/arrays.h"
#include "tests/host/command_line.h"

namespace figment::testing {
namespace {

struct Part {
  const char* model;  // the folder under models/
  const char* name;
  const char* input;
  std::vector<const char*> outputs;
};

const Part kParts[] = {
    {"digits_vae", "encoder", "image", {"mean", "log_variance"}},
    {"digits_vae", "decoder", "latent", {"image"}},
    {"digits_gan", "generator", "latent", {"image"}},
    {"digits_gan", "discriminator", "image", {"logits"}},
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
        line += std::string(" --in ") + part.input + "=" + golden + part.input + ".npy";
        line += std::string(" --out ") + output + "=" + written;
        REQUIRE(run_figment(line).code == 0);
        CHECK(largest_difference(read_array(written), read_array(golden + output + ".npy")) < 1e-4);
      }
    }
  }
}

}  // namespace figment::testing
