// What PyTorch computed, kept as JSON (tests/import/goldens/torch.py), and how graphs are compared
// with it.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "converter/import/import.h"

namespace figment::testing {

// A folder of its own that goes with the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  // Writes a file of that name; its path.
  std::filesystem::path write(const std::string& name, const std::string& bytes) const;
  const std::filesystem::path& path() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

std::string read_bytes(const std::filesystem::path& path);

struct GoldenTensor {
  std::vector<std::int64_t> shape;
  std::vector<float> values;  // every `stride`th
  int stride = 1;
};

struct GoldenCase {
  std::string name, network;  // a description's text, or the name of one that ships
  std::map<std::string, GoldenTensor> weights;
  std::vector<std::pair<std::string, GoldenTensor>> inputs;  // all of their numbers
  std::vector<GoldenTensor> outputs;

  // Options with the shapes of the inputs.
  converter::ImportOptions options() const;
  // Runs the graph and compares; the graph's batch is multiplied by `batch`.
  void check(const converter::Graph& graph, int batch = 1) const;
};

std::filesystem::path torch_goldens();
// A file of many cases, or one of a single case.
std::vector<GoldenCase> read_golden_cases(const std::filesystem::path& path);

// The bytes of a .safetensors file.
std::string safetensors_bytes(const std::map<std::string, GoldenTensor>& weights);

// The sentence with which the file is refused; empty: it is not.
std::string torch_refusal(const std::filesystem::path& path,
                          const converter::ImportOptions& options = {});

}  // namespace figment::testing
