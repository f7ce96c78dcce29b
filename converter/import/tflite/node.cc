// One operator of a TFLite file: its operands, and where its results go.
#include "converter/import/tflite/node.h"

#include <algorithm>
#include <cmath>

#include "converter/import/tflite/rounding.h"
#include "converter/passes/edit.h"
#include "runtime/model_view.h"

namespace figment::converter {
namespace {

using tflite::ActivationFunctionType;

std::vector<int> indices_of(const TfliteImporter& importer,
                            const flatbuffers::Vector<std::int32_t>* list) {
  std::vector<int> indices;
  if (list == nullptr) return indices;
  indices.assign(list->begin(), list->end());
  for (const int index : indices)
    if (index != -1) importer.source(index);
  return indices;
}

struct Clamp {
  double low, high;
};

std::optional<Clamp> clamp_of(ActivationFunctionType function) {
  switch (function) {
    case ActivationFunctionType::NONE:
      return Clamp{-INFINITY, INFINITY};
    case ActivationFunctionType::RELU:
      return Clamp{0, INFINITY};
    case ActivationFunctionType::RELU6:
      return Clamp{0, 6};
    case ActivationFunctionType::RELU_N1_TO_1:
      return Clamp{-1, 1};
    default:
      return std::nullopt;
  }
}

}  // namespace

TfliteNode::TfliteNode(TfliteImporter& importer, const tflite::Operator& source, std::string label,
                       std::string kind)
    : NodeBuilder(importer.graph(), std::move(label), std::move(kind)),
      importer_(importer),
      source_(source),
      first_own_tensor_(static_cast<TensorId>(importer.graph().tensors.size())),
      inputs_(indices_of(importer, source.inputs())),
      outputs_(indices_of(importer, source.outputs())) {}

// ---- Operands ----

bool TfliteNode::has_input(int index) const {
  return index < input_count() && inputs_[static_cast<std::size_t>(index)] != -1;
}

int TfliteNode::tensor_of(int index) const {
  if (!has_input(index))
    refuse("it lacks operand " + std::to_string(index) + "; the file is damaged");
  return inputs_[static_cast<std::size_t>(index)];
}

int TfliteNode::output(int index) const {
  if (index >= output_count() || outputs_[static_cast<std::size_t>(index)] == -1)
    refuse("it lacks output " + std::to_string(index) + "; the file is damaged");
  return outputs_[static_cast<std::size_t>(index)];
}

TensorId TfliteNode::input(int index) {
  if (index == replaced_) return replacement_;
  const int tensor = tensor_of(index);
  if (form_ != TfliteForm::kMoves || !gives_int8() || !importer_.is_quantized(tensor))
    return importer_.number(tensor);
  return requantize(importer_.int8(tensor), importer_.range_of(tensor), output_range());
}

bool TfliteNode::has_int8(int index) const {
  return importer_.is_quantized(tensor_of(index)) && !importer_.is_constant(tensor_of(index));
}

TensorId TfliteNode::int8(int index) { return importer_.int8(tensor_of(index)); }

Int8Range TfliteNode::range(int index) const { return importer_.range_of(tensor_of(index)); }

std::optional<TfliteIntegers> TfliteNode::int8_weights(int index) const {
  return importer_.integers(tensor_of(index));
}

TensorId TfliteNode::constant_of(const TfliteIntegers& integers, const Shape& shape) {
  importer_.claim(integers.values.size());
  return graph().add_constant(label() + "/weights", DataType::kInt8, shape, integers.values);
}

std::vector<std::int64_t> TfliteNode::integers(int index, const std::string& what) {
  const TensorId id = importer_.number(tensor_of(index));
  if (!constant(id))
    refuse("its " + what + " is computed from an input; only constants are supported there");
  if (type(id) != DataType::kInt32)
    refuse("its " + what + " must be whole numbers; the file is damaged");
  const GraphTensor& values = known(id);
  return {values.integers(), values.integers() + values.shape.elements()};
}

std::int64_t TfliteNode::integer_operand(int index, const std::string& what) {
  const std::vector<std::int64_t> values = integers(index, what);
  if (values.size() != 1) refuse("its " + what + " must be one number; the file is damaged");
  return values[0];
}

// ---- Results ----

tflite::TensorType TfliteNode::output_type(int index) const {
  return importer_.source(output(index)).type();
}

void TfliteNode::set_output(int index, TensorId id) {
  if (replaced_ >= 0) {
    result_ = id;
    return;
  }
  if (constant(id) && id >= first_own_tensor_) importer_.claim(constant_bytes(type(id), shape(id)));
  // What moved is of the range of output 0.
  if (type(id) == DataType::kInt8)
    id = requantize(id, output_range(), importer_.range_of(output(index)));
  importer_.set(output(index), id);
}

TensorId TfliteNode::activate(TensorId x, ActivationFunctionType function) {
  using format::UnaryFunction;
  switch (function) {
    case ActivationFunctionType::NONE:
      return x;
    case ActivationFunctionType::RELU:
      return unary(UnaryFunction::Relu, x);
    case ActivationFunctionType::RELU6:
      return unary(UnaryFunction::Clip, x, 0, 6);
    case ActivationFunctionType::RELU_N1_TO_1:
      return unary(UnaryFunction::Clip, x, -1, 1);
    case ActivationFunctionType::TANH:
      return unary(UnaryFunction::Tanh, x);
    default:
      refuse("its fused activation " + std::to_string(static_cast<int>(function)) +
             " is not supported; use RELU, RELU6, RELU_N1_TO_1 or TANH");
  }
}

std::optional<std::vector<std::int32_t>> TfliteNode::clamp(ActivationFunctionType function) const {
  const std::optional<Clamp> clamp = clamp_of(function);
  if (!clamp) return std::nullopt;
  const Int8Range range = output_range();
  const std::int32_t low = range.quantize(clamp->low);
  return std::vector<std::int32_t>{low, std::max(low, range.quantize(clamp->high))};
}

TensorId TfliteNode::integer_table(TensorId x, const Int8Range& from, const Int8Range& to,
                                   double below, double above) {
  std::vector<std::byte> table;
  for (int q = INT8_MIN; q <= INT8_MAX; ++q) {
    const int steps = q - from.zero_point;
    const double factor = (steps < 0 ? below : above) * double{from.scale} / double{to.scale};
    const std::int64_t y = std::int64_t{multiply_rounding_twice(steps, factor)} + to.zero_point;
    table.push_back(static_cast<std::byte>(std::clamp<std::int64_t>(y, INT8_MIN, INT8_MAX)));
  }
  const TensorId constant = graph().add_constant(label() + "/table", DataType::kInt8,
                                                 make_shape({256}), std::move(table));
  return emit(format::QuantizedUnaryT{}, {x, constant});
}

TensorId TfliteNode::requantize(TensorId x, const Int8Range& from, const Int8Range& to) {
  const bool same = from.scale == to.scale && from.zero_point == to.zero_point;
  return same ? x : integer_table(x, from, to, 1, 1);
}

// ---- Rows ----

int TfliteNode::table_input() const {
  int found = -1;
  for (int index = 0; index < input_count(); ++index) {
    if (!has_input(index)) continue;
    const int tensor = inputs_[static_cast<std::size_t>(index)];
    if (importer_.is_constant(tensor)) {
      if (importer_.shape_of(tensor).elements() != 1) return -1;
      continue;
    }
    if (found >= 0 || !importer_.is_quantized(tensor)) return -1;
    found = index;
  }
  if (found < 0) return -1;
  // A number with more axes than x would give its result more.
  const int rank = importer_.shape_of(inputs_[static_cast<std::size_t>(found)]).rank;
  for (const int tensor : inputs_)
    if (tensor >= 0 && importer_.shape_of(tensor).rank > rank) return -1;
  return found;
}

void TfliteNode::import_table(const TfliteOperator& row, int operand) {
  const TensorId x = int8(operand);
  // The row computes all 256 numbers here, for they are a constant.
  const Function function = [&](const std::vector<float>& values) {
    replaced_ = operand;
    replacement_ = float_constant(values, make_shape({static_cast<std::int64_t>(values.size())}));
    row.import(*this);
    replaced_ = -1;
    return float_values(tensor(result_));
  };
  const std::vector<std::byte> table = table_of(function, range(operand), output_range());
  const TensorId constant =
      graph().add_constant(label() + "/table", DataType::kInt8, make_shape({256}), table);
  set_output(0, emit(format::QuantizedUnaryT{}, {x, constant}));
}

void TfliteNode::import(const TfliteOperator& row) {
  form_ = row.form;
  const int operand = form_ == TfliteForm::kElementwise && gives_int8() ? table_input() : -1;
  if (operand >= 0) return import_table(row, operand);
  row.import(*this);
}

}  // namespace figment::converter
