// Checks all that a delta could lie about by itself.
#include "runtime/train/delta.h"

#include <cstring>

#include "runtime/format/sha256.h"
#include "runtime/model_view.h"

namespace figment::train {
namespace {

using Floats = flatbuffers::Vector<float>;

std::int64_t count_of(const Floats* values) {
  return values == nullptr ? 0 : static_cast<std::int64_t>(values->size());
}

bool is_finite(const Floats* values) {
  bool finite = true;
  for (std::int64_t i = 0; i < count_of(values); ++i) {
    const float value = values->data()[i];
    finite &= value - value == 0;
  }
  return finite;
}

Status check_shape(const format::TensorDelta& tensor) {
  const std::size_t rank = tensor.shape() == nullptr ? 0 : tensor.shape()->size();
  if (rank > kMaxRank)
    return bad_file({"the delta's tensor '", text(tensor.name()), "' has ", rank,
                     " axes, more than ", kMaxRank});
  std::int64_t elements = 1;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const std::int32_t extent = tensor.shape()->Get(static_cast<flatbuffers::uoffset_t>(axis));
    if (extent > 0) elements *= extent;
    if (extent <= 0 || elements > kMaxElements)
      return bad_file(
          {"the delta's tensor '", text(tensor.name()), "' has a shape that no tensor has"});
  }
  return {};
}

Status check_tensor(const format::TensorDelta& tensor) {
  FIG_TRY(check_shape(tensor));
  const Shape shape = shape_of(tensor);
  const MatrixExtents matrix = matrix_extents(shape);
  const std::int64_t rank = tensor.rank();
  const bool fits = rank > 0 ? count_of(tensor.values()) == 0 &&
                                   count_of(tensor.left()) == matrix.rows * rank &&
                                   count_of(tensor.right()) == rank * matrix.columns
                             : rank == 0 && count_of(tensor.values()) == shape.elements() &&
                                   count_of(tensor.left()) == 0 && count_of(tensor.right()) == 0;
  if (!fits)
    return bad_file({"the delta's tensor '", text(tensor.name()),
                     "' has not as many numbers as its shape ", shape, " says"});
  if (!is_finite(tensor.values()) || !is_finite(tensor.left()) || !is_finite(tensor.right()))
    return bad_file(
        {"the delta's tensor '", text(tensor.name()),
         "' holds numbers that are not finite; train again with a lower learning rate"});
  return {};
}

Status check_section(const format::Section& section) {
  if (section.base_hash() == nullptr || section.tensors() == nullptr)
    return bad_file({"the delta does not say which model it belongs to; train again"});
  std::int32_t last = -1;
  for (const format::TensorDelta* tensor : *section.tensors()) {
    if (tensor->index() <= last)
      return bad_file({"the delta's tensor '", text(tensor->name()), "' stands out of order"});
    last = tensor->index();
    FIG_TRY(check_tensor(*tensor));
  }
  return {};
}

}  // namespace

MatrixExtents matrix_extents(const Shape& shape) {
  const std::int64_t elements = shape.elements();
  const std::int64_t columns =
      shape.rank == 5 ? shape[4] : elements / (shape.rank > 0 ? shape[0] : 1);
  return {columns > 0 ? elements / columns : 0, columns};
}

Shape shape_of(const format::TensorDelta& tensor) {
  Shape shape;
  if (tensor.shape() == nullptr) return shape;
  for (const std::int32_t extent : *tensor.shape()) shape.dims[shape.rank++] = extent;
  return shape;
}

Result<const format::Delta*> open_delta(std::span<const std::byte> bytes) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  if (bytes.size() < 16 || !format::DeltaBufferHasIdentifier(data))
    return bad_file(
        {"this is no delta: it does not carry the mark FGD1; make one with figment train"});
  if (reinterpret_cast<std::uintptr_t>(data) % kDeltaAlignment != 0)
    return bad_argument({"a delta's bytes must begin at a multiple of ", kDeltaAlignment});
  flatbuffers::Verifier verifier(data, bytes.size(), 8, 4'000'000);
  if (!format::VerifyDeltaBuffer(verifier))
    return bad_file({"the delta is damaged or cut short (", bytes.size(),
                     " bytes); fetch it again, or train again"});
  const format::Delta& delta = *format::GetDelta(data);
  if (delta.version() > kDeltaVersion)
    return unsupported({"the delta has format version ", delta.version(),
                        "; this runtime reads up to ", kDeltaVersion, "; update Figment"});
  const format::Digest digest = format::hash_around(bytes, delta.content_hash());
  if (delta.content_hash() == nullptr ||
      std::memcmp(delta.content_hash(), digest.data(), digest.size()) != 0)
    return bad_file({"the delta is damaged: its content hash differs; fetch it again"});
  if (delta.sections() == nullptr || delta.sections()->size() == 0)
    return bad_file({"the delta holds nothing that was learned"});
  for (const format::Section* section : *delta.sections()) {
    FIG_TRY(check_section(*section));
    for (const format::Section* before : *delta.sections()) {
      if (before == section) break;
      if (same_hash(*before->base_hash(), *section->base_hash()))
        return bad_file(
            {"the delta has two sections for the model '", text(section->base_name()), "'"});
    }
  }
  return &delta;
}

}  // namespace figment::train
