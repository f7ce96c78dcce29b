// Made-up cases end on the side they belong to: a runner that passes everything would fail here.
#include "tests/conformance/case.h"

#include <onnx/onnx.pb.h>

#include "tests/host/scratch_folder.h"
#include "tests/support/packed_numbers.h"

using namespace figment::conformance;
using figment::testing::ScratchFolder;
namespace fs = std::filesystem;

namespace {

template <typename Message>
void save(const Message& message, const fs::path& path) {
  std::ofstream file(path, std::ios::binary);
  REQUIRE(message.SerializeToOstream(&file));
}

onnx::TensorProto floats(const std::vector<float>& values) {
  onnx::TensorProto tensor;
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  tensor.add_dims(static_cast<std::int64_t>(values.size()));
  tensor.set_float_data(figment::testing::packed_fixed(values));
  return tensor;
}

onnx::TensorProto integers(const std::vector<std::int64_t>& values) {
  onnx::TensorProto tensor;
  tensor.set_data_type(onnx::TensorProto::INT64);
  tensor.add_dims(static_cast<std::int64_t>(values.size()));
  tensor.set_int64_data(figment::testing::packed_varints(values));
  return tensor;
}

void declare(onnx::ValueInfoProto& port, const std::string& name, const onnx::TensorProto& value) {
  port.set_name(name);
  auto& type = *port.mutable_type()->mutable_tensor_type();
  type.set_elem_type(value.data_type());
  for (const std::int64_t extent : value.dims())
    type.mutable_shape()->add_dim()->set_dim_value(extent);
}

// A case of one node with the inputs and the output given.
fs::path make_case(const ScratchFolder& root, const std::string& name, const std::string& kind,
                   const std::vector<onnx::TensorProto>& inputs, const onnx::TensorProto& output) {
  const fs::path folder = fs::path(root.path()) / name;
  fs::create_directories(folder / "test_data_set_0");
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(17);
  onnx::NodeProto& node = *model.mutable_graph()->add_node();
  node.set_op_type(kind);
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    const std::string input = "x" + std::to_string(index);
    node.add_input(input);
    declare(*model.mutable_graph()->add_input(), input, inputs[index]);
    save(inputs[index], folder / "test_data_set_0" / ("input_" + std::to_string(index) + ".pb"));
  }
  node.add_output("y");
  declare(*model.mutable_graph()->add_output(), "y", output);
  save(output, folder / "test_data_set_0" / "output_0.pb");
  save(model, folder / "model.onnx");
  return folder;
}

}  // namespace

TEST_CASE("a right model passes, in a process of its own too") {
  const ScratchFolder root;
  const fs::path folder =
      make_case(root, "add", "Add", {floats({1, 2}), floats({3, 4})}, floats({4, 6}));
  const Outcome outcome = run_case(folder, root.path());
  CHECK(outcome.reason == "");
  CHECK(outcome.side == Side::kPassed);
  CHECK(outcome.bound.empty());
  CHECK(run_case_apart(folder).side == Side::kPassed);
  const CaseFacts facts = read_facts(folder);
  CHECK(facts.operators == std::vector<std::string>{"Add"});
  CHECK(facts.input_types == std::vector<std::string>{"FLOAT", "FLOAT"});
}

TEST_CASE("a wrong number, a wrong shape and missing data fail") {
  const ScratchFolder root;
  const auto failed = [&](const fs::path& folder, const char* words) {
    const Outcome outcome = run_case_apart(folder);
    CHECK(outcome.side == Side::kFailed);
    CAPTURE(outcome.reason);
    CHECK(outcome.reason.find(words) != std::string::npos);
  };
  failed(make_case(root, "number", "Add", {floats({1, 2}), floats({3, 4})}, floats({4, 6.01F})),
         "wrong in 1 of 2 elements, the first at 1");
  failed(make_case(root, "shape", "Add", {floats({1, 2}), floats({3})}, floats({4})), "has shape");
  const fs::path folder = make_case(root, "data", "Neg", {floats({1})}, floats({-1}));
  fs::remove(folder / "test_data_set_0" / "output_0.pb");
  failed(folder, "'output_0.pb' cannot be read");
}

TEST_CASE("what is not supported is refused, with the converter's sentence") {
  const ScratchFolder root;
  const Outcome outcome =
      run_case_apart(make_case(root, "no", "NoSuchThing", {floats({1})}, floats({1})));
  CHECK(outcome.side == Side::kRefused);
  CHECK(outcome.reason.find("NoSuchThing") != std::string::npos);
}

TEST_CASE("operands that shapes depend on are bound, and named") {
  const ScratchFolder root;
  const Outcome outcome = run_case_apart(
      make_case(root, "reshape", "Reshape", {floats({1, 2}), integers({2})}, floats({1, 2})));
  CHECK(outcome.side == Side::kPassed);
  CHECK(outcome.bound == std::vector<std::string>{"x1"});
}

TEST_CASE("data that are not what the model declares are refused") {
  const ScratchFolder root;
  const fs::path folder = make_case(root, "data", "Neg", {floats({1})}, floats({-1}));
  save(floats({1, 2}), folder / "test_data_set_0" / "input_0.pb");
  CHECK(run_case_apart(folder).side == Side::kRefused);
}

TEST_CASE("cases are found wherever they are, in order") {
  const ScratchFolder root;
  make_case(root, "b/c", "Neg", {floats({1})}, floats({-1}));
  make_case(root, "a", "Neg", {floats({1})}, floats({-1}));
  fs::create_directories(root / "empty");
  const std::vector<fs::path> cases = find_cases(root.path());
  REQUIRE(cases.size() == 2);
  CHECK(cases[0].filename() == "a");
  CHECK(cases[1].filename() == "c");
}
