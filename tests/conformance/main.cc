// figment conformance: converts and runs every case of a folder in the layout of ONNX's backend
// test suite, and says how many pass.
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>

#include "tests/conformance/report.h"

namespace {

using namespace figment::conformance;
namespace fs = std::filesystem;

constexpr int kSkipped = 77;  // as ctest is told

std::vector<CaseResult> run_all(const std::vector<fs::path>& folders) {
  std::vector<CaseResult> results;
  for (const fs::path& folder : folders)
    results.push_back({folder.filename().string(), read_facts(folder), run_case_apart(folder)});
  return results;
}

int run(const std::string& root, bool as_json, const std::string& expect,
        const std::string& write) {
  std::error_code error;
  if (!fs::is_directory(root, error)) {
    std::cerr << "figment conformance: there is no folder '" << root
              << "'; on Debian the package libonnx-testdata brings ONNX's own cases\n";
    return expect.empty() ? 1 : kSkipped;
  }
  const std::vector<fs::path> folders = find_cases(root);
  if (folders.empty()) {
    std::cerr << "figment conformance: '" << root
              << "' holds no cases (folders with model.onnx and test_data_set_0)\n";
    return 1;
  }
  const std::vector<CaseResult> results = run_all(folders);
  if (!write.empty()) {
    std::ofstream file(write);
    write_expectations(results, file);
    if (!file.flush()) {
      std::cerr << "figment conformance: '" << write << "' cannot be written\n";
      return 1;
    }
  }
  std::vector<std::string> surprises;
  if (!expect.empty()) {
    std::ifstream file(expect);
    if (!file) {
      std::cerr << "figment conformance: '" << expect << "' cannot be read\n";
      return 1;
    }
    surprises = compare_with_expectations(results, file);
  }
  as_json ? write_json(results, std::cout) : write_table(results, std::cout);
  for (const std::string& surprise : surprises) std::cerr << surprise << "\n";
  return !surprises.empty() || count(results, Side::kFailed) > 0 ? 1 : 0;
}

}  // namespace

int main(int argument_count, char** arguments) {
  CLI::App app{"Runs ONNX conformance cases on both backends", "figment conformance"};
  std::string root, expect, write;
  bool as_json = false;
  app.add_option("folder", root, "The cases: folders with model.onnx and test_data_set_0/*.pb")
      ->required();
  app.add_flag("--json", as_json, "Every case as JSON");
  app.add_option("--expect", expect, "Fail when a case is not on the side that FILE says");
  app.add_option("--write", write, "Write what came out as the expectations of the next run");
  CLI11_PARSE(app, argument_count, arguments);
  try {
    return run(root, as_json, expect, write);
  } catch (const std::exception& error) {
    std::cerr << "figment conformance: " << error.what() << "\n";
    return 1;
  }
}
