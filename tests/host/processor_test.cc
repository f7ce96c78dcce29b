// A benchmark on less of the processor: what it runs then, and where that is refused.
#include "targets/host/processor.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "targets/host/exit_code.h"
#include "tests/host/arrays.h"
#include "tests/host/command_line.h"
#include "tests/host/scratch_folder.h"

namespace figment::testing {
namespace {

const std::string kModel = source_folder() + "models/digits_gan/generator.fgm";

// Run in a process of its own, for a cap stays as long as the process.
CommandResult bench(const std::string& options) {
  return run_figment("bench " + kModel + " --runs 2 --json --ops " + options);
}

}  // namespace

TEST_CASE("a capped benchmark says so and runs the smaller loops, or is refused in one sentence") {
  const CommandResult whole = bench("");
  REQUIRE(whole.code == 0);
  const std::string best = nlohmann::json::parse(whole.output)["cpu"];
  CHECK(best == host::loops_name());
  const std::vector<std::string> names = {"avx2", "avx512", "avx512vnni", "amx"};
  const auto here = std::find(names.begin(), names.end(), best);
  for (auto name = names.begin(); *name != "amx"; ++name) {
    CAPTURE(*name);
    const CommandResult capped = bench("--cpu " + *name);
    CAPTURE(capped.error);
    if (here != names.end() && name <= here) {
      REQUIRE(capped.code == 0);
      const auto json = nlohmann::json::parse(capped.output);
      CHECK(json["cpu"] == *name);
      CHECK_FALSE(json["operators"].empty());
    } else {
      CHECK(capped.code == static_cast<int>(host::ExitCode::kUnsupported));
      CHECK(capped.error.find("figment bench: --cpu " + *name + " is not possible here: ") == 0);
      CHECK(capped.error.find('\n') == capped.error.size() - 1);
    }
  }
}

TEST_CASE("a capped run agrees with the whole processor's") {
  if (!host::loops_name().starts_with("a")) return;  // avx2 and on, amx
  const ScratchFolder folder;
  const std::string latents = source_folder() + "models/digits_gan/golden/generator.latent.npy";
  const std::string line = "run " + kModel + " --in " + latents + " --out ";
  REQUIRE(run_figment(line + (folder / "whole.npy")).code == 0);
  REQUIRE(run_figment(line + (folder / "capped.npy") + " --cpu avx2").code == 0);
  CHECK(largest_difference(read_array(folder / "capped.npy"), read_array(folder / "whole.npy")) <
        1e-4);
}

TEST_CASE("other names are refused, and no name leaves the processor as it is") {
  const CommandResult wrong = bench("--cpu 8086");
  CHECK(wrong.code == static_cast<int>(host::ExitCode::kUsage));
  CHECK(wrong.error.find("--cpu") != std::string::npos);
  const std::string before = host::loops_name();
  host::cap_processor("");
  CHECK(host::loops_name() == before);
}

}  // namespace figment::testing
