// Where packed weights come from: the arena, in which they are packed when a session is created, or
// a tuned file, which has them as they would be packed here and now.
#pragma once

#include <xnnpack.h>

#include <span>

#include "runtime/base/arena.h"
#include "runtime/layout.h"

namespace figment::xnnpack {

// What packed weights depend on, besides the weights and the way to run an operator: the processor,
// our own loops and this build of XNNPACK.
class Fingerprint {
 public:
  Fingerprint();
  std::string_view text() const { return {text_, size_}; }

 private:
  char text_[96];
  std::size_t size_;
};

// The blocks of a file (runtime/format/model.fbs, PackedWeights).
inline constexpr std::size_t kBlockAlignment = 64;

// Memory for packed weights; `filled`: they are there already, else the caller packs them. Null
// when there is none, or the file has other blocks: the weights that the caller would pack may be
// narrower than it takes them for, so it must not.
struct PackedMemory {
  std::byte* bytes;
  bool filled;
};

// Hands out the memory of one session's packed weights, one operator after the other. Lives in the
// session's arena as long as the session: XNNPACK's operators ask it for their weights' address.
class PackedWeights {
 public:
  // `recorder`: null, or told of every block; then nothing is taken from a file.
  PackedWeights(Arena& arena, const PackedRecorder* recorder);
  PackedWeights(const PackedWeights&) = delete;
  PackedWeights& operator=(const PackedWeights&) = delete;

  // What follows is for operator `index`; `blocks`: the file's for it, or empty.
  void begin(std::int32_t index, std::span<const std::byte> blocks);
  PackedMemory take(std::size_t bytes);
  bool from_file() const { return !blocks_.empty(); }
  // Whether the operator asked for other blocks than the file has.
  bool broken() const { return broken_ || (from_file() && at_ != blocks_.size()); }

  // For XNNPACK's operators, which pack for themselves; null where they may do as they do. Only for
  // those that look their weights up before they pack them: fully-connected ones and convolutions
  // that are neither depthwise nor transposed.
  xnn_weights_cache_t cache();
  // Calls `create`, which creates such an operator. XNNPACK looks weights up without a word on
  // their size and tells it of those alone that it is about to pack. So where the file has them it
  // is asked twice: the first time it finds nothing, says how much it wants and gets no memory.
  template <typename Create>
  xnn_status create_operator(const Create& create) {
    asks_size_ = from_file();
    if (asks_size_) create();
    asks_size_ = false;
    return create();
  }

 private:
  // The file's next block; empty when there is none.
  std::span<const std::byte> next();
  // Its address for XNNPACK, or SIZE_MAX where there is none of the wanted size.
  std::size_t look_up();
  void record(const std::byte* bytes, std::size_t size);

  Arena& arena_;
  const PackedRecorder* recorder_;
  std::int32_t operator_ = 0;
  std::span<const std::byte> blocks_;
  std::size_t at_ = 0;
  bool broken_ = false;
  std::size_t found_ = 0;   // the address of the block that was looked up last
  std::size_t wanted_ = 0;  // bytes that XNNPACK wanted to pack last
  bool asks_size_ = false;
  xnn_weights_cache_provider provider_;
};

}  // namespace figment::xnnpack
