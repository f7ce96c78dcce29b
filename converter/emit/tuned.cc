// The same tables as in the model's file, then a page with the packed weights.
#include "converter/emit/tuned.h"

#include <cstring>

#include "converter/graph/graph.h"
#include "runtime/format/sha256.h"
#include "runtime/model_view.h"

namespace figment::converter {
namespace {

constexpr std::size_t kBlockAlignment = 64;
constexpr std::size_t kMostBytes = 0x7fffffff;

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
  std::vector<std::byte> bytes = pack_tables(tables);
  if (bytes.size() + kPackedAlignment + packed.bytes.size() > kMostBytes)
    throw ConvertError("the tuned file would take more than 2 GB, the most that one can hold");
  if (tables.packed) {
    tables.packed->offset = round_up(bytes.size(), kPackedAlignment);
    bytes = pack_tables(tables);
    bytes.resize(tables.packed->offset);
    bytes.insert(bytes.end(), packed.bytes.begin(), packed.bytes.end());
  }
  const format::Digest digest = format::content_hash(bytes);
  auto* stored = const_cast<format::Hash*>(format::GetModel(bytes.data())->content_hash());
  std::memcpy(stored, digest.data(), sizeof *stored);
  return bytes;
}

}  // namespace figment::converter
