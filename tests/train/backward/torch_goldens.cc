// Reads goldens: a line "case NAME", then lines "ROLE EXTENTS... : NUMBERS...". The roles are
// "operand" (in order), "output", "output_gradient" and "gradient" (of the operands, in order).
#include "tests/train/backward/torch_goldens.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "tests/train/backward/room_run.h"

namespace figment::testing {
namespace {

constexpr double kTolerance = 1e-4;

struct Golden {
  std::vector<Operand> operands, gradients;
  Operand output, output_gradient;
};

Operand read_operand(std::istringstream& line) {
  Operand operand;
  std::string word;
  while (line >> word && word != ":") operand.shape[operand.shape.rank++] = std::stoi(word);
  for (float value; line >> value;) operand.values.push_back(value);
  REQUIRE(static_cast<std::int64_t>(operand.values.size()) == operand.shape.elements());
  return operand;
}

Golden read_golden(const std::string& name) {
  std::ifstream file(FIGMENT_SOURCE_DIR "/tests/train/backward/goldens/pictures.txt");
  REQUIRE(file.is_open());
  Golden golden;
  bool found = false;
  for (std::string text; std::getline(file, text);) {
    std::istringstream line(text);
    std::string role;
    line >> role;
    if (role == "case") {
      std::string other;
      line >> other;
      found = other == name;
    } else if (found) {
      if (role == "operand")
        golden.operands.push_back(read_operand(line));
      else if (role == "gradient")
        golden.gradients.push_back(read_operand(line));
      else
        (role == "output" ? golden.output : golden.output_gradient) = read_operand(line);
    }
  }
  REQUIRE(!golden.operands.empty());
  REQUIRE(golden.operands.size() == golden.gradients.size());
  return golden;
}

void check_values(const std::vector<float>& values, const std::vector<float>& expected,
                  const std::string& what) {
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = double{values[i]};
    const double bound = kTolerance * std::max(1.0, std::fabs(double{expected[i]}));
    if (std::fabs(value - double{expected[i]}) <= bound) continue;
    FAIL_CHECK(what << "[" << i << "] is " << value << " but should be " << expected[i]);
    return;
  }
}

}  // namespace

void check_torch_golden(const std::string& name, format::OperatorOptionsUnion options) {
  CAPTURE(name);
  const Golden golden = read_golden(name);
  const RoomResult run =
      run_room(options, golden.operands, golden.output_gradient.values, Backend::kXnnpack, nullptr);
  check_values(run.output, golden.output.values, "the output");
  for (std::size_t k = 0; k < golden.gradients.size(); ++k)
    check_values(run.gradients[k], golden.gradients[k].values,
                 "the gradient of input " + std::to_string(k));
}

}  // namespace figment::testing
