// Goldens of other engines: text files of named arrays, beside the models that gave them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "converter/import/import.h"

namespace figment::testing {

struct GoldenArray {
  std::string name, shape;  // "2x3"
  std::size_t stride = 1;   // values are those at 0, stride, 2 * stride ...
  std::vector<double> values;
};

// Lines "input NAME SHAPE" or "output NAME SHAPE [STRIDE]", each followed by a line of numbers, or
// of an input by "ramp FACTOR PERIOD": number i is (i * FACTOR % PERIOD) / PERIOD.
struct Golden {
  std::vector<GoldenArray> inputs, outputs;
};

// tests/import/goldens/...
std::filesystem::path golden_path(const std::string& name);
Golden read_golden(const std::filesystem::path& path);

// Imports the model, runs it by the runtime's definitions at the golden's batch and compares, with
// `tolerance` times 1 + the size of each number. Inputs that the golden does not have get zeros.
void check_golden(const std::filesystem::path& model, const Golden& golden,
                  const converter::ImportOptions& options = {}, double tolerance = 1e-4);

// The sentence with which a file is refused, or "imported".
std::string refusal_of(const std::filesystem::path& path,
                       const converter::ImportOptions& options = {});

// Imports `bytes`, as a file of this name, cut off at many lengths and with bits flipped: each time
// it is imported or refused with one line. A .json file is tried beside copies of the others in its
// folder.
void check_damage(const std::filesystem::path& model, int times, std::size_t most_cuts);

}  // namespace figment::testing
