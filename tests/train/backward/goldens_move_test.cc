// Gradients of elementwise functions, arithmetic, reductions, products and of what moves numbers
// about, against those of PyTorch (goldens/move.txt, written by make_goldens_move.py).
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "tests/train/backward/indices.h"
#include "tests/train/backward/run_once.h"

namespace figment::testing {
namespace {

struct Golden {
  std::string name;
  std::vector<Operand> operands;
  std::vector<float> output_gradient;
  std::vector<std::vector<float>> gradients;  // by the operands of float32, in order
};

std::vector<Golden> read_goldens() {
  std::ifstream file(FIGMENT_SOURCE_DIR "/tests/train/backward/goldens/move.txt");
  std::vector<Golden> goldens;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    if (kind == "case") {
      goldens.emplace_back();
      words >> goldens.back().name;
      continue;
    }
    Operand operand;
    std::string word;
    while (words >> word && word != "|") operand.shape.dims[operand.shape.rank++] = std::stoi(word);
    while (words >> word) {
      if (kind == "integers")
        operand.integers.push_back(std::stoi(word));
      else
        operand.values.push_back(std::stof(word));
    }
    if (kind == "output_gradient")
      goldens.back().output_gradient = operand.values;
    else if (kind == "gradient")
      goldens.back().gradients.push_back(operand.values);
    else
      goldens.back().operands.push_back(operand);
  }
  return goldens;
}

template <typename Function>
Function function_named(const char* const* names, const std::string& name) {
  int index = 0;
  while (names[index] != nullptr && name != names[index]) ++index;
  REQUIRE_MESSAGE(names[index] != nullptr, name);
  return static_cast<Function>(index);
}

format::OperatorOptionsUnion unary_options(const std::string& name) {
  format::UnaryT options;
  options.function = function_named<format::UnaryFunction>(format::EnumNamesUnaryFunction(), name);
  struct Parameters {
    const char* name;
    float alpha, beta;
  };
  constexpr Parameters kParameters[] = {{"LeakyRelu", 0.2F, 0},
                                        {"Elu", 0.7F, 0},
                                        {"Selu", 1.67326324F, 1.05070099F},
                                        {"HardSigmoid", 1.0F / 6, 0.5F},
                                        {"Clip", -1.2F, 2.2F},
                                        {"Swish", 1, 0},
                                        {"Celu", 0.7F, 0},
                                        {"ThresholdedRelu", 1, 0}};
  for (const Parameters& parameters : kParameters) {
    if (name != parameters.name) continue;
    options.alpha = parameters.alpha;
    options.beta = parameters.beta;
  }
  return options_of(options);
}

template <typename Table>
format::OperatorOptionsUnion along_axis(int axis) {
  Table table;
  table.axis = axis;
  return options_of(table);
}

// The options of a case, as make_goldens_move.py has them.
format::OperatorOptionsUnion options_for(const std::string& name) {
  const std::size_t colon = name.find(':');
  const std::string kind = name.substr(0, colon);
  const std::string function = colon == std::string::npos ? "" : name.substr(colon + 1);
  if (kind == "Unary") return unary_options(function);
  if (kind == "Binary") {
    format::BinaryT options;
    options.function =
        function_named<format::BinaryFunction>(format::EnumNamesBinaryFunction(), function);
    return options_of(options);
  }
  if (kind == "Reduce") {
    format::ReduceT options;
    options.function =
        function_named<format::ReduceFunction>(format::EnumNamesReduceFunction(), function);
    options.axes = {0, 2};
    return options_of(options);
  }
  if (kind == "Transpose") {
    format::TransposeT options;
    options.permutation = {0, 2, 3, 1};
    return options_of(options);
  }
  if (kind == "Slice") {
    format::SliceT options;
    options.starts = {1, 1};
    options.sizes = {2, 2};
    options.steps = {1, 2};
    return options_of(options);
  }
  if (kind == "Concat") return along_axis<format::ConcatT>(1);
  if (kind == "Gather") return along_axis<format::GatherT>(0);
  if (kind == "GatherElements") return along_axis<format::GatherElementsT>(1);
  if (kind == "CumulativeSum") return along_axis<format::CumulativeSumT>(1);
  if (kind == "Softmax") return along_axis<format::SoftmaxT>(1);
  if (kind == "LogSoftmax") return along_axis<format::LogSoftmaxT>(1);
  if (kind == "Tile") return options_of(format::TileT{});
  if (kind == "MatMul") return options_of(format::MatMulT{});
  REQUIRE_MESSAGE(kind == "Select", kind);
  return options_of(format::SelectT{});
}

TEST_CASE("gradients are those of PyTorch") {
  const std::vector<Golden> goldens = read_goldens();
  CHECK(goldens.size() == 55);
  for (const Golden& golden : goldens) {
    CAPTURE(golden.name);
    const Shape declared = golden.name == "Tile" ? shape_of({6, 6}) : Shape{};
    const Results results = run_once(options_for(golden.name), golden.operands,
                                     golden.output_gradient, nullptr, declared);
    std::size_t next = 0;
    for (std::size_t k = 0; k < golden.operands.size(); ++k) {
      if (!golden.operands[k].integers.empty()) continue;
      CAPTURE(k);
      const std::vector<float>& expected = golden.gradients[next++];
      REQUIRE(results.gradients[k].size() == expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i);
        CHECK(std::fabs(results.gradients[k][i] - expected[i]) <=
              1e-4F * std::max(1.0F, std::fabs(expected[i])));
      }
    }
    CHECK(next == golden.gradients.size());
  }
}

}  // namespace
}  // namespace figment::testing
