// The same tables as in the model's file, then the packed weights, then the constants that were
// packed: a machine for which the file is tuned reads one piece from the file's start. Systems map
// a file in pieces of up to 2 MB, so what lies between two pages that are read takes memory too.
#include "converter/emit/tuned.h"

#include <cstring>

#include "converter/graph/graph.h"
#include "runtime/format/sha256.h"
#include "runtime/model_view.h"

namespace figment::converter {
namespace {

constexpr std::size_t kBlockAlignment = 64;
constexpr std::size_t kMostBytes = 0x7fffffff;
// Constants of more bytes stand behind everything else: those are the weights. Biases and the like
// are read as they are, and stay with the tables.
constexpr std::size_t kLargeConstant = 4096;

std::size_t round_up(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

// Every operator's blocks one after another, each with its size in front.
struct Packed {
  std::vector<std::byte> bytes;
  std::vector<std::uint64_t> starts;
};

Packed join(const std::vector<TunedOperator>& operators) {
  Packed packed;
  for (const TunedOperator& tuned : operators) {
    packed.starts.push_back(packed.bytes.size());
    for (const std::span<const std::byte> block : tuned.blocks) {
      const std::uint64_t size = block.size();
      const std::size_t at = packed.bytes.size();
      packed.bytes.resize(at + kBlockAlignment + round_up(block.size(), kBlockAlignment));
      std::memcpy(packed.bytes.data() + at, &size, sizeof size);
      std::memcpy(packed.bytes.data() + at + kBlockAlignment, block.data(), block.size());
    }
  }
  packed.starts.push_back(packed.bytes.size());
  return packed;
}

// A large constant's numbers, taken out of the tables.
struct LargeConstant {
  flatbuffers::uoffset_t tensor;
  std::vector<std::uint8_t> data;
};

// One byte stays in each one's place, so that its tensor has an offset to set later.
std::vector<LargeConstant> take_large_constants(format::ModelT& tables) {
  std::vector<LargeConstant> taken;
  for (std::size_t i = 0; i < tables.tensors.size(); ++i) {
    std::vector<std::uint8_t>& data = tables.tensors[i]->data;
    if (data.size() <= kLargeConstant) continue;
    taken.push_back({static_cast<flatbuffers::uoffset_t>(i), {0}});
    taken.back().data.swap(data);
  }
  return taken;
}

// Writes a constant's numbers behind all of `bytes`, as the vector of FlatBuffers that it was, and
// lets its tensor point there.
void append_constant(const LargeConstant& constant, std::vector<std::byte>& bytes) {
  const std::size_t at = round_up(bytes.size() + sizeof(flatbuffers::uoffset_t), kBlockAlignment);
  bytes.resize(at + constant.data.size());
  const auto write_count = [&](std::size_t where, std::size_t count) {
    flatbuffers::WriteScalar(bytes.data() + where, static_cast<flatbuffers::uoffset_t>(count));
  };
  write_count(at - sizeof(flatbuffers::uoffset_t), constant.data.size());
  std::memcpy(bytes.data() + at, constant.data.data(), constant.data.size());
  const auto* tensor =
      format::GetModel(bytes.data())->tensors()->GetAs<flatbuffers::Table>(constant.tensor);
  const auto* data =
      reinterpret_cast<const std::byte*>(tensor->GetAddressOf(format::Tensor::VT_DATA));
  const auto field = static_cast<std::size_t>(data - bytes.data());
  write_count(field, at - sizeof(flatbuffers::uoffset_t) - field);  // offsets count from themselves
}

std::vector<std::byte> pack_tables(const format::ModelT& model) {
  flatbuffers::FlatBufferBuilder builder(1 << 20);
  format::FinishModelBuffer(builder, format::Model::Pack(builder, &model));
  std::vector<std::byte> bytes(builder.GetSize());
  std::memcpy(bytes.data(), builder.GetBufferPointer(), bytes.size());
  return bytes;
}

}  // namespace

std::vector<std::byte> emit_tuned(const Model& model, const std::vector<TunedOperator>& operators,
                                  const std::string& fingerprint) {
  format::ModelT tables;
  model.root().UnPackTo(&tables);
  for (std::size_t i = 0; i < operators.size(); ++i)
    tables.operators[i]->lowering = operators[i].lowering;
  tables.content_hash = std::make_unique<format::Hash>();
  tables.packed.reset();
  Packed packed;
  if (!fingerprint.empty()) {
    packed = join(operators);
    tables.packed = std::make_unique<format::PackedWeightsT>();
    tables.packed->fingerprint = fingerprint;
    tables.packed->size = packed.bytes.size();
    tables.packed->starts = packed.starts;
    // Any number but 0, which would be left out: the tables' size does not depend on which.
    tables.packed->offset = kPackedAlignment;
  }
  const std::vector<LargeConstant> large = take_large_constants(tables);
  std::vector<std::byte> bytes = pack_tables(tables);
  std::size_t total = bytes.size() + kPackedAlignment + packed.bytes.size();
  for (const LargeConstant& constant : large) total += constant.data.size() + 2 * kBlockAlignment;
  if (total > kMostBytes)
    throw ConvertError("the tuned file would take more than 2 GB, the most that one can hold");
  if (tables.packed) {
    tables.packed->offset = round_up(bytes.size(), kPackedAlignment);
    bytes = pack_tables(tables);
    bytes.reserve(total);
    bytes.resize(tables.packed->offset);
    bytes.insert(bytes.end(), packed.bytes.begin(), packed.bytes.end());
  }
  for (const LargeConstant& constant : large) append_constant(constant, bytes);
  bytes.resize(round_up(bytes.size(), kBlockAlignment));
  const format::Digest digest = format::content_hash(bytes);
  auto* stored = const_cast<format::Hash*>(format::GetModel(bytes.data())->content_hash());
  std::memcpy(stored, digest.data(), sizeof *stored);
  return bytes;
}

}  // namespace figment::converter
