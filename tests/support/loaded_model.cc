// Models and sessions as a user would hold them.
#include "tests/support/loaded_model.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace figment::testing {
namespace {

std::size_t exact_arena_bytes(const Model& model, const Options& options) {
  const Result<std::size_t> need = Session::arena_bytes(model, options);
  REQUIRE_MESSAGE(need.ok(), std::string(need.status().message()));
  return *need;
}

Session create_session(const Model& model, std::span<std::byte> arena, const Options& options) {
  Result<Session> session = Session::create(model, arena, options);
  REQUIRE_MESSAGE(session.ok(), std::string(session.status().message()));
  return std::move(*session);
}

}  // namespace

void AlignedMemory::Release::operator()(std::byte* memory) const { std::free(memory); }

AlignedMemory::AlignedMemory(std::size_t bytes)
    : bytes_(bytes),
      memory_(static_cast<std::byte*>(
          std::aligned_alloc(kArenaAlignment, (bytes / kArenaAlignment + 1) * kArenaAlignment))) {}

AlignedMemory align_bytes(std::span<const std::byte> bytes) {
  AlignedMemory memory(bytes.size());
  if (!bytes.empty()) std::memcpy(memory.span().data(), bytes.data(), bytes.size());
  return memory;
}

AlignedMemory read_aligned(const std::filesystem::path& path) {
  AlignedMemory memory(std::filesystem::file_size(path));
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(memory.span().data()),
            static_cast<std::streamsize>(memory.span().size()));
  REQUIRE(file.good());
  return memory;
}

std::vector<std::filesystem::path> shipped_models() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(FIGMENT_SOURCE_DIR "/models"))
    if (entry.path().extension() == ".fgm") found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  REQUIRE(found.size() >= 4);
  return found;
}

RunningSession::RunningSession(const Model& model, const Options& options)
    : arena(exact_arena_bytes(model, options)),
      session(create_session(model, arena.span(), options)) {}

void fill_inputs(Session& session, const Model& model, std::uint64_t seed, std::uint64_t sample) {
  for (int i = 0; i < model.input_count(); ++i) {
    const Tensor input = session.input(i);
    const auto elements = static_cast<std::uint64_t>(model.input(i).shape.elements());
    if (input.type == DataType::kFloat32)
      fill_normal(input, seed + static_cast<std::uint64_t>(i), sample * elements);
    else
      std::fill_n(input.integers(), input.elements(), 0);
  }
}

double largest_difference(std::span<const float> a, std::span<const float> b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - b[i]) /
                              std::max(1.0, std::abs(static_cast<double>(b[i])));
    if (std::isnan(difference)) return difference;
    largest = std::max(largest, difference);
  }
  return largest;
}

std::string name_of(Backend backend) {
  return backend == Backend::kPortable ? "portable" : "xnnpack";
}

}  // namespace figment::testing
