// What the tests of the loops share: every table that this processor has, and memory that ends
// where nothing may be read or written.
#pragma once

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <vector>

#include "runtime/simd/kernels.h"

namespace figment::simd {

inline constexpr const char* kTableNames[] = {"base", "avx2", "avx512", "avx512vnni"};

// Calls `check` with each table of this processor; afterwards the best one is chosen again.
template <typename Check>
void with_every_table(const Check& check) {
  struct Restore {
    ~Restore() { cap_kernels(nullptr); }
  } restore;
  int tables = 0;
  for (const char* name : kTableNames) {
    if (!cap_kernels(name)) continue;
    CAPTURE(name);
    check(kernels());
    ++tables;
  }
  CHECK(tables > 0);
}

// `count` values whose last one stands before a page that may not be touched: reading or writing
// past it ends the test. Whole vectors may begin anywhere.
template <typename T>
class Guarded {
 public:
  explicit Guarded(std::int64_t count, T value = T{}) : count_(static_cast<std::size_t>(count)) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t bytes = (count_ * sizeof(T) + page - 1) / page * page;
    mapped_ = bytes + page;
    void* memory =
        ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    memory_ = static_cast<std::byte*>(memory);
    REQUIRE(::mprotect(memory_ + bytes, page, PROT_NONE) == 0);
    data_ = reinterpret_cast<T*>(memory_ + bytes) - count_;
    std::fill_n(data_, count_, value);
  }
  explicit Guarded(const std::vector<T>& values)
      : Guarded(static_cast<std::int64_t>(values.size())) {
    std::copy(values.begin(), values.end(), data_);
  }
  ~Guarded() { ::munmap(memory_, mapped_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  T* data() const { return data_; }
  std::size_t size() const { return count_; }
  T& operator[](std::int64_t index) const { return data_[index]; }

 private:
  std::size_t count_, mapped_;
  std::byte* memory_;
  T* data_;
};

// Evenly distributed in [-1, 1); the same for the same seed.
inline std::vector<float> random_floats(std::int64_t count, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(generator() >> 8) / 8388608.0F - 1.0F;
  return values;
}

}  // namespace figment::simd
