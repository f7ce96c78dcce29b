// Weights packed in the file instead of the arena: the same numbers, in less memory, read where
// they lie, and packed anew on another machine.
#include "runtime/xnnpack/packed_weights.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "runtime/model_view.h"
#include "runtime/simd/kernels.h"
#include "tests/support/loaded_model.h"
#include "tests/support/tuned_model.h"
#include "tests/xnnpack/packed_examples.h"

namespace figment::xnnpack {
namespace {

using testing::align_bytes;
using testing::AlignedMemory;
using testing::Example;
using testing::RunningSession;

// What the arena keeps beside a block may be another few bytes than what the file does.
constexpr std::size_t kSlack = 1024;

// Caps the loops for as long as it lives.
struct Cap {
  explicit Cap(const std::string& name) : works(simd::cap_kernels(name.c_str())) {}
  ~Cap() { simd::cap_kernels(nullptr); }
  Cap(const Cap&) = delete;
  Cap& operator=(const Cap&) = delete;
  bool works;
};

// A file in memory and the model in it.
struct Opened {
  explicit Opened(const std::vector<std::byte>& bytes)
      : file(align_bytes(bytes)), model(open(file)) {}
  static Model open(const AlignedMemory& memory) {
    Result<Model> opened = Model::open(memory.span());
    REQUIRE_MESSAGE(opened.ok(), std::string(opened.status().message()));
    return *opened;
  }
  AlignedMemory file;
  Model model;
};

// What a model gives at a batch, and what that takes.
struct Outcome {
  std::vector<std::uint32_t> bits;
  std::string lowering;
  std::size_t arena_bytes, packed_bytes;
};

Outcome run(const Model& model, std::int32_t batch) {
  RunningSession running(model, {.batch = batch});
  testing::fill_inputs(running.session, model, 3);
  REQUIRE(running.session.run().ok());
  const Tensor output = running.session.output(0);
  std::vector<std::uint32_t> bits(static_cast<std::size_t>(output.elements()));
  std::memcpy(bits.data(), output.data, bits.size() * sizeof bits[0]);
  return {std::move(bits), std::string(running.session.operator_report(0).lowering),
          running.arena.span().size(), running.session.packed_bytes()};
}

// Overwrites the model's own weights; its biases stay.
void spoil_weights(const Opened& opened, const Example& example) {
  const format::Model& root = opened.model.root();
  for (const int operand : example.weights) {
    const int id =
        root.operators()->Get(0)->inputs()->Get(static_cast<flatbuffers::uoffset_t>(operand));
    const auto& data = *root.tensors()->Get(static_cast<flatbuffers::uoffset_t>(id))->data();
    std::memset(const_cast<std::uint8_t*>(data.data()), 0x41, data.size());
  }
}

// Calls `check` with every example, for the loops of every instruction set of this processor.
template <typename Check>
void with_examples(const Check& check) {
  for (const simd::Kernels* table : simd::tables()) {
    const std::string name = table->name;
    const Cap cap(name);
    if (!cap.works) continue;
    CAPTURE(name);
    for (const Example& example : testing::packed_examples()) {
      CAPTURE(example.name);
      CAPTURE(example.lowering);
      check(example, Opened(example.file));
    }
  }
}

}  // namespace

TEST_CASE("a tuned file gives the bits of an untuned one, from less memory and from any batch") {
  with_examples([](const Example& example, const Opened& original) {
    const Opened untuned(testing::choose_ways(original.model, example.lowering));
    const Opened tuned(testing::tune_model(original.model, example.lowering));
    CHECK(untuned.model.tuning() == Tuning::kNone);
    CHECK(tuned.model.tuning() == Tuning::kHere);
    const auto packed = static_cast<std::size_t>(tuned.model.root().packed()->size());
    CHECK((packed > 0) == example.packs);
    for (const std::int32_t batch : {1, 3}) {
      CAPTURE(batch);
      const Outcome before = run(untuned.model, batch);
      const Outcome after = run(tuned.model, batch);
      CHECK(before.lowering == example.lowering);
      CHECK(after.lowering == example.lowering);
      CHECK(after.bits == before.bits);
      const auto saved = before.packed_bytes - after.packed_bytes;
      CHECK(saved + kSlack >= packed);
      CHECK(saved <= packed + kSlack);
      CHECK(before.arena_bytes - after.arena_bytes + kSlack >= packed);
    }
  });
}

TEST_CASE("the weights are read where they lie: the model's own may be anything") {
  with_examples([](const Example& example, const Opened& original) {
    const std::vector<std::byte> bytes = testing::tune_model(original.model, example.lowering);
    const Opened tuned(bytes);
    const Opened spoiled(bytes);
    spoil_weights(spoiled, example);
    for (const std::int32_t batch : {1, 3})
      CHECK((run(spoiled.model, batch).bits == run(tuned.model, batch).bits) == example.packs);
  });
}

TEST_CASE("a file tuned at one batch serves every other") {
  with_examples([](const Example& example, const Opened& original) {
    CHECK(testing::tune_model(original.model, example.lowering, 3) ==
          testing::tune_model(original.model, example.lowering, 1));
  });
}

TEST_CASE("the arena of a tuned file is exact to the byte") {
  with_examples([](const Example& example, const Opened& original) {
    const Opened tuned(testing::tune_model(original.model, example.lowering));
    const Result<std::size_t> need = Session::arena_bytes(tuned.model, {});
    REQUIRE(need.ok());
    const AlignedMemory small(*need - 1);
    const Result<Session> refused = Session::create(tuned.model, small.span(), {});
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.status().code == ErrorCode::kArenaTooSmall);
    CHECK(refused.status().bytes_needed == *need);
  });
}

TEST_CASE("a file tuned for other loops is packed anew from the model's own weights") {
  const std::string best = simd::kernels().name;
  for (const simd::Kernels* table : simd::tables()) {
    const std::string name = table->name;
    if (name == best) continue;
    for (const Example& example : testing::packed_examples()) {
      CAPTURE(name);
      CAPTURE(example.name);
      CAPTURE(example.lowering);
      std::vector<std::byte> bytes;
      const Opened original(example.file);
      {
        const Cap cap(name);
        if (!cap.works) continue;
        bytes = testing::tune_model(original.model, example.lowering);
        CHECK(Opened(bytes).model.tuning() == Tuning::kHere);
      }
      const Opened elsewhere(bytes);
      CHECK(elsewhere.model.tuning() == Tuning::kElsewhere);
      // What the file has packed is not looked at.
      const auto& packed = *elsewhere.model.root().packed();
      const std::span<std::byte> blocks = elsewhere.file.span().subspan(
          static_cast<std::size_t>(packed.offset()), static_cast<std::size_t>(packed.size()));
      std::fill(blocks.begin(), blocks.end(), std::byte{0x41});
      const std::string lowering(text(elsewhere.model.root().operators()->Get(0)->lowering()));
      const Opened untuned(testing::choose_ways(original.model, lowering));
      const Outcome expected = run(untuned.model, 3);
      const Outcome found = run(elsewhere.model, 3);
      CHECK(found.bits == expected.bits);
      CHECK(found.packed_bytes == expected.packed_bytes);
      const Opened spoiled(bytes);
      spoil_weights(spoiled, example);
      CHECK(run(spoiled.model, 3).bits != expected.bits);
    }
  }
}

TEST_CASE("a fingerprint tells instruction sets apart, and fits its room") {
  std::vector<std::string> found;
  for (const simd::Kernels* table : simd::tables()) {
    const std::string name = table->name;
    const Cap cap(name);
    if (!cap.works) continue;
    const Fingerprint fingerprint;
    const std::string text(fingerprint.text());
    CHECK(text == Fingerprint().text());
    CHECK(text.find(" " + name + " ") != std::string::npos);
    CHECK(text.find('\0') == std::string::npos);
    CHECK(std::count(found.begin(), found.end(), text) == 0);
    found.push_back(text);
  }
  CHECK_FALSE(found.empty());
}

TEST_CASE("the memory that recording lacks is told as bytes, not as the backend's refusal") {
  for (const simd::Kernels* table : simd::tables()) {
    const std::string name = table->name;
    const Cap cap(name);
    if (!cap.works) continue;
    for (const std::string lowering : {"xnnpack", "gemm + col2im", "winograd 6x6"}) {
      CAPTURE(name);
      CAPTURE(lowering);
      const Opened opened(testing::conv2d_example(DataType::kFloat32, lowering).file);
      const Opened model(testing::choose_ways(opened.model, lowering));
      const Result<std::size_t> need = Session::arena_bytes(model.model, {});
      REQUIRE(need.ok());
      for (const std::size_t bytes : {std::size_t{4096}, *need / 2, *need - 64}) {
        const AlignedMemory arena(bytes);
        const PackedRecorder deaf{nullptr, [](void*, std::int32_t, std::span<const std::byte>) {}};
        const Status status = record_packed_weights(model.model, arena.span(), {}, deaf);
        CHECK(status.code == ErrorCode::kArenaTooSmall);
      }
    }
  }
}

}  // namespace figment::xnnpack
