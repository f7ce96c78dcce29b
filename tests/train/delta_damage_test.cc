// Deltas and models that are damaged or lie: refused with a sentence, and nothing is changed.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "tests/support/guarded.h"
#include "tests/train/learner.h"

namespace figment::testing {
namespace {

TEST_CASE("dishonest deltas are refused with a sentence") {
  const Learned learned;
  const Learned adapted(nullptr, 2);
  const std::vector<std::byte> model = file_of(make_graph());
  struct Case {
    std::function<void(format::DeltaT&)> change;
    ErrorCode code;
    const char* words;
    bool adapter = false;
  };
  const auto tensor = [](format::DeltaT& delta) -> format::TensorDeltaT& {
    return *delta.sections[0]->tensors[0];
  };
  const Case cases[] = {
      {[](format::DeltaT& d) { d.version = 9; }, ErrorCode::kUnsupported, "format version 9"},
      {[](format::DeltaT& d) { d.content_hash.reset(); }, ErrorCode::kBadFile, "content hash"},
      {[](format::DeltaT& d) { d.sections.clear(); }, ErrorCode::kBadFile, "nothing"},
      {[](format::DeltaT& d) { d.sections[0]->base_hash.reset(); }, ErrorCode::kBadFile,
       "which model"},
      {[](format::DeltaT& d) {
         d.sections.push_back(std::make_unique<format::SectionT>(*d.sections[0]));
       },
       ErrorCode::kBadFile, "two sections"},
      {[&](format::DeltaT& d) { tensor(d).index = -1; }, ErrorCode::kBadFile, "out of order"},
      {[](format::DeltaT& d) { std::swap(d.sections[0]->tensors[0], d.sections[0]->tensors[1]); },
       ErrorCode::kBadFile, "out of order"},
      {[](format::DeltaT& d) { d.sections[0]->tensors.back()->index = 9999; }, ErrorCode::kBadFile,
       "is not in the model"},
      {[](format::DeltaT& d) { d.sections[0]->tensors[0]->index = 0; }, ErrorCode::kBadFile,
       "holds no weights"},
      {[&](format::DeltaT& d) { tensor(d).values.pop_back(); }, ErrorCode::kBadFile, "as many"},
      {[&](format::DeltaT& d) {
         tensor(d).shape = {-1, 3600};
       },
       ErrorCode::kBadFile, "that no tensor has"},
      {[&](format::DeltaT& d) {
         tensor(d).shape = {1 << 30, 1 << 30, 1 << 30};
       },
       ErrorCode::kBadFile, "that no tensor has"},
      {[&](format::DeltaT& d) {
         tensor(d).shape = {50, 72};
       },
       ErrorCode::kBadFile, "but the model's 72x50"},
      {[&](format::DeltaT& d) { tensor(d).shape.assign(9, 1); }, ErrorCode::kBadFile, "9 axes"},
      {[&](format::DeltaT& d) { tensor(d).values[5] = NAN; }, ErrorCode::kBadFile, "not finite"},
      {[&](format::DeltaT& d) { tensor(d).rank = 1; }, ErrorCode::kBadFile, "as many"},
      {[&](format::DeltaT& d) { tensor(d).rank = -1; }, ErrorCode::kBadFile, "as many"},
      {[&](format::DeltaT& d) { tensor(d).rank = 1 << 30; }, ErrorCode::kBadFile, "as many", true},
      {[&](format::DeltaT& d) { tensor(d).left.pop_back(); }, ErrorCode::kBadFile, "as many", true},
      {[&](format::DeltaT& d) { tensor(d).right[0] = INFINITY; }, ErrorCode::kBadFile, "not finite",
       true},
      {[&](format::DeltaT& d) {
         tensor(d).left[0] = 3e38F;
         tensor(d).right[0] = 3e38F;
       },
       ErrorCode::kUnsupported, "too large to be numbers", true},
  };
  for (const Case& one : cases) {
    CAPTURE(one.words);
    const AlignedMemory delta = (one.adapter ? adapted : learned).running.delta();
    check_refused(model, align_bytes(repack(delta, one.change)).span(), one.code, one.words);
  }
  check_refused(model, {}, ErrorCode::kBadFile, "no delta");
  check_refused(model, model, ErrorCode::kBadFile, "no delta");
}

TEST_CASE("every truncated delta and every flipped byte is refused") {
  const Learned learned(to_int4, 1);
  const std::vector<std::byte> model = file_of(narrowed(make_graph(), to_int4));
  const AlignedMemory delta = learned.running.delta();
  const std::size_t size = delta.span().size();
  const AlignedMemory target = align_bytes(model);
  for (std::size_t at = 0; at < size; ++at) {
    const AlignedMemory damaged = align_bytes(delta.span());
    damaged.span()[at] ^= static_cast<std::byte>(1 + at % 255);
    REQUIRE_FALSE(apply_delta(target.span(), damaged.span()).ok());
    const AlignedMemory cut = align_bytes(delta.span().first(at));
    REQUIRE_FALSE(apply_delta(target.span(), cut.span()).ok());
  }
  CHECK(std::equal(model.begin(), model.end(), target.span().begin()));
}

// Whoever forges a file can forge its hash as well.
TEST_CASE("damage with a right hash is refused or harmless") {
  const Learned learned(to_int4, 1);
  const std::vector<std::byte> model = file_of(narrowed(make_graph(), to_int4));
  const AlignedMemory delta = learned.running.delta();
  const std::size_t size = delta.span().size();
  int refused = 0;
  int applied = 0;
  for (std::size_t at = 0; at < size; ++at) {
    // Of the numbers a few suffice.
    if (at > 1000 && at % 7 != 0) continue;
    const Guarded<std::byte> damaged(static_cast<std::int64_t>(size / 8 * 8 + 8));
    std::memcpy(damaged.data(), delta.span().data(), size);
    damaged[static_cast<std::int64_t>(at)] ^= static_cast<std::byte>(1U << at % 8);
    flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(damaged.data()), size);
    if (!format::VerifyDeltaBuffer(verifier)) continue;
    auto* hash = const_cast<format::Hash*>(format::GetDelta(damaged.data())->content_hash());
    if (hash == nullptr) continue;
    const format::Digest digest = format::hash_around({damaged.data(), size}, hash);
    std::memcpy(hash, digest.data(), digest.size());
    const AlignedMemory target = align_bytes(model);
    const Status status = apply_delta(target.span(), {damaged.data(), size});
    ++(status.ok() ? applied : refused);
    if (status.ok())
      CHECK(Model::open(target.span()).ok());
    else
      CHECK(std::equal(model.begin(), model.end(), target.span().begin()));
  }
  CHECK(refused > 20);
  CHECK(applied > 100);
}

TEST_CASE("a forged model with tensors over its tables is refused or harmless") {
  const Learned learned;
  const std::vector<std::byte> sound = file_of(make_graph());
  const auto at_of = [&](const void* place) {
    return static_cast<std::size_t>(static_cast<const std::byte*>(place) - sound.data());
  };
  const format::Model& root = *format::GetModel(sound.data());
  // The offset to the data of the convolution's weights, led elsewhere in the file: over the tables
  // of the tensors that were written before.
  const auto index = static_cast<unsigned>(learned.base.find("convolution.weights"));
  const auto* table = reinterpret_cast<const std::uint8_t*>(root.tensors()->Get(index));
  const auto* fields = table - flatbuffers::ReadScalar<flatbuffers::soffset_t>(table);
  const auto slot = flatbuffers::ReadScalar<flatbuffers::voffset_t>(fields + 12);
  REQUIRE(slot != 0);
  const std::size_t place = at_of(table + slot);
  int overlapping = 0;
  for (std::size_t target = place + 4; target + 4 < sound.size(); target += 4) {
    const AlignedMemory file = align_bytes(sound);
    const auto distance = static_cast<std::uint32_t>(target - place);
    std::memcpy(file.span().data() + place, &distance, sizeof distance);
    // The count that its shape asks for.
    const std::uint32_t count = 3 * 3 * 3 * 4 * sizeof(float);
    std::memcpy(file.span().data() + target, &count, sizeof count);
    if (!Model::open(file.span()).ok()) continue;
    auto* hash = const_cast<format::Hash*>(format::GetModel(file.span().data())->content_hash());
    const format::Digest digest = format::content_hash(file.span());
    std::memcpy(hash, digest.data(), digest.size());
    const std::vector<std::byte> delta =
        repack(learned.running.delta(), [&](format::DeltaT& object) {
          std::memcpy(reinterpret_cast<void*>(object.sections[0]->base_hash.get()), digest.data(),
                      digest.size());
        });
    const Status status = apply_delta(file.span(), align_bytes(delta).span());
    if (std::string(status.message()).find("over each other") != std::string::npos) ++overlapping;
  }
  CHECK(overlapping > 0);
}

}  // namespace
}  // namespace figment::testing
