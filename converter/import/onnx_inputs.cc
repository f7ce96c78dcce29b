// A model's inputs: which of their extents are the batch, which are fixed, and which must be given.
#include <cctype>
#include <limits>

#include "converter/import/onnx_data.h"
#include "converter/import/onnx_importer.h"

namespace figment::converter {
namespace {

using onnx::TensorShapeProto;

bool is_open(const TensorShapeProto::Dimension& extent) {
  return !extent.has_dim_value() || extent.dim_value() <= 0;
}

// The open axis that is the batch: one whose name says so (a sequence has its batch second), or the
// first; -1: none.
int batch_axis_of(const TensorShapeProto& shape) {
  for (int axis = 0; axis < shape.dim_size(); ++axis) {
    std::string name = shape.dim(axis).dim_param();
    for (char& letter : name)
      letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    if (is_open(shape.dim(axis)) && name.find("batch") != std::string::npos) return axis;
  }
  return shape.dim_size() > 0 && is_open(shape.dim(0)) ? 0 : -1;
}

// "batch_size x 4 x height x width"
std::string describe_source(const TensorShapeProto& shape) {
  std::string text;
  for (const auto& extent : shape.dim()) {
    if (!text.empty()) text += " x ";
    text += !is_open(extent)             ? std::to_string(extent.dim_value())
            : extent.dim_param().empty() ? std::string("?")
                                         : extent.dim_param();
  }
  return text;
}

// "1x4x64x64": what a user might type.
std::string example(const TensorShapeProto& shape) {
  const int batch = batch_axis_of(shape);
  std::string text;
  for (int axis = 0; axis < shape.dim_size(); ++axis) {
    if (axis > 0) text += "x";
    text += !is_open(shape.dim(axis)) ? std::to_string(shape.dim(axis).dim_value())
            : axis == batch           ? "1"
                                      : "64";
  }
  return text;
}

}  // namespace

void OnnxImporter::add_inputs(const onnx::GraphProto& graph, OnnxScope& scope) {
  for (const auto& input : graph.input()) {
    if (scope.initializers.contains(input.name()))
      continue;  // a constant that the old style lists as an input
    if (scope.values.contains(input.name()))
      throw ConvertError("two inputs are named '" + input.name() + "'; the file is damaged");
    add_input(input, scope);
  }
  for (const auto& [name, shape] : options_.input_shapes) {
    bool known = false;
    std::string names;
    for (const GraphPort& port : graph_.inputs) {
      known = known || port.name == name;
      names += (names.empty() ? "'" : ", '") + port.name + "'";
    }
    if (!known)
      throw ConvertError("the model has no input '" + name +
                         "', for which a shape was given; its inputs are " +
                         (names.empty() ? "none" : names));
  }
}

void OnnxImporter::add_input(const onnx::ValueInfoProto& input, OnnxScope& scope) {
  const std::string what = "input '" + input.name() + "'";
  if (!input.type().has_tensor_type())
    throw ConvertError(
        what +
        " is no tensor (but a sequence, a map or nothing); export the model with tensors alone");
  const DataType type = graph_type(input.type().tensor_type().elem_type(), what);
  const TensorShapeProto& source = input.type().tensor_type().shape();
  const bool has_shape = input.type().tensor_type().has_shape();
  const auto given = options_.input_shapes.find(input.name());
  const int batch_axis = has_shape ? batch_axis_of(source) : -1;
  std::vector<std::int64_t> extents;
  if (given != options_.input_shapes.end()) {
    extents = given->second;
    const std::string asked = describe(make_shape(extents));
    if (has_shape && static_cast<std::size_t>(source.dim_size()) != extents.size())
      throw ConvertError(what + " has the shape " + describe_source(source) + ", which " + asked +
                         " does not fit; give " + std::to_string(source.dim_size()) + " extents");
    bool fits = true;
    bool positive = true;
    for (int axis = 0; has_shape && axis < source.dim_size(); ++axis) {
      const auto& extent = source.dim(axis);
      // A batch of 1 may be made another; other extents are as the source says.
      if (!is_open(extent) && extent.dim_value() != extents[static_cast<std::size_t>(axis)] &&
          !(axis == 0 && extent.dim_value() == 1))
        fits = false;
    }
    for (const std::int64_t extent : extents) positive = positive && extent > 0;
    if (!fits)
      throw ConvertError(what + " has the shape " + describe_source(source) + ", which " + asked +
                         " does not fit; only its open extents can be chosen");
    if (!positive)
      throw ConvertError(what + " was given the shape " + asked + "; extents must be positive");
  } else {
    if (!has_shape)
      throw ConvertError(what + " has no shape; give it, for example --input " + input.name() +
                         "=1x3x64x64");
    for (int axis = 0; axis < source.dim_size(); ++axis) {
      const auto& extent = source.dim(axis);
      // An extent of 0 is no open batch: the source means an empty tensor.
      const bool empty = extent.has_dim_value() && extent.dim_value() == 0;
      if (is_open(extent) && (axis != batch_axis || empty))
        throw ConvertError(what + " has open extents (" + describe_source(source) +
                           "); fix them, for example --input " + input.name() + "=" +
                           example(source));
      extents.push_back(is_open(extent) ? 1 : extent.dim_value());
    }
  }
  if (batch_axis >= 0)
    if (std::int64_t& extent = extents[static_cast<std::size_t>(batch_axis)]; extent == 1)
      extent = options_.batch;
  Shape shape = make_shape(extents);
  if (shape.elements() > std::numeric_limits<std::int32_t>::max())
    throw ConvertError(what + " has the shape " + describe(shape) + ", which is too large");
  const TensorId id = graph_.add_input(input.name(), type, shape);
  note_source_type(id, input.type().tensor_type().elem_type());
  scope.values[input.name()] = id;
}

}  // namespace figment::converter
