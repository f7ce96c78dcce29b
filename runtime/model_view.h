// Reads a verified model: short names for what the runtime asks of the FlatBuffer.
#pragma once

#include "figment/format/model_generated.h"
#include "runtime/math/int4.h"
#include "runtime/ops/operator.h"

namespace figment {

// The first version with Tensor.scales, which a reader must not ignore.
inline constexpr std::uint32_t kScalesVersion = 2;
// The first version with int4 constants.
inline constexpr std::uint32_t kInt4Version = 3;
// The first version with int8 tensors that are no constants.
inline constexpr std::uint32_t kInt8Version = 4;
// The highest that this runtime reads.
inline constexpr std::uint32_t kFormatVersion = kInt8Version;

// Packed weights begin at a page in the file.
inline constexpr std::size_t kPackedAlignment = 4096;

// Bytes of one element; int4 constants have no such number.
inline constexpr std::uint8_t kElementBytes[] = {4, 2, 4, 1, 1, 1};
inline std::size_t element_bytes(DataType type) { return kElementBytes[static_cast<int>(type)]; }

inline std::size_t tensor_bytes(const Tensor& tensor) {
  return static_cast<std::size_t>(tensor.elements()) * element_bytes(tensor.type);
}

// The same of a constant in its file.
inline std::size_t constant_bytes(DataType type, const Shape& shape) {
  return type == DataType::kInt4 ? static_cast<std::size_t>(math::int4_bytes(shape))
                                 : static_cast<std::size_t>(shape.elements()) * element_bytes(type);
}

inline std::string_view text(const flatbuffers::String* string) {
  return string == nullptr ? std::string_view() : std::string_view(string->c_str(), string->size());
}

// A view of the file's tensor `index` when the batch is `batch`: constants point into the file,
// others nowhere yet. Index -1 gives the absent operand.
Tensor tensor_view(const format::Model& root, int index, int batch);

// The row of an operator in the table of rooms.
inline const ops::OperatorEntry& entry_of(const format::Operator& node) {
  return ops::kOperators[static_cast<int>(node.options_type())];
}

// An operator's operands at `batch`, written to `inputs` (kMaxInputs long) and `output`.
void view_operands(const format::Model& root, const format::Operator& node, int batch,
                   Tensor* inputs, Tensor* output);

// The packed weights of operator `index` in a file that has any.
inline std::span<const std::byte> packed_blocks(const Model& model, int index) {
  const format::PackedWeights& packed = *model.root().packed();
  const auto at = [&](int i) {
    return static_cast<std::size_t>(packed.starts()->Get(static_cast<flatbuffers::uoffset_t>(i)));
  };
  return model.bytes().subspan(static_cast<std::size_t>(packed.offset()) + at(index),
                               at(index + 1) - at(index));
}

// The model's golden; null where it has none, as after a delta was applied on a device: then the
// digest is all zeros.
inline const format::Golden* golden_of(const format::Model& root) {
  const format::Golden* golden = root.golden();
  if (golden == nullptr || golden->output_digest() == nullptr) return nullptr;
  for (const std::uint8_t byte : *golden->output_digest()->bytes())
    if (byte != 0) return golden;
  return nullptr;
}

// Whether what the file says of itself (kind, prior, how the first output is to be read) can be
// meant so. Tensors, ports and operators have been checked.
Status check_facts(const format::Model& root);

// Runs every operator's shape rule at `batch` against what the file declares.
Status check_shapes(const format::Model& root, int batch);

}  // namespace figment
