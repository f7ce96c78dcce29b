// Files that other people made, which stand beside the repository where there are any.
#include <doctest/doctest.h>

#include "tests/import/torch/golden_case.h"

namespace figment::testing {
namespace {

std::filesystem::path people() {
  return std::filesystem::path(FIGMENT_SOURCE_DIR "/../shared/models");
}

}  // namespace

TEST_CASE("other people's weights compute what PyTorch does") {
  if (!std::filesystem::exists(people() / "pytorch")) {
    MESSAGE("skipped: ", people().string(), " is not there");
    return;
  }
  for (const GoldenCase& golden : read_golden_cases(torch_goldens() / "people.json")) {
    CAPTURE(golden.name);
    golden.check(converter::import_file(people() / "pytorch" / golden.name, golden.options()));
  }
}

TEST_CASE("a whole module of other people is refused by its class") {
  const auto path = people() / "refused/whole-module-pickle/gan_0.pt";
  if (!std::filesystem::exists(path)) {
    MESSAGE("skipped: ", path.string(), " is not there");
    return;
  }
  CHECK(torch_refusal(path).find("holds the Python class 'GAN' of the module 'models.gan', which "
                                 "cannot be run; save the weights alone instead") !=
        std::string::npos);
}

}  // namespace figment::testing
