// Hands out the caller's memory, or measures how much of it there must be.
#include "runtime/base/arena.h"

#include <new>
#ifndef FIGMENT_WITHOUT_HEAP
#include <cstdlib>
#endif

namespace figment {

struct alignas(Arena::kAlignment) Arena::Header {
  Header* below;            // the block under this one
  std::size_t used_before;  // what the arena had used when this block was taken
  std::size_t bytes;
  bool released;
};

namespace {

// The rest of the arithmetic stays free of overflow when no size passes this.
constexpr std::size_t kLargestRequest = SIZE_MAX / 4;

// The system's memory, while measuring without a workspace.
#ifdef FIGMENT_WITHOUT_HEAP
void* take(std::size_t) { return nullptr; }
void give(void*) {}
#else
void* take(std::size_t bytes) { return std::aligned_alloc(Arena::kAlignment, bytes); }
void give(void* block) { std::free(block); }
#endif

}  // namespace

Arena::~Arena() {
  give_back();
  while (borrows() && last_ != nullptr) {
    Header* below = last_->below;
    give(last_);
    last_ = below;
  }
}

bool Arena::advance(std::size_t bytes) {
  if (bytes > kLargestRequest || bytes > capacity_ - lent_ - used_) {
    overflowed_ = true;
    return false;
  }
  used_ += bytes;
  if (used_ + lent_ > high_water_) high_water_ = used_ + lent_;
  return true;
}

void* Arena::allocate(std::size_t bytes) {
  if (bytes > kLargestRequest) bytes = kLargestRequest;
  const std::size_t used_before = used_;
  const std::size_t whole = sizeof(Header) + round_up(bytes);
  if (!advance(whole)) return nullptr;
  // Measuring needs the memory itself, for XNNPACK packs weights into it.
  void* place = borrows() ? take(whole) : base_ + used_before;
  if (place == nullptr) {
    overflowed_ = true;
    return nullptr;
  }
  last_ = new (place) Header{last_, used_before, bytes, false};
  return last_ + 1;
}

void Arena::release(void* block) {
  if (block == nullptr) return;
  (static_cast<Header*>(block) - 1)->released = true;
  while (last_ != nullptr && last_->released) {
    Header* below = last_->below;
    used_ = last_->used_before;
    if (borrows()) give(last_);
    last_ = below;
  }
}

std::size_t Arena::block_bytes(const void* block) {
  return (static_cast<const Header*>(block) - 1)->bytes;
}

void* Arena::borrow(std::size_t bytes) {
  // The far end of an arena need not be aligned: one unit more covers what is lost there.
  const std::size_t whole = round_up(bytes) + kAlignment;
  const std::size_t used_before = used_;
  if (!advance(whole)) return nullptr;
  used_ = used_before;
  lent_ = whole;
  if (borrows()) {
    loan_ = take(whole);
    if (loan_ == nullptr) overflowed_ = true;
    return loan_;
  }
  return base_ + (capacity_ - whole + kAlignment - 1) / kAlignment * kAlignment;
}

void Arena::give_back() {
  lent_ = 0;
  if (loan_ != nullptr) give(loan_);
  loan_ = nullptr;
}

std::byte* Arena::reserve(std::size_t bytes) {
  const std::size_t used_before = used_;
  if (measuring_) capacity_ = SIZE_MAX;
  if (!advance(round_up(bytes)) || measuring_) return nullptr;
  return base_ + used_before;
}

}  // namespace figment
