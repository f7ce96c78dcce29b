// The caller's memory, handed out from its low end; nothing is ever taken elsewhere.
//
// What lives as long as the session is taken one after another. A block that is given back while it
// is the last one shrinks the arena again, so XNNPACK's short-lived buffers cost their peak alone.
// In measuring mode the same arithmetic runs over memory borrowed from the system, or over a
// workspace of the caller's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace figment {

class Arena {
 public:
  static constexpr std::size_t kAlignment = 64;
  // To a whole number of alignment units.
  static constexpr std::size_t round_up(std::size_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  }

  // Over the caller's bytes; `base` is a multiple of kAlignment.
  Arena(std::byte* base, std::size_t capacity) : base_(base), capacity_(capacity) {}

  // Measures. Blocks stand in `workspace`, which begins at a multiple of kAlignment; where it is
  // empty every block comes from the system and goes back in the destructor. What is reserved is
  // only counted.
  struct Measure {
    std::span<std::byte> workspace;
  };
  explicit Arena(Measure measure)
      : base_(measure.workspace.data()),
        capacity_(base_ != nullptr ? measure.workspace.size() : SIZE_MAX),
        measuring_(true) {}
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // `bytes` aligned to kAlignment, or null when the arena is full (`overflowed` then).
  void* allocate(std::size_t bytes);
  // Gives a block back; only the top block's room is used again.
  void release(void* block);
  // How many bytes were asked for `block`.
  static std::size_t block_bytes(const void* block);
  // Lends `bytes` at the far end until give_back(): room for something that is read while
  // longer-lived blocks are taken from the low end (weights widened for packing). One loan at a
  // time. Null when they do not fit.
  void* borrow(std::size_t bytes);
  void give_back();
  // Sets aside the next `bytes` without touching them: while measuring they need not exist, and
  // nothing may be allocated after them. Returns their place, null while measuring or when they do
  // not fit.
  std::byte* reserve(std::size_t bytes);

  bool measuring() const { return measuring_; }
  bool overflowed() const { return overflowed_; }
  // Where the next block would stand; null while measuring.
  std::byte* top() const { return measuring_ ? nullptr : base_ + used_; }
  std::size_t used() const { return used_; }
  // The largest `used` so far: what a caller must give.
  std::size_t high_water() const { return high_water_; }

  template <typename T>
  T* allocate_array(std::size_t count) {
    return static_cast<T*>(allocate(count * sizeof(T)));
  }

 private:
  // Before every block, so that it can be given back; one alignment unit long.
  struct Header;

  bool advance(std::size_t bytes);
  bool borrows() const { return measuring_ && base_ == nullptr; }

  std::byte* base_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t used_ = 0;
  std::size_t high_water_ = 0;
  bool measuring_ = false;
  bool overflowed_ = false;
  std::size_t lent_ = 0;
  void* loan_ = nullptr;    // the system's, while measuring
  Header* last_ = nullptr;  // the block on top
};

}  // namespace figment
