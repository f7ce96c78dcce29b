// One ONNX node as its importer sees it: operands, attributes, and the operators it becomes.
#include "converter/import/onnx_node.h"

namespace figment::converter {

using onnx::AttributeProto;

namespace {

// A node without a name goes by its first output that has one.
std::string label_of(const onnx::NodeProto& proto) {
  if (!proto.name().empty()) return proto.name();
  for (const std::string& output : proto.output())
    if (!output.empty()) return output;
  return "";
}

}  // namespace

OnnxNode::OnnxNode(OnnxImporter& importer, OnnxScope& scope, const onnx::NodeProto& proto)
    : NodeBuilder(importer.graph(), label_of(proto), proto.op_type()),
      importer_(importer),
      scope_(scope),
      proto_(proto),
      first_own_tensor_(importer.graph().tensors.size()) {}

// ---- Operands ----

bool OnnxNode::has_input(int index) const {
  if (index >= input_count() || proto_.input(index).empty()) return false;
  const TensorId* id = importer_.find(scope_, proto_.input(index));
  return id == nullptr || *id != kAbsent;
}

TensorId OnnxNode::input(int index) const {
  if (!has_input(index))
    refuse("it lacks input " + std::to_string(index) + "; the file is damaged");
  const TensorId* id = importer_.find(scope_, proto_.input(index));
  if (id == nullptr)
    refuse("its input '" + proto_.input(index) +
           "' is not made by any node before it; the file is damaged");
  if (OnnxImporter::is_sequence(*id))
    refuse("its input '" + proto_.input(index) +
           "' is a sequence of tensors, which is not supported here");
  return *id;
}

TensorId OnnxNode::value(int index) const {
  if (!has_input(index)) return kAbsent;
  const TensorId* id = importer_.find(scope_, proto_.input(index));
  return id != nullptr ? *id : input(index);  // which says that nobody makes it
}

const std::vector<TensorId>& OnnxNode::sequence(int index) const {
  const TensorId id = value(index);
  if (!OnnxImporter::is_sequence(id))
    refuse("its input " + std::to_string(index) + " must be a sequence of tensors");
  return importer_.sequence(id);
}

std::vector<std::int64_t> OnnxNode::integers(TensorId id, const std::string& what) const {
  const GraphTensor& values = known(id);
  if (!values.constant())
    refuse("its " + what + " depends on the model's inputs; export the model with fixed shapes");
  if (values.type != DataType::kInt32)
    refuse("its " + what + " must be integers; the file is damaged");
  if (values.shape.rank > 1)
    refuse("its " + what + " must be a list of integers; the file is damaged");
  return {values.integers(), values.integers() + values.shape.elements()};
}

std::vector<float> OnnxNode::floats(TensorId id, const std::string& what) const {
  const GraphTensor& values = known(id);
  if (!values.constant())
    refuse("its " + what + " depends on the model's inputs; export it as a constant");
  if (values.type != DataType::kFloat32)
    refuse("its " + what + " must be floating-point; the file is damaged");
  return {values.floats(), values.floats() + values.shape.elements()};
}

float OnnxNode::number(TensorId id, const std::string& what) const {
  if (tensor(id).constant() && tensor(id).shape.elements() == 1 && type(id) == DataType::kInt32)
    return static_cast<float>(known(id).integers()[0]);
  const std::vector<float> values = floats(id, what);
  if (values.size() != 1) refuse("its " + what + " must be one number; the file is damaged");
  return values[0];
}

std::int64_t OnnxNode::integer_operand(TensorId id, const std::string& what) const {
  const std::vector<std::int64_t> values = integers(id, what);
  if (values.size() != 1) refuse("its " + what + " must be one number; the file is damaged");
  return values[0];
}

// ---- Attributes ----

const AttributeProto* OnnxNode::find(const std::string& name) const {
  asked_.insert(name);
  for (const AttributeProto& attribute : proto_.attribute()) {
    if (attribute.name() != name) continue;
    if (attribute.ref_attr_name().empty()) return &attribute;
    const auto given = scope_.attributes.find(attribute.ref_attr_name());
    return given != scope_.attributes.end() ? given->second : nullptr;
  }
  return nullptr;
}

const AttributeProto* OnnxNode::find(const std::string& name, AttributeProto::AttributeType type,
                                     const char* type_name) const {
  const AttributeProto* attribute = find(name);
  if (attribute != nullptr && attribute->type() != type)
    refuse("its attribute '" + name + "' must be " + type_name + "; the file is damaged");
  return attribute;
}

std::int64_t OnnxNode::integer(const std::string& name, std::int64_t otherwise) const {
  const AttributeProto* attribute = find(name, AttributeProto::INT, "an integer");
  return attribute != nullptr ? attribute->i() : otherwise;
}

float OnnxNode::number_attribute(const std::string& name, float otherwise) const {
  const AttributeProto* attribute = find(name, AttributeProto::FLOAT, "a number");
  return attribute != nullptr ? attribute->f() : otherwise;
}

std::string OnnxNode::text(const std::string& name, const std::string& otherwise) const {
  const AttributeProto* attribute = find(name, AttributeProto::STRING, "a text");
  return attribute != nullptr ? attribute->s() : otherwise;
}

std::optional<std::vector<std::int64_t>> OnnxNode::integer_list(const std::string& name) const {
  const AttributeProto* attribute = find(name, AttributeProto::INTS, "a list of integers");
  if (attribute == nullptr) return std::nullopt;
  return std::vector<std::int64_t>(attribute->ints().begin(), attribute->ints().end());
}

std::optional<std::vector<float>> OnnxNode::number_list(const std::string& name) const {
  const AttributeProto* attribute = find(name, AttributeProto::FLOATS, "a list of numbers");
  if (attribute == nullptr) return std::nullopt;
  return std::vector<float>(attribute->floats().begin(), attribute->floats().end());
}

std::vector<std::string> OnnxNode::text_list(const std::string& name) const {
  const AttributeProto* attribute = find(name, AttributeProto::STRINGS, "a list of texts");
  if (attribute == nullptr) return {};
  return {attribute->strings().begin(), attribute->strings().end()};
}

std::optional<OnnxArray> OnnxNode::array(const std::string& name) const {
  const AttributeProto* attribute = find(name, AttributeProto::TENSOR, "an array");
  if (attribute == nullptr) return std::nullopt;
  return read_onnx_array(attribute->t(), importer_.folder());
}

std::optional<TensorId> OnnxNode::constant_array(const std::string& name) const {
  const AttributeProto* attribute = find(name, AttributeProto::TENSOR, "an array");
  if (attribute == nullptr) return std::nullopt;
  return importer_.add_array(attribute->t(), label());
}

const onnx::GraphProto& OnnxNode::branch(const std::string& name) const {
  const AttributeProto* attribute = find(name, AttributeProto::GRAPH, "a graph");
  if (attribute == nullptr) refuse("it lacks the attribute '" + name + "'; the file is damaged");
  return attribute->g();
}

void OnnxNode::refuse_unread_attributes() const {
  for (const AttributeProto& attribute : proto_.attribute())
    if (!asked_.contains(attribute.name()))
      refuse("its attribute '" + attribute.name() + "' is not supported in opset " +
             std::to_string(opset()) + "; export the model without it");
}

// ---- Results ----

bool OnnxNode::output_used(int index) const {
  return index < output_count() && !proto_.output(index).empty() &&
         scope_.used.contains(proto_.output(index));
}

void OnnxNode::only_first_output() const {
  for (int index = 1; index < output_count(); ++index)
    if (output_used(index))
      refuse("its output '" + proto_.output(index) +
             "' is used, but only the first output is supported");
}

void OnnxNode::set_output(int index, TensorId id) {
  if (index >= output_count() || proto_.output(index).empty()) return;
  scope_.values[proto_.output(index)] = id;
  if (!OnnxImporter::is_sequence(id) && static_cast<std::size_t>(id) >= first_own_tensor_)
    graph().tensor(id).name = proto_.output(index);
}

// ---- Operators ----

TensorId OnnxNode::transpose(TensorId x, const std::vector<int>& permutation) {
  return importer_.transpose(label(), x, permutation);
}

TensorId OnnxNode::add_array(OnnxArray array) {
  const int source_type = array.source_type;
  const TensorId id =
      graph().add_constant(label(), array.type, array.shape, std::move(array.bytes));
  importer_.note_source_type(id, source_type);
  return id;
}

}  // namespace figment::converter
