// figment convert on files of Flux.jl: what the command line says and takes.
#include <doctest/doctest.h>

#include "targets/host/png.h"
#include "tests/host/command_line.h"
#include "tests/host/scratch_folder.h"

namespace figment::testing {
namespace {

std::string golden(const std::string& name) {
  return source_folder() + "tests/import/goldens/" + name;
}

CommandResult convert(const ScratchFolder& folder, const std::string& source,
                      const std::string& options) {
  return run_figment("convert " + golden(source) + " -o " + (folder / "model.fgm") + " " + options);
}

}  // namespace

TEST_CASE("a VAE of Flux.jl draws digits, from both kinds of file") {
  std::string drawn[2];
  for (const int jld2 : {0, 1}) {
    const ScratchFolder folder;
    const std::string picture = folder / "grid.png";
    REQUIRE(convert(folder, jld2 == 1 ? "flux_vae.jld2" : "flux_vae.bson", "--from decoder").code ==
            0);
    const CommandResult sample =
        run_figment("sample " + (folder / "model.fgm") + " --count 4 --seed 3 -o " + picture);
    CAPTURE(sample.error);
    REQUIRE(sample.code == 0);
    drawn[jld2] = read_text(picture);
    const host::Picture grid = host::read_png(std::as_bytes(std::span(drawn[jld2])), picture);
    CHECK(grid.width >= 2 * 28);
  }
  CHECK(drawn[0] == drawn[1]);
}

TEST_CASE("--shape says what functions without a name give") {
  const ScratchFolder folder;
  const CommandResult missing = convert(folder, "flux_layers.bson", "--from model.decoder");
  CHECK(missing.code != 0);
  CHECK(missing.error.find("--shape model.decoder.4=WIDTHxHEIGHTxCHANNELS") != std::string::npos);
  CHECK(convert(folder, "flux_layers.bson",
                "--from model.decoder --shape model.decoder.4=3x2x2 --report")
            .code == 0);
  const CommandResult wrong =
      convert(folder, "flux_layers.bson", "--from model.decoder --shape model.decoder.4");
  CHECK(wrong.error.find("--shape is 'model.decoder.4' but must be written as LAYER=7x7x32") !=
        std::string::npos);
  CHECK(convert(folder, "flux_layers.jld2", "--from model.encoder --shape input=5x7x3").code == 0);
}

}  // namespace figment::testing
