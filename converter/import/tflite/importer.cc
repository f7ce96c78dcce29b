// Inputs, operators in their order, outputs.
#include "converter/import/tflite/importer.h"

#include <algorithm>

#include "converter/import/tflite/node.h"

namespace figment::converter {
namespace {

using tflite::TensorType;

// "?x64x64x3"
std::string describe_signature(const flatbuffers::Vector<std::int32_t>& signature) {
  std::string text;
  for (const std::int32_t extent : signature) {
    if (text.size() > 100) return text + "x...";
    text += (text.empty() ? "" : "x") + (extent < 0 ? std::string("?") : std::to_string(extent));
  }
  return text;
}

// "1x64x64x3": what a user might type.
std::string example(const flatbuffers::Vector<std::int32_t>& signature) {
  std::string text;
  for (const std::int32_t extent : signature)
    text += text.empty() ? std::to_string(extent < 0 ? 1 : extent)
                         : "x" + std::to_string(extent < 0 ? 64 : extent);
  return text;
}

// The operator's number, whichever of the two fields has it.
tflite::BuiltinOperator number_of(const tflite::OperatorCode& code) {
  return std::max(code.builtin_code(),
                  static_cast<tflite::BuiltinOperator>(code.deprecated_builtin_code()));
}

}  // namespace

Graph TfliteImporter::import() {
  const auto* subgraphs = file_.model().subgraphs();
  if (subgraphs == nullptr || subgraphs->size() == 0)
    throw DamagedFile("the file holds no graph; it is damaged: export or copy it again");
  graph_.freely_made = kFreeBytes;
  std::vector<int> inputs = ports(subgraph().inputs(), "input");
  std::vector<int> outputs = ports(subgraph().outputs(), "output");
  if (!options_.from.empty()) inputs = {find_tensor(options_.from, "--from")};
  if (!options_.to.empty()) outputs = {find_tensor(options_.to, "--to")};
  if (outputs.empty())
    throw DamagedFile("the file names no output; it is damaged: export or copy it again");
  for (const int index : inputs) add_input(index);
  check_given_shapes();
  const std::vector<bool> needed = needed_operators(inputs, outputs);
  for (std::size_t index = 0; index < needed.size(); ++index)
    if (needed[index]) import_operator(static_cast<int>(index));
  add_outputs(outputs);
  sweep(graph_);
  graph_.freely_made = Graph().freely_made;  // the passes fold sound graphs
  return std::move(graph_);
}

// ---- What the file says of tensors ----

const tflite::Tensor& TfliteImporter::source(int index) const {
  const auto* tensors = subgraph().tensors();
  if (tensors == nullptr || index < 0 || static_cast<std::uint32_t>(index) >= tensors->size())
    throw DamagedFile("a list names tensor " + std::to_string(index) + " of " +
                      std::to_string(tensors == nullptr ? 0 : tensors->size()) +
                      "; the file is damaged: export or copy it again");
  return *tensors->Get(static_cast<flatbuffers::uoffset_t>(index));
}

std::string TfliteImporter::name_of(int index) const {
  std::string name = short_text(source(index).name());
  return name.empty() ? "tensor " + std::to_string(index) : name;
}

Shape TfliteImporter::shape_of(int index) const {
  const auto* extents = source(index).shape();
  Shape shape;
  if (extents == nullptr) return shape;
  if (extents->size() > static_cast<std::size_t>(kMaxRank))
    throw ConvertError("tensor '" + name_of(index) + "' has " + std::to_string(extents->size()) +
                       " axes; at most " + std::to_string(kMaxRank) + " are supported");
  double elements = 1;
  for (const std::int32_t extent : *extents) {
    if (extent < 0)
      throw DamagedFile("tensor '" + name_of(index) + "' has the extent " + std::to_string(extent) +
                        "; the file is damaged: export or copy it again");
    elements *= extent;
    shape.dims[shape.rank++] = extent;
  }
  if (elements > INT32_MAX)
    throw ConvertError("tensor '" + name_of(index) + "' has the shape " + describe(shape) +
                       ", which is too large");
  return shape;
}

int TfliteImporter::find_tensor(const std::string& name, const char* option) const {
  const auto* tensors = subgraph().tensors();
  const int count = tensors == nullptr ? 0 : static_cast<int>(tensors->size());
  for (int index = 0; index < count; ++index)
    if (name_of(index) == name && !is_constant(index)) return index;
  throw ConvertError("the model has no tensor '" + name + "', which " + option +
                     " names; a TFLite file names the tensors between its operators, as viewers "
                     "show them");
}

std::vector<int> TfliteImporter::ports(const flatbuffers::Vector<std::int32_t>* list,
                                       const char* what) const {
  std::vector<int> indices;
  std::unordered_set<std::string> names;
  for (std::uint32_t at = 0; list != nullptr && at < list->size(); ++at) {
    const int index = list->Get(at);
    source(index);
    if (!names.insert(name_of(index)).second)
      throw DamagedFile("two " + std::string(what) + "s are named '" + name_of(index) +
                        "'; the file is damaged: export or copy it again");
    indices.push_back(index);
  }
  return indices;
}

// ---- Inputs and outputs ----

void TfliteImporter::check_given_shapes() const {
  std::string names;
  std::unordered_set<std::string> known;
  for (const GraphPort& port : graph_.inputs) {
    names += (names.empty() ? "'" : ", '") + port.name + "'";
    known.insert(port.name);
  }
  for (const auto& given : options_.input_shapes)
    if (!known.contains(given.first))
      throw ConvertError("the model has no input '" + given.first +
                         "', for which a shape was given; its inputs are " +
                         (names.empty() ? "none" : names));
}

void TfliteImporter::add_input(int index) {
  const std::string what = "input '" + name_of(index) + "'";
  const tflite::Tensor& tensor = source(index);
  const bool whole = tensor.type() == TensorType::INT32 || tensor.type() == TensorType::INT64 ||
                     tensor.type() == TensorType::BOOL;
  if (!whole && tensor.type() != TensorType::FLOAT32 && !is_quantized(index))
    throw ConvertError(what + " is of type " + tflite::EnumNameTensorType(tensor.type()) +
                       ", which is not supported; export the model with float32 inputs");
  Shape shape = shape_of(index);
  const auto* signature = tensor.shape_signature();
  if (signature != nullptr && signature->size() != static_cast<std::size_t>(shape.rank))
    signature = nullptr;  // as of a scalar, for which it says nothing
  const auto is_open = [&](int axis) {
    return signature != nullptr && signature->Get(static_cast<flatbuffers::uoffset_t>(axis)) < 0;
  };
  const auto given = options_.input_shapes.find(name_of(index));
  if (given != options_.input_shapes.end()) {
    const Shape asked = make_shape(given->second);
    if (asked.rank != shape.rank)
      throw ConvertError(what + " has the shape " + describe(shape) + ", which " + describe(asked) +
                         " does not fit; give " + std::to_string(shape.rank) + " extents");
    for (int axis = 0; axis < shape.rank; ++axis) {
      // A batch of 1 may be made another, and pictures larger: operators say whether that fits.
      if (asked[axis] < 1)
        throw ConvertError(what + " was given the shape " + describe(asked) +
                           "; extents must be positive");
      shape[axis] = asked[axis];
    }
  } else {
    for (int axis = 1; axis < shape.rank; ++axis)
      if (is_open(axis))
        throw ConvertError(what + " has open extents (" + describe_signature(*signature) +
                           "); fix them, for example --input " + name_of(index) + "=" +
                           example(*signature));
  }
  if (shape.rank > 0 && is_open(0) && shape[0] == 1) shape[0] = options_.batch;
  if (shape.elements() < 1 || shape.elements() > INT32_MAX)
    throw ConvertError(what + " has the shape " + describe(shape) +
                       ", which is empty or too large; give another one with --input");
  const TensorId id =
      graph_.add_input(name_of(index), whole ? DataType::kInt32 : DataType::kFloat32, shape);
  set(index, id);
}

void TfliteImporter::add_outputs(const std::vector<int>& outputs) {
  std::unordered_set<TensorId> taken;
  for (const GraphPort& port : graph_.inputs) taken.insert(port.tensor);
  for (const int index : outputs) {
    TensorId id = number(index);
    // Every output is a tensor of its own: neither an input handed through nor another output.
    if (!graph_.tensor(id).constant() && !taken.insert(id).second) {
      // The larger of a number and itself, for integers too.
      format::BinaryT options;
      options.function = format::BinaryFunction::Max;
      id = graph_.add_node(name_of(index), make_options(options), {id, id});
    }
    graph_.outputs.push_back({name_of(index), id, {}});
  }
}

// ---- Operators ----

std::vector<bool> TfliteImporter::needed_operators(const std::vector<int>& inputs,
                                                   const std::vector<int>& outputs) const {
  const auto* operators = subgraph().operators();
  std::vector<bool> needed(operators == nullptr ? 0 : operators->size());
  std::unordered_set<int> wanted(outputs.begin(), outputs.end());
  for (const int index : inputs) wanted.erase(index);
  const std::unordered_set<int> given(inputs.begin(), inputs.end());
  for (std::size_t at = needed.size(); at-- > 0;) {
    const tflite::Operator& node = *operators->Get(static_cast<flatbuffers::uoffset_t>(at));
    if (node.outputs() == nullptr) continue;
    for (const std::int32_t output : *node.outputs())
      if (wanted.contains(output)) needed[at] = true;
    if (!needed[at] || node.inputs() == nullptr) continue;
    for (const std::int32_t input : *node.inputs())
      if (!given.contains(input)) wanted.insert(input);
  }
  return needed;
}

void TfliteImporter::import_operator(int index) {
  const tflite::Operator& node =
      *subgraph().operators()->Get(static_cast<flatbuffers::uoffset_t>(index));
  const std::string place = "operator " + std::to_string(index);
  const auto* codes = file_.model().operator_codes();
  if (codes == nullptr || node.opcode_index() >= codes->size())
    throw DamagedFile(place + " is of kind " + std::to_string(node.opcode_index()) +
                      ", which the file does not list; it is damaged: export or copy it again");
  const tflite::OperatorCode& code = *codes->Get(node.opcode_index());
  std::string kind = tflite::EnumNameBuiltinOperator(number_of(code));
  if (kind.empty()) kind = std::to_string(static_cast<int>(number_of(code)));
  const std::string label = node.outputs() != nullptr && node.outputs()->size() > 0
                                ? name_of(node.outputs()->Get(0))
                                : place;
  if (number_of(code) == tflite::BuiltinOperator::CUSTOM)
    throw ConvertError(place + ", '" + label + "', is the custom operator '" +
                       short_text(code.custom_code()) +
                       "', which is not supported; export the model with built-in operators");
  const TfliteOperator* row = find_tflite_operator(kind);
  if (row == nullptr)
    throw ConvertError(place + ", '" + label + "', is " + kind +
                       ", which is not supported; export the model without it, or a part of it "
                       "with --from and --to");
  TfliteNode(*this, node, label, kind).import(*row);
}

}  // namespace figment::converter
