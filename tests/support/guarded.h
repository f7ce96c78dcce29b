// Memory that ends where nothing may be read or written.
#pragma once

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace figment::testing {

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

}  // namespace figment::testing
