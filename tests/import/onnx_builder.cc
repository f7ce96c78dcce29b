// Builds small ONNX models for tests.
#include "tests/import/onnx_builder.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <fstream>

#include "converter/import/onnx.h"
#include "tests/import/run_graph.h"
#include "tests/support/packed_numbers.h"

namespace figment::testing {

using onnx::AttributeProto;

namespace {

AttributeProto named(const std::string& name, AttributeProto::AttributeType type) {
  AttributeProto attribute;
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

}  // namespace

AttributeProto attribute(const std::string& name, std::int64_t value) {
  AttributeProto made = named(name, AttributeProto::INT);
  made.set_i(value);
  return made;
}

AttributeProto attribute(const std::string& name, int value) {
  return attribute(name, std::int64_t{value});
}

AttributeProto attribute(const std::string& name, float value) {
  AttributeProto made = named(name, AttributeProto::FLOAT);
  made.set_f(value);
  return made;
}

AttributeProto attribute(const std::string& name, const char* value) {
  AttributeProto made = named(name, AttributeProto::STRING);
  made.set_s(value);
  return made;
}

AttributeProto attribute(const std::string& name, const Extents& values) {
  AttributeProto made = named(name, AttributeProto::INTS);
  for (const std::int64_t value : values) made.add_ints(value);
  return made;
}

AttributeProto numbers_attribute(const std::string& name, const std::vector<float>& values) {
  AttributeProto made = named(name, AttributeProto::FLOATS);
  for (const float value : values) made.add_floats(value);
  return made;
}

AttributeProto attribute(const std::string& name, const onnx::TensorProto& value) {
  AttributeProto made = named(name, AttributeProto::TENSOR);
  *made.mutable_t() = value;
  return made;
}

AttributeProto attribute(const std::string& name, const onnx::GraphProto& value) {
  AttributeProto made = named(name, AttributeProto::GRAPH);
  *made.mutable_g() = value;
  return made;
}

onnx::TensorProto float_tensor(const std::string& name, const Extents& extents,
                               const std::vector<float>& values) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t extent : extents) tensor.add_dims(extent);
  tensor.set_raw_data(values.data(), values.size() * sizeof(float));
  return tensor;
}

onnx::TensorProto integer_tensor(const std::string& name, const Extents& extents,
                                 const Extents& values) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::INT64);
  for (const std::int64_t extent : extents) tensor.add_dims(extent);
  tensor.set_int64_data(packed_varints(values));
  return tensor;
}

onnx::NodeProto make_onnx_node(const std::string& kind, const std::vector<std::string>& inputs,
                               const std::vector<std::string>& outputs,
                               const std::vector<AttributeProto>& attributes) {
  onnx::NodeProto node;
  node.set_op_type(kind);
  node.set_name("the_" + kind);
  for (const std::string& input : inputs) node.add_input(input);
  for (const std::string& output : outputs) node.add_output(output);
  for (const AttributeProto& attribute : attributes) *node.add_attribute() = attribute;
  return node;
}

OnnxBuilder::OnnxBuilder(int opset) {
  static std::atomic<int> count = 0;
  folder_ = std::filesystem::temp_directory_path() /
            ("figment_onnx_" + std::to_string(getpid()) + "_" + std::to_string(count++));
  std::filesystem::create_directories(folder_);
  model_.set_ir_version(8);
  model_.set_producer_name("a test");
  model_.add_opset_import()->set_version(opset);
  model_.mutable_graph()->set_name("test");
}

OnnxBuilder::~OnnxBuilder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

OnnxBuilder& OnnxBuilder::input(const std::string& name, const Extents& extents, int type) {
  onnx::ValueInfoProto& value = *model_.mutable_graph()->add_input();
  value.set_name(name);
  auto& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  tensor.mutable_shape();
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    auto& extent = *tensor.mutable_shape()->add_dim();
    if (extents[axis] >= 0) {
      extent.set_dim_value(extents[axis]);
    } else {
      extent.set_dim_param(axis == 0 ? "batch" : "open" + std::to_string(axis));
    }
  }
  return *this;
}

OnnxBuilder& OnnxBuilder::floats(const std::string& name, const Extents& extents,
                                 const std::vector<float>& values) {
  *model_.mutable_graph()->add_initializer() = float_tensor(name, extents, values);
  return *this;
}

OnnxBuilder& OnnxBuilder::integers(const std::string& name, const Extents& extents,
                                   const Extents& values) {
  *model_.mutable_graph()->add_initializer() = integer_tensor(name, extents, values);
  return *this;
}

OnnxBuilder& OnnxBuilder::node(const std::string& kind, const std::vector<std::string>& inputs,
                               const std::vector<std::string>& outputs,
                               const std::vector<AttributeProto>& attributes) {
  *model_.mutable_graph()->add_node() = make_onnx_node(kind, inputs, outputs, attributes);
  return *this;
}

OnnxBuilder& OnnxBuilder::output(const std::string& name) {
  model_.mutable_graph()->add_output()->set_name(name);
  return *this;
}

std::filesystem::path OnnxBuilder::save() const {
  const std::filesystem::path path = folder_ / "model.onnx";
  std::ofstream file(path, std::ios::binary);
  REQUIRE(model_.SerializeToOstream(&file));
  return path;
}

converter::Graph OnnxBuilder::import(const converter::ImportOptions& options) const {
  return converter::import_onnx(save(), options);
}

converter::Graph OnnxBuilder::import_with_batch(const converter::ImportOptions& options) const {
  return converter::import_with_batch(save(), options);
}

std::string OnnxBuilder::refusal(const converter::ImportOptions& options) const {
  try {
    converter::import_file(save(), options);
  } catch (const converter::ConvertError& error) {
    return error.what();
  }
  return {};
}

std::vector<float> ramp(std::int64_t count, float start, float step) {
  std::vector<float> values;
  for (std::int64_t index = 0; index < count; ++index)
    values.push_back(start + static_cast<float>(index) * step);
  return values;
}

void check_values(const OnnxBuilder& builder, const std::vector<std::vector<float>>& inputs,
                  const Extents& shape, const std::vector<double>& expected) {
  converter::Graph graph;
  std::string refused;
  try {
    graph = builder.import();
  } catch (const converter::ConvertError& error) {
    refused = error.what();
  }
  REQUIRE(refused == "");
  const GraphRun run = run_graph(graph, inputs);
  REQUIRE(run.values.size() == 1);
  CHECK(describe(run.shapes[0]) == describe(converter::make_shape(shape)));
  REQUIRE(run.values[0].size() == expected.size());
  for (std::size_t index = 0; index < expected.size(); ++index) {
    CAPTURE(index);
    CHECK(std::fabs(run.values[0][index] - expected[index]) <=
          1e-5 * std::max(1.0, std::fabs(expected[index])));
  }
}

namespace {

void build_node(OnnxBuilder& builder, const std::string& kind, const Extents& x_shape,
                const std::vector<onnx::TensorProto>& constants,
                const std::vector<AttributeProto>& attributes) {
  std::vector<std::string> inputs = {"x"};
  builder.input("x", x_shape);
  for (const onnx::TensorProto& constant : constants) {
    inputs.push_back(constant.name());
    if (!constant.name().empty()) *builder.model().mutable_graph()->add_initializer() = constant;
  }
  builder.node(kind, inputs, {"y"}, attributes).output("y");
}

}  // namespace

void check_node(int opset, const std::string& kind, const Extents& x_shape,
                const std::vector<float>& x, const std::vector<onnx::TensorProto>& constants,
                const std::vector<AttributeProto>& attributes, const Extents& shape,
                const std::vector<double>& expected) {
  CAPTURE(kind);
  CAPTURE(opset);
  OnnxBuilder builder(opset);
  build_node(builder, kind, x_shape, constants, attributes);
  check_values(builder, {x}, shape, expected);
}

void check_node_refused(int opset, const std::string& kind, const Extents& x_shape,
                        const std::vector<onnx::TensorProto>& constants,
                        const std::vector<AttributeProto>& attributes, const std::string& words) {
  CAPTURE(kind);
  OnnxBuilder builder(opset);
  build_node(builder, kind, x_shape, constants, attributes);
  const std::string sentence = builder.refusal();
  CAPTURE(sentence);
  CHECK(sentence.find(words) != std::string::npos);
  CHECK(sentence.find("node 'the_" + kind + "'") != std::string::npos);
}

}  // namespace figment::testing
