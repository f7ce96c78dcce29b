// One ONNX node as its importer sees it: operands, attributes, and the operators it becomes.
#include "converter/import/onnx_node.h"

#include <algorithm>
#include <limits>
#include <numeric>

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
    : importer_(importer),
      scope_(scope),
      proto_(proto),
      label_(label_of(proto)),
      first_own_tensor_(importer.graph().tensors.size()) {}

void OnnxNode::refuse(const std::string& why) const {
  throw ConvertError("node '" + label_ + "' (" + kind() + "): " + why);
}

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
  const GraphTensor& values = tensor(id);
  if (!values.constant())
    refuse("its " + what + " depends on the model's inputs; export the model with fixed shapes");
  if (values.type != DataType::kInt32)
    refuse("its " + what + " must be integers; the file is damaged");
  if (values.shape.rank > 1)
    refuse("its " + what + " must be a list of integers; the file is damaged");
  return {values.integers(), values.integers() + values.shape.elements()};
}

std::vector<float> OnnxNode::floats(TensorId id, const std::string& what) const {
  const GraphTensor& values = tensor(id);
  if (!values.constant())
    refuse("its " + what + " depends on the model's inputs; export it as a constant");
  if (values.type != DataType::kFloat32)
    refuse("its " + what + " must be floating-point; the file is damaged");
  return {values.floats(), values.floats() + values.shape.elements()};
}

float OnnxNode::number(TensorId id, const std::string& what) const {
  if (tensor(id).constant() && tensor(id).shape.elements() == 1 && type(id) == DataType::kInt32)
    return static_cast<float>(tensor(id).integers()[0]);
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

// ---- Numbers for the schema ----

int OnnxNode::checked_int(std::int64_t value, const std::string& what, int low) const {
  if (value < low || value > std::numeric_limits<std::int32_t>::max())
    refuse("its " + what + " is " + std::to_string(value) + ", but must be at least " +
           std::to_string(low) + " and below 2^31");
  return static_cast<int>(value);
}

int OnnxNode::checked_axis(std::int64_t axis, int rank) const {
  if (axis < -rank || axis >= rank)
    refuse("its axis " + std::to_string(axis) + " is outside a tensor of " + std::to_string(rank) +
           " axes");
  return static_cast<int>(axis < 0 ? axis + rank : axis);
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

TensorId OnnxNode::unary(format::UnaryFunction function, TensorId x, float alpha, float beta) {
  using format::BinaryFunction;
  if (type(x) == DataType::kInt32) {
    switch (function) {
      case format::UnaryFunction::Abs:
        return binary(BinaryFunction::Max, x, binary(BinaryFunction::Sub, integer(0), x));
      case format::UnaryFunction::Neg:
        return binary(BinaryFunction::Sub, integer(0), x);
      case format::UnaryFunction::Relu:
        return binary(BinaryFunction::Max, x, integer(0));
      case format::UnaryFunction::Sign:
        return binary(BinaryFunction::Max, binary(BinaryFunction::Min, x, integer(1)), integer(-1));
      default:
        break;
    }
  }
  format::UnaryT options;
  options.function = function;
  options.alpha = alpha;
  options.beta = beta;
  return emit(options, {x});
}

TensorId OnnxNode::binary(format::BinaryFunction function, TensorId a, TensorId b) {
  format::BinaryT options;
  options.function = function;
  return emit(options, {a, b});
}

TensorId OnnxNode::compare(format::CompareFunction function, TensorId a, TensorId b) {
  format::CompareT options;
  options.function = function;
  return emit(options, {a, b});
}

TensorId OnnxNode::select(TensorId condition, TensorId a, TensorId b) {
  return emit(format::SelectT{}, {condition, a, b});
}

TensorId OnnxNode::cast(TensorId x, DataType to) {
  if (type(x) == to) return x;
  format::CastT options;
  options.to = static_cast<format::DataType>(to);
  return emit(options, {x});
}

TensorId OnnxNode::counting(int count, int after) {
  std::vector<std::int64_t> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 0);
  std::vector<std::int64_t> extents(static_cast<std::size_t>(after) + 1, 1);
  extents[0] = count;
  return integer_constant(values, make_shape(extents));
}

TensorId OnnxNode::transpose(TensorId x, const std::vector<int>& permutation) {
  return importer_.transpose(label_, x, permutation);
}

TensorId OnnxNode::reshape(TensorId x, const Shape& to) {
  if (shape(x) == to) return x;
  if (constant(x)) {
    const GraphTensor& source = tensor(x);
    if (source.shape.elements() != to.elements())
      refuse("it would give " + describe(source.shape) + " the shape " + describe(to) +
             ", which has another number of elements");
    return graph().add_constant(label_, source.type, to, std::vector<std::byte>(*source.data));
  }
  return emit(format::ReshapeT{}, {x}, to);
}

TensorId OnnxNode::tile(TensorId x, const Shape& to) {
  if (shape(x) == to) return x;
  return emit(format::TileT{}, {x}, to);
}

TensorId OnnxNode::integer_constant(const std::vector<std::int64_t>& values, const Shape& shape) {
  std::vector<std::int32_t> saturated;
  saturated.reserve(values.size());
  for (const std::int64_t value : values)
    saturated.push_back(static_cast<std::int32_t>(
        std::clamp<std::int64_t>(value, std::numeric_limits<std::int32_t>::min(),
                                 std::numeric_limits<std::int32_t>::max())));
  return graph().add_integers(label_ + "/constant", shape, saturated);
}

TensorId OnnxNode::add_array(OnnxArray array) {
  const int source_type = array.source_type;
  const TensorId id = graph().add_constant(label_, array.type, array.shape, std::move(array.bytes));
  importer_.note_source_type(id, source_type);
  return id;
}

TensorId OnnxNode::expand(TensorId x, const Shape& to) {
  const Shape from = shape(x);
  Shape aligned;
  aligned.rank = std::max(from.rank, to.rank);
  Shape result = aligned;
  for (int axis = 0; axis < aligned.rank; ++axis) {
    const int in_from = axis - (aligned.rank - from.rank);
    const int in_to = axis - (aligned.rank - to.rank);
    aligned[axis] = in_from >= 0 ? from[in_from] : 1;
    const int wanted = in_to >= 0 ? to[in_to] : 1;
    if (aligned[axis] != wanted && aligned[axis] != 1 && wanted != 1)
      refuse("a tensor of shape " + describe(from) + " cannot be broadcast to " + describe(to));
    result[axis] = aligned[axis] == 1 ? wanted : aligned[axis];
  }
  return tile(reshape(x, aligned), result);
}

}  // namespace figment::converter
