// Trainer::write_delta: what has learned, as a FlatBuffer written from front to back.
//
// FlatBufferBuilder writes from back to front and wants room beyond the result, of which it cannot
// say before how much. Here every table comes before what it points to, so that the same code
// measures and writes, and needs exactly what it writes.
#include <cstddef>
#include <cstring>

#include "runtime/format/sha256.h"
#include "runtime/train/delta.h"
#include "runtime/train/effective_weights.h"

namespace figment {
namespace {

using train::Parameter;
using Offset = flatbuffers::uoffset_t;  // of what it leads to, from its own place

// FlatBuffers count with 32 signed bits.
constexpr std::size_t kMostBytes = 0x7fffffff;

// Tables as they stand in the file. The first field of each leads back to its field table, which
// has in order of the fields where they are (0 would mean absent; none is).
struct TensorTable {
  std::int32_t back;
  std::int32_t index;
  Offset name, shape, values;
  std::int32_t rank;
  Offset left, right;
};
constexpr std::uint16_t kTensorFields[] = {18,
                                           sizeof(TensorTable),
                                           offsetof(TensorTable, index),
                                           offsetof(TensorTable, name),
                                           offsetof(TensorTable, shape),
                                           offsetof(TensorTable, values),
                                           offsetof(TensorTable, rank),
                                           offsetof(TensorTable, left),
                                           offsetof(TensorTable, right)};
static_assert(sizeof kTensorFields == 18 && format::TensorDelta::VT_RIGHT == 16);

struct SectionTable {
  std::int32_t back;
  Offset base_name, tensors;
  std::uint8_t base_hash[sizeof(format::Hash)];
};
constexpr std::uint16_t kSectionFields[] = {
    10, sizeof(SectionTable), offsetof(SectionTable, base_hash), offsetof(SectionTable, base_name),
    offsetof(SectionTable, tensors)};
static_assert(sizeof kSectionFields == 10 && format::Section::VT_TENSORS == 8);

struct DeltaTable {
  std::int32_t back;
  std::uint32_t version;
  Offset sections, runtime_version;
  std::uint64_t examples_seen, updates;
  std::uint8_t content_hash[sizeof(format::Hash)];
};
constexpr std::uint16_t kDeltaFields[] = {16,
                                          sizeof(DeltaTable),
                                          offsetof(DeltaTable, version),
                                          offsetof(DeltaTable, content_hash),
                                          offsetof(DeltaTable, sections),
                                          offsetof(DeltaTable, examples_seen),
                                          offsetof(DeltaTable, updates),
                                          offsetof(DeltaTable, runtime_version)};
static_assert(sizeof kDeltaFields == 16 && format::Delta::VT_RUNTIME_VERSION == 14);

// Puts bytes one after another; without room it counts alone.
class Writer {
 public:
  explicit Writer(std::span<std::byte> bytes) : bytes_(bytes) {}
  std::size_t size() const { return at_; }
  std::byte* at(std::size_t place) const { return bytes_.data() + place; }
  bool writes() const { return !bytes_.empty(); }

  void align(std::size_t unit) {
    constexpr std::byte kZeros[8] = {};
    put_bytes(kZeros, (unit - at_ % unit) % unit);
  }
  std::size_t put_bytes(const void* data, std::size_t size) {
    const std::size_t place = at_;
    if (writes() && size > 0) std::memcpy(at(place), data, size);
    at_ += size;
    return place;
  }
  template <typename T>
  std::size_t put(const T& value) {
    align(alignof(T));
    return put_bytes(&value, sizeof value);
  }
  // The offset at `place` leads to what comes next, which needs the alignment of a count.
  void lead_here(std::size_t place) {
    align(sizeof(Offset));
    const auto distance = static_cast<Offset>(at_ - place);
    if (writes()) std::memcpy(at(place), &distance, sizeof distance);
  }
  // A table whose fields `fields` lists; what it points to is not there yet.
  template <typename Table>
  std::size_t put_table(Table table, std::size_t fields) {
    align(alignof(Table));
    table.back = static_cast<std::int32_t>(at_ - fields);
    return put(table);
  }

  template <typename T>
  void put_vector(std::size_t place, const T* data, std::size_t count) {
    lead_here(place);
    put(static_cast<Offset>(count));
    put_bytes(data, count * sizeof(T));
  }
  // values[i] * factor
  void put_scaled(std::size_t place, const float* values, std::int64_t count, float factor) {
    lead_here(place);
    put(static_cast<Offset>(count));
    if (factor == 1) {
      put_bytes(values, static_cast<std::size_t>(count) * sizeof(float));
      return;
    }
    for (std::int64_t i = 0; i < count; ++i) put(values[i] * factor);
  }
  void put_text(std::size_t place, std::string_view text) {
    put_vector(place, text.data(), text.size());
    put('\0');
  }
  // Room for `count` offsets; returns the first one's place.
  std::size_t put_offsets(std::size_t place, std::size_t count) {
    lead_here(place);
    put(static_cast<Offset>(count));
    const std::size_t first = at_;
    for (std::size_t i = 0; i < count; ++i) put(Offset{0});
    return first;
  }

 private:
  std::span<std::byte> bytes_;
  std::size_t at_ = 0;
};

// Lays the whole file out.
class DeltaFile {
 public:
  DeltaFile(const Trainer::State& state, std::uint64_t examples_seen, Writer& writer)
      : state_(state), examples_seen_(examples_seen), writer_(writer) {}

  void write() {
    const std::size_t root = writer_.put(Offset{0});
    writer_.put_bytes(format::DeltaIdentifier(), 4);
    tensor_fields_ = put_fields(kTensorFields);
    section_fields_ = put_fields(kSectionFields);
    const std::size_t delta_fields = put_fields(kDeltaFields);

    writer_.align(alignof(DeltaTable));
    writer_.lead_here(root);
    DeltaTable table{};
    table.version = train::kDeltaVersion;
    table.examples_seen = examples_seen_;
    table.updates = static_cast<std::uint64_t>(state_.counters->updates);
    const std::size_t delta = writer_.put_table(table, delta_fields);
    hash_ = delta + offsetof(DeltaTable, content_hash);
    writer_.put_text(delta + offsetof(DeltaTable, runtime_version), kVersion);
    std::size_t count = 0;
    for (int model = 0; model < 2; ++model) count += learned_of(model) > 0 ? 1 : 0;
    std::size_t place = writer_.put_offsets(delta + offsetof(DeltaTable, sections), count);
    for (int model = 0; model < 2; ++model) {
      const std::size_t learned = learned_of(model);
      if (learned == 0) continue;
      write_section(place, model, learned);
      place += sizeof(Offset);
    }
  }

  // Once all is written.
  void fill_hash() const {
    auto* field = reinterpret_cast<format::Hash*>(writer_.at(hash_));
    const format::Digest digest = format::hash_around({writer_.at(0), writer_.size()}, field);
    std::memcpy(field, digest.data(), digest.size());
  }

 private:
  template <std::size_t kCount>
  std::size_t put_fields(const std::uint16_t (&fields)[kCount]) {
    return writer_.put_bytes(fields, sizeof fields);
  }

  std::size_t learned_of(int model) const {
    std::size_t count = 0;
    for (const Parameter& parameter : state_.parameters) count += parameter.model == model ? 1 : 0;
    return count;
  }

  void write_section(std::size_t place, int model, std::size_t learned) {
    const format::Model& root = *state_.roots[model];
    SectionTable table{};
    std::memcpy(table.base_hash, root.content_hash(), sizeof table.base_hash);
    writer_.lead_here(place);
    const std::size_t section = writer_.put_table(table, section_fields_);
    writer_.put_text(section + offsetof(SectionTable, base_name), text(root.name()));
    std::size_t tensor = writer_.put_offsets(section + offsetof(SectionTable, tensors), learned);
    for (const Parameter& parameter : state_.parameters) {
      if (parameter.model != model) continue;
      write_tensor(tensor, parameter, root);
      tensor += sizeof(Offset);
    }
  }

  void write_tensor(std::size_t place, const Parameter& parameter, const format::Model& root) {
    const bool adapts = parameter.adapts();
    TensorTable table{};
    table.index = parameter.tensor;
    table.rank = adapts ? parameter.rank : 0;
    writer_.lead_here(place);
    const std::size_t at = writer_.put_table(table, tensor_fields_);
    const auto index = static_cast<Offset>(parameter.tensor);
    writer_.put_text(at + offsetof(TensorTable, name), text(root.tensors()->Get(index)->name()));
    const Shape& shape = parameter.source.shape;
    writer_.put_vector(at + offsetof(TensorTable, shape), shape.dims,
                       static_cast<std::size_t>(shape.rank));
    const float factor =
        parameter.is_spectral() ? static_cast<float>(1 / train::singular_value(parameter)) : 1;
    writer_.put_scaled(at + offsetof(TensorTable, values), parameter.values,
                       adapts ? 0 : parameter.count, factor);
    const std::int64_t rank = table.rank;
    writer_.put_scaled(at + offsetof(TensorTable, left), parameter.values, parameter.rows * rank,
                       1);
    writer_.put_scaled(at + offsetof(TensorTable, right), adapts ? parameter.right() : nullptr,
                       rank * parameter.columns, 1);
  }

  const Trainer::State& state_;
  std::uint64_t examples_seen_;
  Writer& writer_;
  std::size_t tensor_fields_ = 0, section_fields_ = 0, hash_ = 0;
};

Status check_learned(const Trainer::State& state) {
  bool has_section[2] = {};
  for (const Parameter& parameter : state.parameters) {
    const format::Model& root = *state.roots[parameter.model];
    has_section[parameter.model] = true;
    if (root.content_hash() == nullptr)
      return bad_argument({"the model '", text(root.name()),
                           "' carries no content hash, by which a delta knows it; convert it "
                           "again"});
    const auto index = static_cast<Offset>(parameter.tensor);
    const std::string_view name = text(root.tensors()->Get(index)->name());
    bool finite = true;
    for (std::int64_t i = 0; i < parameter.count; ++i)
      finite &= parameter.values[i] - parameter.values[i] == 0;
    if (!finite)
      return bad_argument({"tensor '", name, "' of '", text(root.name()),
                           "' has learned numbers that are not finite; lower the learning rate"});
    if (parameter.is_spectral() && !(train::singular_value(parameter) > 0))
      return bad_argument({"tensor '", name, "' of '", text(root.name()),
                           "' has no singular value before the first step"});
  }
  if (has_section[0] && has_section[1] &&
      train::same_hash(*state.roots[0]->content_hash(), *state.roots[1]->content_hash()))
    return bad_argument({"both models are the same file, '", text(state.roots[0]->name()),
                         "': a delta could not tell them apart"});
  return {};
}

}  // namespace

Result<std::size_t> Trainer::write_delta(std::span<std::byte> bytes,
                                         std::uint64_t examples_seen) const {
  FIG_TRY(check_learned(*state_));
  Writer measure({});
  DeltaFile(*state_, examples_seen, measure).write();
  const std::size_t needed = measure.size();
  if (needed > kMostBytes)
    return bad_argument(
        {"the delta would take more than 2 GB, the most that one can hold; learn "
         "fewer tensors, or adapters"});
  if (bytes.size() < needed) {
    Status status =
        make_error(ErrorCode::kArenaTooSmall,
                   {"the delta takes ", needed, " bytes but there is room for ", bytes.size()});
    status.bytes_needed = needed;
    return status;
  }
  Writer writer(bytes.first(needed));
  DeltaFile file(*state_, examples_seen, writer);
  file.write();
  file.fill_hash();
  return needed;
}

}  // namespace figment
