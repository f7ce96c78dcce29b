// The arena's size is exact to the byte, and the planner wastes next to nothing.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/loaded_model.h"
#include "tests/support/tuned_model.h"

namespace figment::testing {

namespace {

// A session needs what arena_bytes names and runs in it; one byte less is refused.
void check_exact(const Model& model, const Options& options) {
  const auto need = Session::arena_bytes(model, options);
  REQUIRE(need.ok());

  const AlignedMemory exact(*need);
  auto session = Session::create(model, exact.span(), options);
  REQUIRE(session.ok());
  fill_inputs(*session, model, 7);
  CHECK(session->run().ok());

  const AlignedMemory short_by_one(*need - 1);
  const auto refused = Session::create(model, short_by_one.span(), options);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.status().code == ErrorCode::kArenaTooSmall);
  CHECK(refused.status().bytes_needed == *need);
  CHECK(refused.status().message().find(std::to_string(*need)) != std::string_view::npos);
}

}  // namespace

TEST_CASE("every shipped model runs in exactly the bytes that arena_bytes names, and in no fewer") {
  for (const auto& path : shipped_models()) {
    const AlignedMemory file = read_aligned(path);
    const auto model = Model::open(file.span());
    REQUIRE(model.ok());
    const AlignedMemory tuned_file = align_bytes(tune_model(*model));
    const auto tuned = Model::open(tuned_file.span());
    REQUIRE(tuned.ok());
    for (const Backend backend : {Backend::kPortable, Backend::kXnnpack}) {
      for (const std::int32_t batch : {1, 5}) {
        CAPTURE(path.string());
        CAPTURE(name_of(backend));
        CAPTURE(batch);
        const Options options{.batch = batch, .backend = backend};
        check_exact(*model, options);
        check_exact(*tuned, options);
      }
    }
  }
}

TEST_CASE(
    "weights that the file has packed take no room in the arena, and one without takes no more") {
  for (const auto& path : shipped_models()) {
    const AlignedMemory file = read_aligned(path);
    const auto model = Model::open(file.span());
    REQUIRE(model.ok());
    const AlignedMemory tuned_file = align_bytes(tune_model(*model));
    const auto tuned = Model::open(tuned_file.span());
    REQUIRE(tuned.ok());
    CAPTURE(path.string());
    for (const Backend backend : {Backend::kPortable, Backend::kXnnpack}) {
      const Options options{.backend = backend};
      const auto before = Session::arena_bytes(*model, options);
      const auto after = Session::arena_bytes(*tuned, options);
      REQUIRE(before.ok());
      REQUIRE(after.ok());
      CHECK(*after <= *before);
      if (backend == Backend::kPortable) CHECK(*after == *before);
    }
  }
}

TEST_CASE("no arena is small enough to do harm") {
  const AlignedMemory file = read_aligned(shipped_models().front());
  const auto model = Model::open(file.span());
  REQUIRE(model.ok());
  for (const Backend backend : {Backend::kPortable, Backend::kXnnpack}) {
    const Options options{.backend = backend};
    const auto need = Session::arena_bytes(*model, options);
    REQUIRE(need.ok());
    for (std::size_t bytes = 0; bytes < *need; bytes += *need / 97 + 1) {
      const AlignedMemory small(bytes);
      const auto refused = Session::create(*model, small.span(), options);
      REQUIRE_FALSE(refused.ok());
      CHECK(refused.status().bytes_needed == *need);
    }
  }
}

TEST_CASE("an arena that begins at an odd address is refused") {
  const AlignedMemory file = read_aligned(shipped_models().front());
  const auto model = Model::open(file.span());
  REQUIRE(model.ok());
  const AlignedMemory arena(1 << 20);
  const auto refused = Session::create(*model, arena.span().subspan(4), {});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.status().code == ErrorCode::kBadArgument);
}

TEST_CASE("a workspace measures as the system's memory does, or is too small to") {
  for (const auto& path : shipped_models()) {
    const AlignedMemory file = read_aligned(path);
    const auto model = Model::open(file.span());
    REQUIRE(model.ok());
    const Options options{.backend = Backend::kPortable};
    const auto need = Session::arena_bytes(*model, options);
    REQUIRE(need.ok());
    // The tables alone are measured in: the activations need not fit.
    std::size_t least = *need;
    for (std::size_t bytes = *need; bytes > 0; bytes -= std::min<std::size_t>(bytes, 64)) {
      const AlignedMemory workspace(bytes);
      const auto measured = Session::arena_bytes(*model, options, workspace.span());
      if (!measured.ok()) {
        CHECK(measured.status().code == ErrorCode::kArenaTooSmall);
        break;
      }
      CHECK(*measured == *need);
      least = bytes;
    }
    CAPTURE(path.string());
    CHECK(least < *need);
    CHECK(least > 64);
  }
}

TEST_CASE("the planner stays within a tenth of the largest sum of tensors alive at once") {
  for (const auto& path : shipped_models()) {
    const AlignedMemory file = read_aligned(path);
    const auto model = Model::open(file.span());
    REQUIRE(model.ok());
    for (const Backend backend : {Backend::kPortable, Backend::kXnnpack}) {
      CAPTURE(path.string());
      CAPTURE(name_of(backend));
      const RunningSession running(*model, {.backend = backend});
      CHECK(running.session.peak_live_bytes() > 0);
      CHECK(static_cast<double>(running.session.activation_bytes()) <=
            1.1 * static_cast<double>(running.session.peak_live_bytes()));
    }
  }
}

}  // namespace figment::testing
