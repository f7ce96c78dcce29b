// Tuned files that are damaged or lie: refused by Model::open where the tables show it, else by
// Session::create, and nothing beyond the file is read.
#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <limits>

#include "runtime/model_view.h"
#include "runtime/simd/kernels.h"
#include "tests/support/guarded.h"
#include "tests/support/loaded_model.h"
#include "tests/support/tuned_model.h"
#include "tests/xnnpack/packed_examples.h"

namespace figment::xnnpack {
namespace {

using testing::align_bytes;
using testing::AlignedMemory;
using testing::Example;
using testing::Guarded;

const format::PackedWeights& packed_of(const std::vector<std::byte>& file) {
  return *format::GetModel(file.data())->packed();
}

// The model's tables, and behind them, at `offset`, the packed weights of `file`.
std::vector<std::byte> join(const format::ModelT& tables, std::size_t offset,
                            const std::vector<std::byte>& file) {
  flatbuffers::FlatBufferBuilder builder;
  format::FinishModelBuffer(builder, format::Model::Pack(builder, &tables));
  const auto* begin = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
  std::vector<std::byte> joined(begin, begin + builder.GetSize());
  REQUIRE(joined.size() <= offset);
  joined.resize(offset);
  const auto packed = file.begin() + static_cast<std::ptrdiff_t>(packed_of(file).offset());
  joined.insert(joined.end(), packed, packed + static_cast<std::ptrdiff_t>(packed_of(file).size()));
  return joined;
}

// A tuned file that ends with its packed weights: where they lie is the file's own affair.
std::vector<std::byte> tune(const Example& example) {
  const AlignedMemory memory = align_bytes(example.file);
  const Result<Model> model = Model::open(memory.span());
  REQUIRE(model.ok());
  const std::vector<std::byte> file = testing::tune_model(*model, example.lowering);
  format::ModelT tables;
  format::GetModel(file.data())->UnPackTo(&tables);
  tables.packed->offset = (example.file.size() / 4096 + 2) * 4096;
  return join(tables, tables.packed->offset, file);
}

// The file with other tables of packed weights, which themselves stay where they are.
std::vector<std::byte> with_tables(const std::vector<std::byte>& file,
                                   const std::function<void(format::PackedWeightsT&)>& change) {
  format::ModelT tables;
  format::GetModel(file.data())->UnPackTo(&tables);
  change(*tables.packed);
  return join(tables, packed_of(file).offset(), file);
}

// The file with another size in front of its first block.
std::vector<std::byte> with_block_size(std::vector<std::byte> file, std::uint64_t size) {
  std::memcpy(file.data() + packed_of(file).offset(), &size, sizeof size);
  return file;
}

std::uint64_t block_size(const std::vector<std::byte>& file) {
  std::uint64_t size = 0;
  std::memcpy(&size, file.data() + packed_of(file).offset(), sizeof size);
  return size;
}

void check_not_opened(const std::vector<std::byte>& file) {
  const AlignedMemory memory = align_bytes(file);
  const Result<Model> model = Model::open(memory.span());
  REQUIRE_FALSE(model.ok());
  CHECK(model.status().code == ErrorCode::kBadFile);
  CHECK(model.status().message() ==
        "the packed weights do not lie in the file; tune or convert it again");
}

// The file is opened, but neither measured nor made a session of. It ends where nothing may be
// read.
void check_no_session(const std::vector<std::byte>& file) {
  const Guarded<std::byte> memory(file);
  const Result<Model> model = Model::open({memory.data(), memory.size()});
  REQUIRE_MESSAGE(model.ok(), std::string(model.status().message()));
  REQUIRE(model->tuning() == Tuning::kHere);
  const auto check = [](const Status& status) {
    CHECK(status.code == ErrorCode::kBadFile);
    CHECK(status.operator_index == 0);
    CHECK(status.message() ==
          "the packed weights are not those of this model; run figment tune again");
  };
  check(Session::arena_bytes(*model, {}).status());
  const AlignedMemory arena(1 << 22);
  check(Session::create(*model, arena.span(), {}).status());
}

// With the loops of every instruction set that this processor has.
void with_every_table(const std::function<void()>& check) {
  for (const std::string name : {"base", "avx2", "avx512", "avx512vnni", "amx", "neondot"}) {
    if (!simd::cap_kernels(name.c_str())) continue;
    CAPTURE(name);
    check();
  }
  simd::cap_kernels(nullptr);
}

}  // namespace

TEST_CASE("tables that point out of the file are refused as it is opened") {
  const std::vector<std::byte> file = tune(testing::dense_example(DataType::kFloat32, 45, 37));
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  const std::size_t bytes = file.size();
  using Tables = format::PackedWeightsT;
  // Unchanged it is accepted.
  const AlignedMemory sound = align_bytes(with_tables(file, [](Tables&) {}));
  REQUIRE(Model::open(sound.span()).ok());

  const std::function<void(Tables&)> damages[] = {
      [](Tables& packed) { packed.offset += 64; },
      [](Tables& packed) { packed.offset -= 1; },
      [&](Tables& packed) { packed.offset = (bytes / 4096 + 1) * 4096; },
      [](Tables& packed) { packed.offset += 4096; },
      [&](Tables& packed) { packed.offset = kMost / 4096 * 4096; },
      [](Tables& packed) { packed.size += 1; },
      [&](Tables& packed) { packed.size = kMost; },
      [&](Tables& packed) { packed.size = kMost - packed.offset + 1; },
      [](Tables& packed) {
        packed.starts = {64, 0};
      },
      [](Tables& packed) {
        packed.starts = {packed.size, 64};
      },
      [](Tables& packed) { packed.starts = {0}; },
      [](Tables& packed) { packed.starts = {}; },
      [](Tables& packed) {
        packed.starts = {0, 64, packed.size};
      },
      [](Tables& packed) {
        packed.starts = {0, packed.size + 64};
      },
      [&](Tables& packed) {
        packed.starts = {kMost - 63, kMost - 63};
      },
      [](Tables& packed) {
        packed.starts = {0, 100};
      },
      [](Tables& packed) {
        packed.starts = {1, packed.size};
      },
  };
  int index = 0;
  for (const auto& damage : damages) {
    CAPTURE(index);
    check_not_opened(with_tables(file, damage));
    ++index;
  }
}

TEST_CASE("a file that is cut within its packed weights is refused as it is opened") {
  std::vector<std::byte> file = tune(testing::dense_example(DataType::kFloat32, 45, 37));
  file.resize(file.size() - 64);
  check_not_opened(file);
}

TEST_CASE("blocks of another size are refused with a sentence that says to tune again") {
  with_every_table([] {
    for (const Example& example : testing::packed_examples()) {
      if (!example.packs) continue;
      CAPTURE(example.name);
      CAPTURE(example.lowering);
      const std::vector<std::byte> file = tune(example);
      const std::uint64_t size = block_size(file);
      for (const std::uint64_t other : {std::uint64_t{0}, std::uint64_t{1}, size - 64, size + 64,
                                        size + (1 << 20), std::numeric_limits<std::uint64_t>::max(),
                                        std::numeric_limits<std::uint64_t>::max() - 63}) {
        CAPTURE(other);
        check_no_session(with_block_size(file, other));
      }
    }
  });
}

TEST_CASE("blocks too few or too many are refused") {
  with_every_table([] {
    for (const Example& example : testing::packed_examples()) {
      if (!example.packs) continue;
      CAPTURE(example.name);
      CAPTURE(example.lowering);
      const std::vector<std::byte> file = tune(example);
      // The first operator's blocks end before the last one, or in it.
      check_no_session(
          with_tables(file, [](format::PackedWeightsT& packed) { packed.starts[1] -= 64; }));
      check_no_session(
          with_tables(file, [](format::PackedWeightsT& packed) { packed.starts[1] = 64; }));
      // Another block stands behind them.
      std::vector<std::byte> more = with_tables(file, [](format::PackedWeightsT& packed) {
        packed.size += 128;
        packed.starts[1] += 128;
      });
      const std::uint64_t size = 64;
      const std::size_t at = more.size();
      more.resize(at + 128);
      std::memcpy(more.data() + at, &size, sizeof size);
      check_no_session(more);
    }
  });
}

TEST_CASE("a block is refused for its size even where everything around it fits that size") {
  with_every_table([] {
    for (const Example& example : testing::packed_examples()) {
      if (!example.packs) continue;
      CAPTURE(example.name);
      CAPTURE(example.lowering);
      for (const std::uint64_t size : {64, 640}) {
        std::vector<std::byte> file = with_tables(
            tune(example),
            [&](format::PackedWeightsT& packed) { packed.starts[1] = packed.size = 64 + size; });
        file = with_block_size(std::move(file), size);
        file.resize(packed_of(file).offset() + 64 + size);
        check_no_session(file);
      }
    }
  });
}

// Narrow weights take less room in the file than float32 would.
TEST_CASE("where blocks are missing, narrow weights are not read as if they were float32") {
  with_every_table([] {
    for (const DataType type : {DataType::kFloat16, DataType::kInt8}) {
      if (type == DataType::kInt8 && simd::kernels().multiply_int8 == nullptr) continue;
      std::vector<Example> examples{testing::dense_example(type, 256, 256)};
      for (const char* lowering : {"xnnpack", "gemm + col2im", "winograd 4x4"})
        examples.push_back(testing::conv2d_example(type, lowering));
      for (const Example& example : examples) {
        CAPTURE(example.name);
        CAPTURE(example.lowering);
        std::vector<std::byte> file = with_tables(
            tune(example),
            [](format::PackedWeightsT& packed) { packed.starts[1] = packed.size = 64; });
        file.resize(packed_of(file).offset() + 64);
        check_no_session(file);
      }
    }
  });
}

}  // namespace figment::xnnpack
