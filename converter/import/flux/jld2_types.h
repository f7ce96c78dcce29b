// HDF5's descriptions of types and shapes.
#pragma once

#include <cstring>

#include "converter/import/flux/jld2_file.h"

namespace figment::converter {

[[noreturn]] void refuse_jld2(const std::string& what);  // DamagedFile

// Takes little-endian numbers and texts off the front of a piece of the file.
class Jld2Cursor {
 public:
  explicit Jld2Cursor(Jld2Bytes bytes) : left_(bytes) {}

  Jld2Bytes take(std::uint64_t size) {
    if (size > left_.size()) refuse_jld2("a part of it reaches past its end");
    const Jld2Bytes taken = left_.first(static_cast<std::size_t>(size));
    left_ = left_.subspan(static_cast<std::size_t>(size));
    return taken;
  }
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    std::memcpy(&value, take(size).data(), size);
    return value;
  }
  unsigned byte() { return static_cast<unsigned>(number(1)); }
  std::string_view text(std::uint64_t size) {
    const Jld2Bytes letters = take(size);
    return {reinterpret_cast<const char*>(letters.data()), letters.size()};
  }
  // Up to a 0, which is taken too.
  std::string_view terminated();
  Jld2Bytes left() const { return left_; }

 private:
  Jld2Bytes left_;
};

// Reads a description off the cursor. Throws ConvertError.
Jld2Type read_jld2_type(Jld2Cursor& cursor, int depth = 0);
Jld2Space read_jld2_space(Jld2Bytes body);
// How many values; -1 where there are more than a file can hold.
std::int64_t count_values(const Jld2Space& space);

}  // namespace figment::converter
