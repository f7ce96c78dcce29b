// Builds small ONNX models for tests, as an exporter would write them.
#pragma once

#include <onnx/onnx.pb.h>

#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

#include "converter/import/import.h"

namespace figment::testing {

using converter::describe;
using Extents = std::vector<std::int64_t>;

// An attribute under construction: attribute("axis", 1).
onnx::AttributeProto attribute(const std::string& name, std::int64_t value);
onnx::AttributeProto attribute(const std::string& name, int value);
onnx::AttributeProto attribute(const std::string& name, float value);
onnx::AttributeProto attribute(const std::string& name, const char* value);
onnx::AttributeProto attribute(const std::string& name, const Extents& values);
onnx::AttributeProto numbers_attribute(const std::string& name, const std::vector<float>& values);
onnx::AttributeProto attribute(const std::string& name, const onnx::TensorProto& value);
onnx::AttributeProto attribute(const std::string& name, const onnx::GraphProto& value);

onnx::TensorProto float_tensor(const std::string& name, const Extents& extents,
                               const std::vector<float>& values);
onnx::TensorProto integer_tensor(const std::string& name, const Extents& extents,
                                 const Extents& values);

onnx::NodeProto make_onnx_node(const std::string& kind, const std::vector<std::string>& inputs,
                               const std::vector<std::string>& outputs,
                               const std::vector<onnx::AttributeProto>& attributes = {});

class OnnxBuilder {
 public:
  explicit OnnxBuilder(int opset);
  ~OnnxBuilder();
  OnnxBuilder(const OnnxBuilder&) = delete;
  OnnxBuilder& operator=(const OnnxBuilder&) = delete;

  // Extents below 0 are open; `type` is an onnx::TensorProto_DataType.
  OnnxBuilder& input(const std::string& name, const Extents& extents,
                     int type = onnx::TensorProto::FLOAT);
  OnnxBuilder& floats(const std::string& name, const Extents& extents,
                      const std::vector<float>& values);
  OnnxBuilder& integers(const std::string& name, const Extents& extents, const Extents& values);
  OnnxBuilder& node(const std::string& kind, const std::vector<std::string>& inputs,
                    const std::vector<std::string>& outputs,
                    const std::vector<onnx::AttributeProto>& attributes = {});
  OnnxBuilder& output(const std::string& name);

  onnx::ModelProto& model() { return model_; }
  // A folder of this model's own, gone with the builder.
  const std::filesystem::path& folder() const { return folder_; }
  // Writes the model into the folder.
  std::filesystem::path save() const;

  // Saves and imports.
  converter::Graph import(const converter::ImportOptions& options = {}) const;
  converter::Graph import_with_batch(const converter::ImportOptions& options = {}) const;
  // The sentence with which the import is refused; empty when it is not.
  std::string refusal(const converter::ImportOptions& options = {}) const;

 private:
  onnx::ModelProto model_;
  std::filesystem::path folder_;
};

// 1, 2, ... in steps that are exact in float32; different for different seeds.
std::vector<float> ramp(std::int64_t count, float start = -1, float step = 0.125F);

// Imports the model (which has one output), runs it on `inputs`, and checks its values and shape:
// every element within 1e-5 * max(1, |expected|).
void check_values(const OnnxBuilder& builder, const std::vector<std::vector<float>>& inputs,
                  const Extents& shape, const std::vector<double>& expected);

// A model with one node: inputs "x" (given `x_shape`) and further operands as they stand in the
// builder, output "y". `build` may add initializers first.
void check_node(int opset, const std::string& kind, const Extents& x_shape,
                const std::vector<float>& x, const std::vector<onnx::TensorProto>& constants,
                const std::vector<onnx::AttributeProto>& attributes, const Extents& shape,
                const std::vector<double>& expected);

// The same, refused with a sentence that contains `words`, the node's name and the operator.
void check_node_refused(int opset, const std::string& kind, const Extents& x_shape,
                        const std::vector<onnx::TensorProto>& constants,
                        const std::vector<onnx::AttributeProto>& attributes,
                        const std::string& words);

}  // namespace figment::testing
