// Reads goldens: a line "case NAME", then lines "ROLE EXTENTS... : NUMBERS...". The roles are
// "operand" (in order), "output", "output_gradient" and "gradient" (of the operands, in order).
#include "tests/train/backward/torch_goldens.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

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
      Operand operand = read_operand(line);
      if (role == "operand") golden.operands.push_back(std::move(operand));
      if (role == "gradient") golden.gradients.push_back(std::move(operand));
      if (role == "output") golden.output = std::move(operand);
      if (role == "output_gradient") golden.output_gradient = std::move(operand);
    }
  }
  REQUIRE(!golden.operands.empty());
  REQUIRE(golden.operands.size() == golden.gradients.size());
  return golden;
}

Tensor view(Operand& operand) {
  Tensor tensor;
  tensor.shape = operand.shape;
  tensor.data = operand.values.data();
  return tensor;
}

struct alignas(64) Line {
  std::byte bytes[64];
};

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
  Golden golden = read_golden(name);
  const auto kind = static_cast<int>(options.type);
  const train::BackwardRoom& room = *train::kBackwardRooms[kind];
  const ops::OperatorRoom& definition = *ops::kOperators[kind].room;
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(flatbuffers::Offset<void>(options.Pack(builder)));

  std::vector<Tensor> inputs;
  for (Operand& operand : golden.operands) inputs.push_back(view(operand));
  train::Call call;
  call.operation.options = flatbuffers::GetRoot<std::byte>(builder.GetBufferPointer());
  call.operation.inputs = inputs;
  call.loops = &train::loops_of(Backend::kXnnpack);
  Tensor output;
  REQUIRE(definition.shape(call.operation, output).ok());
  REQUIRE(output.shape.elements() == golden.output.shape.elements());
  std::vector<float> y(golden.output.values.size());
  output.data = y.data();
  call.operation.outputs = {&output, 1};

  std::vector<std::vector<float>> gradients(inputs.size());
  std::vector<Tensor> gradient_views = inputs;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    gradients[k].assign(golden.operands[k].values.size(), NAN);
    gradient_views[k].data = gradients[k].data();
  }
  const auto lines = [](std::size_t bytes) { return std::vector<Line>(bytes / sizeof(Line) + 1); };
  std::vector<Line> saved = lines(room.saved_bytes != nullptr ? room.saved_bytes(call) : 0);
  call.saved = saved.data()->bytes;
  std::size_t bytes = room.scratch_bytes != nullptr ? room.scratch_bytes(call) : 0;
  if (room.forward_scratch_bytes != nullptr)
    bytes = std::max(bytes, room.forward_scratch_bytes(call));
  if (definition.scratch_bytes != nullptr)
    bytes = std::max(bytes, definition.scratch_bytes(call.operation));
  std::vector<Line> scratch = lines(bytes);
  call.operation.scratch = scratch.data()->bytes;
  if (room.forward != nullptr)
    room.forward(call);
  else
    definition.forward(call.operation);
  check_values(y, golden.output.values, "the output");
  call.output_gradient = golden.output_gradient.values.data();
  call.input_gradients = gradient_views;
  room.backward(call);
  for (std::size_t k = 0; k < inputs.size(); ++k)
    check_values(gradients[k], golden.gradients[k].values,
                 "the gradient of input " + std::to_string(k));
}

}  // namespace figment::testing
