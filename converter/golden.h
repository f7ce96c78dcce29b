// What a finished file gives for one seed, and what it takes to run: the runtime's own word on it.
#pragma once

#include <cstdint>
#include <span>

#include "converter/graph/graph.h"

namespace figment::converter {

// A file's bytes where Model::open wants them: at a multiple of 64. Owns the copy.
class AlignedBytes {
 public:
  explicit AlignedBytes(std::span<const std::byte> bytes);
  explicit AlignedBytes(std::size_t size);  // zeros
  ~AlignedBytes();
  AlignedBytes(const AlignedBytes&) = delete;
  AlignedBytes& operator=(const AlignedBytes&) = delete;
  std::span<std::byte> span() const { return {data_, size_}; }

 private:
  std::byte* data_;
  std::size_t size_;
};

// Opens `file` (aligned to 64); throws ConvertError with the runtime's sentence when it refuses.
Model open_model(std::span<const std::byte> file);

// Exact bytes of an arena for batch 1. Throws ConvertError.
std::size_t arena_bytes(const Model& model, Backend backend);

// A session at batch 1, whose inputs a seed gives as Golden in model.fbs
// says: those that are not float32 are zero. Throws ConvertError.
class GoldenSession {
 public:
  explicit GoldenSession(const Model& model, Backend backend = Backend::kPortable);
  void run(std::uint64_t seed);
  // The same with what the caller has put into the session's inputs.
  void run_as_filled(std::uint64_t noise_seed);
  Tensor output(int index) const { return session_.output(index); }
  const Session& session() const { return session_; }

 private:
  Model model_;
  AlignedBytes arena_;
  Session session_;
};

// What one run of a GoldenSession gives. Throws ConvertError.
format::GoldenT make_golden(const Model& model, std::uint64_t seed);

// Makes the golden of a file (aligned to 64) whose weights have changed anew, for its seed, and the
// content hash; a file without a golden stays as it is. Throws ConvertError.
void renew_golden(std::span<std::byte> file);

}  // namespace figment::converter
