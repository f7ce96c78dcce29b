// Models and sessions as a user would hold them: aligned bytes, an opened model, an arena, a
// session.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "figment/figment.h"

namespace figment::testing {

// Memory that begins at a multiple of 64, as a mapped file and an arena do.
class AlignedMemory {
 public:
  explicit AlignedMemory(std::size_t bytes);
  std::span<std::byte> span() const { return {memory_.get(), bytes_}; }

 private:
  struct Release {
    void operator()(std::byte* memory) const;
  };
  std::size_t bytes_;
  std::unique_ptr<std::byte, Release> memory_;
};

// Copies bytes to aligned memory.
AlignedMemory align_bytes(std::span<const std::byte> bytes);
AlignedMemory read_aligned(const std::filesystem::path& path);

// The .fgm files that the repository ships, in order of their names. Fails the test when there are
// none.
std::vector<std::filesystem::path> shipped_models();

// A session with an arena of exactly the size that arena_bytes names. Both calls must succeed.
struct RunningSession {
  RunningSession(const Model& model, const Options& options);
  AlignedMemory arena;
  Session session;
};

// Fills every input with draws that depend on `seed` alone, those of whole numbers with zeros. Of
// each, `sample` is the first sample of a batch that begins with sample 0.
void fill_inputs(Session& session, const Model& model, std::uint64_t seed,
                 std::uint64_t sample = 0);

// The largest difference of `a` and `b`, relative to the larger of 1 and |b|; NaN where one is.
double largest_difference(std::span<const float> a, std::span<const float> b);

std::string name_of(Backend backend);

}  // namespace figment::testing
