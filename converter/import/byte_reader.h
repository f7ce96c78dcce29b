// Reads little-endian numbers from foreign bytes, one after another, never past their end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "converter/graph/graph.h"

namespace figment::converter {

class ByteReader {
 public:
  // `what` names the bytes in messages: "the HDF5 file".
  ByteReader(std::span<const std::byte> bytes, std::string_view what)
      : bytes_(bytes), what_(what) {}

  std::size_t at() const { return at_; }
  std::size_t left() const { return bytes_.size() - at_; }
  void skip(std::uint64_t count) { take(count); }
  // To a multiple of `unit` from the first byte, or to the end.
  void align(std::size_t unit) {
    const std::size_t over = at_ % unit;
    if (over != 0) at_ = std::min(bytes_.size(), at_ + unit - over);
  }
  std::span<const std::byte> take(std::uint64_t count) {
    if (count > left())
      throw DamagedFile(std::string(what_) + " ends too early; it is cut off or damaged");
    const auto taken = bytes_.subspan(at_, static_cast<std::size_t>(count));
    at_ += static_cast<std::size_t>(count);
    return taken;
  }
  // A number of `width` bytes, at most 8.
  std::uint64_t number(std::size_t width) {
    const auto taken = take(width);
    std::uint64_t value = 0;
    for (std::size_t index = width; index-- > 0;)
      value = value << 8 | std::to_integer<std::uint64_t>(taken[index]);
    return value;
  }
  unsigned byte() { return static_cast<unsigned>(number(1)); }
  std::string_view text(std::uint64_t length) {
    const auto taken = take(length);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }
  // Up to a zero byte, which is passed over.
  std::string_view text_to_zero() {
    std::size_t length = 0;
    while (length < left() && bytes_[at_ + length] != std::byte{0}) ++length;
    const std::string_view found = text(length);
    skip(1);
    return found;
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  std::string_view what_;
};

}  // namespace figment::converter
