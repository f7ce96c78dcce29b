// Reads the FlatBuffer for people.
#include "targets/host/describe.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "targets/host/ports.h"

namespace figment::host {
namespace {

const format::Tensor& tensor_at(const format::Model& root, int index) {
  return *root.tensors()->Get(static_cast<flatbuffers::uoffset_t>(index));
}

std::string pair_text(int height, int width) {
  return height == width ? std::to_string(height)
                         : std::to_string(height) + "x" + std::to_string(width);
}

// What convolutions of both directions have in common; `kernel_axis` is the kernel's first axis in
// the weights.
template <typename Table>
std::string convolution_text(const format::Model& root, const format::Operator& node,
                             const Table& table, flatbuffers::uoffset_t kernel_axis) {
  const auto& shape = *tensor_at(root, node.inputs()->Get(1)).shape();
  std::string text =
      std::to_string(shape.Get(kernel_axis)) + "x" + std::to_string(shape.Get(kernel_axis + 1));
  if (table.stride_height() != 1 || table.stride_width() != 1)
    text += " stride " + pair_text(table.stride_height(), table.stride_width());
  if (table.dilation_height() != 1 || table.dilation_width() != 1)
    text += " dilation " + pair_text(table.dilation_height(), table.dilation_width());
  if (table.groups() != 1) text += " groups " + std::to_string(table.groups());
  return text;
}

std::string function_text(const format::Unary& unary) {
  std::string text = format::EnumNameUnaryFunction(unary.function());
  switch (unary.function()) {
    case format::UnaryFunction::LeakyRelu:
    case format::UnaryFunction::Elu:
      return text + " " + number_text(unary.alpha());
    case format::UnaryFunction::Clip:
      return text + " " + number_text(unary.alpha()) + ".." + number_text(unary.beta());
    default:
      return text;
  }
}

std::string list_text(const flatbuffers::Vector<std::int32_t>* values) {
  std::string text;
  if (values != nullptr)
    for (const std::int32_t value : *values)
      text += (text.empty() ? "" : ",") + std::to_string(value);
  return text;
}

}  // namespace

std::string operator_kind(const format::Operator& node) {
  return format::EnumNameOperatorOptions(node.options_type());
}

std::string operator_detail(const format::Model& root, const format::Operator& node) {
  using Kind = format::OperatorOptions;
  switch (node.options_type()) {
    case Kind::Conv2D:
      return convolution_text(root, node, *node.options_as_Conv2D(), 1);
    case Kind::ConvTranspose2D:
      return convolution_text(root, node, *node.options_as_ConvTranspose2D(), 1);
    case Kind::GroupNormalization:
      return "groups " + std::to_string(node.options_as_GroupNormalization()->groups());
    case Kind::Unary:
      return function_text(*node.options_as_Unary());
    case Kind::Binary:
      return format::EnumNameBinaryFunction(node.options_as_Binary()->function());
    case Kind::Reduce:
      return std::string(format::EnumNameReduceFunction(node.options_as_Reduce()->function())) +
             " over axis " + list_text(node.options_as_Reduce()->axes());
    case Kind::Softmax:
      return "axis " + std::to_string(node.options_as_Softmax()->axis());
    case Kind::Concat:
      return "axis " + std::to_string(node.options_as_Concat()->axis());
    case Kind::Gather:
      return "axis " + std::to_string(node.options_as_Gather()->axis());
    case Kind::Transpose:
      return list_text(node.options_as_Transpose()->permutation());
    case Kind::Pad:
      return format::EnumNamePadMode(node.options_as_Pad()->mode());
    case Kind::Resize:
      return std::string(format::EnumNameResizeMode(node.options_as_Resize()->mode())) + " to " +
             pair_text(node.options_as_Resize()->height(), node.options_as_Resize()->width());
    case Kind::DepthToSpace:
      return "block " + std::to_string(node.options_as_DepthToSpace()->block());
    case Kind::SpaceToDepth:
      return "block " + std::to_string(node.options_as_SpaceToDepth()->block());
    case Kind::Pool2D: {
      const format::Pool2D& pool = *node.options_as_Pool2D();
      return std::string(format::EnumNamePoolFunction(pool.function())) + " " +
             pair_text(pool.kernel_height(), pool.kernel_width()) + " stride " +
             pair_text(pool.stride_height(), pool.stride_width());
    }
    default:
      return {};
  }
}

std::string activation_text(const format::Unary* activation) {
  return activation == nullptr ? std::string() : function_text(*activation);
}

std::string weights_text(const format::Model& root, const format::Operator& node) {
  std::string text;
  if (node.inputs() == nullptr) return text;
  for (const std::int32_t input : *node.inputs()) {
    if (input < 0 || tensor_at(root, input).data() == nullptr) continue;
    text += (text.empty() ? "" : " + ") + tensor_shape_text(root, input);
  }
  return text;
}

std::string weights_type(const format::Model& root) {
  for (const DataType type : {DataType::kInt4, DataType::kInt8, DataType::kFloat16})
    for (const format::Tensor* tensor : *root.tensors())
      if (tensor->data() != nullptr && static_cast<DataType>(tensor->type()) == type)
        return type_name(type);
  return type_name(DataType::kFloat32);
}

std::string tensor_shape_text(const format::Model& root, int tensor) {
  const format::Tensor& table = tensor_at(root, tensor);
  Shape shape;
  if (table.shape() != nullptr)
    for (const std::int32_t extent : *table.shape()) shape[shape.rank++] = extent;
  return describe_shape(shape, root.any_batch() ? table.batch_axis() : -1);
}

std::string with_commas(std::size_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

std::string hash_text(const format::Hash* hash) {
  std::string text;
  if (hash == nullptr) return text;
  for (const std::uint8_t byte : *hash->bytes()) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    text += digits;
  }
  return text;
}

std::string model_kind_text(const Model& model) {
  std::string text = format::EnumNameModelKind(model.root().kind());
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char letter) { return static_cast<char>(letter | 0x20); });
  return text;
}

std::vector<std::string> operators_used(const format::Model& root) {
  std::set<format::OperatorOptions> kinds;
  std::set<format::UnaryFunction> functions;
  for (const format::Operator* node : *root.operators()) {
    if (const format::Unary* unary = node->options_as_Unary()) {
      functions.insert(unary->function());
    } else {
      kinds.insert(node->options_type());
    }
    if (node->activation() != nullptr) functions.insert(node->activation()->function());
    if (const format::Recurrent* recurrent = node->options_as_Recurrent()) {
      // Where the file names none these two are meant.
      functions.insert({format::UnaryFunction::Tanh, format::UnaryFunction::Sigmoid});
      if (recurrent->activations() != nullptr)
        for (const format::Unary* activation : *recurrent->activations())
          functions.insert(activation->function());
      if (recurrent->clip() != 0) functions.insert(format::UnaryFunction::Clip);
    }
  }
  std::vector<std::string> names;
  names.reserve(kinds.size() + functions.size());
  for (const format::OperatorOptions kind : kinds)
    names.emplace_back(format::EnumNameOperatorOptions(kind));
  for (const format::UnaryFunction function : functions)
    names.push_back(std::string("Unary:") + format::EnumNameUnaryFunction(function));
  return names;
}

std::string number_text(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", number);
  return text;
}

}  // namespace figment::host
