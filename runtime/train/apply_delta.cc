// apply_delta: what was learned goes into a model's file in place, in the format that each tensor
// has there.
//
// All is checked first; then nothing can fail. Numbers pass through tiles on the stack.
#include <cmath>
#include <cstring>

#include "figment/train.h"
#include "runtime/format/sha256.h"
#include "runtime/math/half.h"
#include "runtime/math/stored_weights.h"
#include "runtime/model_view.h"
#include "runtime/train/delta.h"

namespace figment {
namespace {

using train::same_hash;

// Whole blocks of int4.
constexpr std::int64_t kTile = 4 * math::kInt4Block;

// What a tensor shall hold, computed from what it holds where factors are added to that.
class NewValues {
 public:
  NewValues(const Tensor& stored, const format::TensorDelta& delta)
      : stored_(stored), delta_(delta), columns_(train::matrix_extents(stored.shape).columns) {}

  void read(std::int64_t first, std::int64_t count, float* values) const {
    const std::int64_t rank = delta_.rank();
    if (rank == 0) {
      std::memcpy(values, delta_.values()->data() + first,
                  static_cast<std::size_t>(count) * sizeof(float));
      return;
    }
    math::widen_part(stored_, first, count, values);
    const float* right = delta_.right()->data();
    for (std::int64_t i = 0; i < count; ++i) {
      const float* left = delta_.left()->data() + (first + i) / columns_ * rank;
      const std::int64_t column = (first + i) % columns_;
      double sum = double{values[i]};
      for (std::int64_t k = 0; k < rank; ++k)
        sum += double{left[k]} * double{right[k * columns_ + column]};
      values[i] = static_cast<float>(sum);
    }
  }

  // Calls visit(first, count, values) for tiles of `count` numbers from `first` on.
  template <typename Visit>
  void each_tile(std::int64_t first, std::int64_t count, const Visit& visit) const {
    float tile[kTile];
    for (std::int64_t done = 0; done < count; done += kTile) {
      const std::int64_t size = count - done < kTile ? count - done : kTile;
      read(first + done, size, tile);
      visit(first + done, size, static_cast<const float*>(tile));
    }
  }

 private:
  const Tensor& stored_;
  const format::TensorDelta& delta_;
  std::int64_t columns_;
};

void store_floats(const Tensor& stored, const NewValues& values) {
  values.each_tile(
      0, stored.elements(), [&](std::int64_t first, std::int64_t count, const float* tile) {
        std::memcpy(stored.floats() + first, tile, static_cast<std::size_t>(count) * sizeof(float));
      });
}

void store_halves(const Tensor& stored, const NewValues& values) {
  auto* halves = static_cast<std::uint16_t*>(stored.data);
  values.each_tile(0, stored.elements(),
                   [&](std::int64_t first, std::int64_t count, const float* tile) {
                     for (std::int64_t i = 0; i < count; ++i)
                       halves[first + i] = math::narrow_to_half(tile[i]);
                   });
}

// A channel's new scale is written after its last number, for numbers may be read with the old one.
void store_int8(const Tensor& stored, const NewValues& values) {
  auto* bytes = static_cast<std::int8_t*>(stored.data);
  auto* scales = const_cast<float*>(stored.scales.data());
  const auto channels = static_cast<std::int64_t>(stored.scales.size());
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    const math::ChannelPlace place = math::place_of_channel(stored.shape, channels, channel);
    const auto each_tile = [&](const auto& visit) {
      for (std::int64_t run = 0; run < place.runs; ++run)
        values.each_tile(place.first + run * place.stride, place.length, visit);
    };
    float largest = 0;
    each_tile([&](std::int64_t, std::int64_t count, const float* tile) {
      for (std::int64_t i = 0; i < count; ++i) largest = std::fmax(largest, std::fabs(tile[i]));
    });
    const float scale = math::int8_scale(largest);
    each_tile([&](std::int64_t first, std::int64_t count, const float* tile) {
      for (std::int64_t i = 0; i < count; ++i)
        bytes[first + i] = math::narrow_to_int8(tile[i], scale);
    });
    scales[channel] = scale;
  }
}

void store_int4(const Tensor& stored, const NewValues& values) {
  const std::int64_t depth = math::int4_row_length(stored.shape);
  auto* scales = static_cast<std::uint16_t*>(stored.data);
  auto* packed = reinterpret_cast<std::uint8_t*>(scales + math::int4_scale_count(stored.shape));
  const std::int64_t rows = stored.elements() / depth;
  for (std::int64_t row = 0; row < rows; ++row, packed += math::int4_row_bytes(depth))
    for (std::int64_t at = 0; at < depth; at += math::kInt4Block) {
      float block[math::kInt4Block];
      const std::int64_t size = depth - at < math::kInt4Block ? depth - at : math::kInt4Block;
      values.read(row * depth + at, size, block);
      const std::uint16_t scale = math::choose_int4_scale({block, static_cast<std::size_t>(size)});
      *scales++ = scale;
      for (std::int64_t i = 0; i < size; ++i) {
        const int q = math::narrow_to_int4(block[i], math::widen_bfloat16(scale)) & 15;
        std::uint8_t& byte = packed[(at + i) / 2];
        byte = static_cast<std::uint8_t>(i % 2 == 0 ? q : byte | q << 4);
      }
    }
}

void store(const Tensor& stored, const NewValues& values) {
  switch (stored.type) {
    case DataType::kFloat16:
      return store_halves(stored, values);
    case DataType::kInt8:
      return store_int8(stored, values);
    case DataType::kInt4:
      return store_int4(stored, values);
    default:
      return store_floats(stored, values);
  }
}

// ---- Before anything is written ----

const format::Tensor& entry_of(const format::Model& root, const format::TensorDelta& delta) {
  return *root.tensors()->Get(static_cast<flatbuffers::uoffset_t>(delta.index()));
}

// Whether the tensor holds numbers as weights do, in a way that can be written.
bool holds_weights(const Tensor& stored) {
  if (!stored.constant) return false;
  if (stored.type == DataType::kInt8) {
    const auto channels = static_cast<std::int64_t>(stored.scales.size());
    const Shape& shape = stored.shape;
    return channels > 0 && (shape.rank == 5 ? channels == std::int64_t{shape[0]} * shape[3]
                                            : shape.elements() % channels == 0);
  }
  return stored.type == DataType::kFloat32 || stored.type == DataType::kFloat16 ||
         stored.type == DataType::kInt4;
}

Status check_tensor(const format::Model& root, const format::TensorDelta& delta) {
  if (delta.index() >= static_cast<std::int64_t>(root.tensors()->size()))
    return bad_file({"the delta's tensor '", text(delta.name()), "' is not in the model"});
  const Tensor stored = tensor_view(root, delta.index(), 1);
  if (!holds_weights(stored))
    return bad_file({"tensor ", delta.index(), " of the model, '", text(delta.name()),
                     "' in the delta, holds no weights"});
  const Shape shape = train::shape_of(delta);
  if (!(shape == stored.shape))
    return bad_file({"the delta's tensor '", text(delta.name()), "' has shape ", shape,
                     " but the model's ", stored.shape});
  bool fits = true;
  NewValues(stored, delta)
      .each_tile(0, stored.elements(), [&](std::int64_t, std::int64_t count, const float* tile) {
        for (std::int64_t i = 0; i < count; ++i) {
          const float value = stored.type == DataType::kFloat16
                                  ? math::widen_half(math::narrow_to_half(tile[i]))
                                  : tile[i];
          fits &= value - value == 0;
        }
      });
  if (!fits)
    return unsupported({"tensor '", text(delta.name()), "' has learned values that are too large ",
                        stored.type == DataType::kFloat16
                            ? "for float16; convert the model with float32 weights and train again"
                            : "to be numbers once its factors are multiplied"});
  return {};
}

// Bytes of the file.
struct Range {
  const std::uint8_t* begin;
  std::size_t size;
  bool meets(const Range& other) const {
    return begin < other.begin + other.size && other.begin < begin + size;
  }
};

// Calls visit(Range) for a table and the list of its fields.
template <typename Table, typename Visit>
void each_range(const Table& table, const Visit& visit) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(&table);
  const auto* fields = begin - flatbuffers::ReadScalar<flatbuffers::soffset_t>(begin);
  visit(Range{fields, flatbuffers::ReadScalar<flatbuffers::voffset_t>(fields)});
  visit(Range{begin, flatbuffers::ReadScalar<flatbuffers::voffset_t>(fields + 2)});
}
template <typename Vector, typename Visit>
void each_range(const Vector* vector, std::size_t element_bytes, const Visit& visit) {
  if (vector != nullptr)
    visit(Range{vector->Data() - sizeof(flatbuffers::uoffset_t),
                sizeof(flatbuffers::uoffset_t) + vector->size() * element_bytes});
}

// FlatBuffers may overlap, and pass the verifier. What is read while tensors are written must not
// be written.
Status check_apart(const format::Model& root, const format::Section& section) {
  bool apart = true;
  const auto check = [&](const Range& written) {
    const auto visit = [&](const Range& read) { apart &= !written.meets(read); };
    each_range(root, visit);
    each_range(root.tensors(), sizeof(flatbuffers::uoffset_t), visit);
    for (const format::TensorDelta* delta : *section.tensors()) {
      const format::Tensor& entry = entry_of(root, *delta);
      each_range(entry, visit);
      each_range(entry.shape(), sizeof(std::int32_t), visit);
      // The numbers themselves may be written, their counts not.
      each_range(entry.data(), 0, visit);
      each_range(entry.scales(), 0, visit);
    }
  };
  for (const format::TensorDelta* delta : *section.tensors()) {
    const format::Tensor& entry = entry_of(root, *delta);
    check({entry.data()->data(), entry.data()->size()});
    if (const auto* scales = entry.scales())
      check({scales->Data(), scales->size() * sizeof(float)});
  }
  if (apart) return {};
  return bad_file({"the model's tensors lie over each other; convert it again"});
}

Result<const format::Section*> find_section(const format::Model& root, const format::Delta& delta) {
  for (const format::Section* section : *delta.sections())
    if (same_hash(*section->base_hash(), *root.content_hash())) return section;
  const auto& sections = *delta.sections();
  const std::string_view name = text(sections.Get(0)->base_name());
  if (name == text(root.name()))
    return bad_argument({"the delta belongs to another file of the model '", name,
                         "': it was learned on other weights"});
  if (sections.size() > 1)
    return bad_argument({"the delta belongs to the models '", name, "' and '",
                         text(sections.Get(1)->base_name()), "', not to '", text(root.name()),
                         "' as it is in this file"});
  return bad_argument(
      {"the delta belongs to the model '", name, "', not to '", text(root.name()), "'"});
}

Status check_model(const Model& model) {
  const format::Model& root = model.root();
  if (model.tuning() != Tuning::kNone)
    return bad_argument({"'", model.name(),
                         "' was tuned: its packed weights would stay as they are; apply the delta "
                         "to the model as it was before, and tune the result"});
  if (root.content_hash() == nullptr)
    return bad_argument(
        {"the model carries no content hash, by which a delta knows it; convert it "
         "again"});
  const format::Digest digest = format::content_hash(model.bytes());
  if (std::memcmp(root.content_hash(), digest.data(), digest.size()) != 0)
    return bad_file({"the model was changed since it was converted: its content hash differs"});
  return {};
}

}  // namespace

Status apply_delta(std::span<std::byte> model_bytes, std::span<const std::byte> delta_bytes) {
  const Result<Model> model = Model::open(model_bytes);
  if (!model.ok()) return model.status();
  const format::Model& root = model->root();
  FIG_TRY(check_model(*model));
  const Result<const format::Delta*> delta = train::open_delta(delta_bytes);
  if (!delta.ok()) return delta.status();
  const Result<const format::Section*> section = find_section(root, **delta);
  if (!section.ok()) return section.status();
  for (const format::TensorDelta* tensor : *(*section)->tensors())
    FIG_TRY(check_tensor(root, *tensor));
  FIG_TRY(check_apart(root, **section));

  // The caller's bytes, of which `root` is a view.
  auto* hash = const_cast<format::Hash*>(root.content_hash());
  auto* golden = root.golden() == nullptr
                     ? nullptr
                     : const_cast<format::Hash*>(root.golden()->output_digest());
  for (const format::TensorDelta* tensor : *(*section)->tensors()) {
    const Tensor stored = tensor_view(root, tensor->index(), 1);
    store(stored, NewValues(stored, *tensor));
  }
  // What the model gives now, nobody has computed.
  if (golden != nullptr) *golden = format::Hash{};
  const format::Digest digest = format::hash_around(model_bytes, hash);
  std::memcpy(hash, digest.data(), digest.size());
  return {};
}

}  // namespace figment
