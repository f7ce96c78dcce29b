// The types of elements in HDF5 files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace figment::converter {

// As the format numbers them.
enum class Hdf5Class {
  kInteger = 0,
  kFloat = 1,
  kTime = 2,
  kText = 3,  // of fixed length
  kBits = 4,
  kOpaque = 5,
  kCompound = 6,
  kReference = 7,
  kEnum = 8,
  kVariable = 9,  // a list of its own length, or a text
  kArray = 10,
};

struct Hdf5Type {
  struct Member {
    std::string name;
    std::uint32_t offset = 0;  // in the compound
    std::size_t type = 0;      // index into Hdf5Type::parts
  };

  Hdf5Class kind = Hdf5Class::kOpaque;
  std::uint32_t size = 0;  // bytes of one element
  bool big_endian = false;
  bool has_sign = false;        // integers
  bool text = false;            // kVariable: a text, not a list
  std::vector<Member> members;  // kCompound
  std::vector<Hdf5Type> parts;  // of members; of one's elements for kEnum, kVariable and kArray
  std::vector<std::int64_t> extents;  // kArray
  std::string tag;                    // kOpaque

  // IEEE 754 of 16, 32 or 64 bits, or an integer of 8 to 64.
  bool is_number() const;
  // The value of an element that is_number(); `bytes` has `size` of them.
  double number(const std::byte* bytes) const;
};

// Reads the description that starts at `bytes`. Throws DamagedFile.
Hdf5Type read_hdf5_type(std::span<const std::byte> bytes);

}  // namespace figment::converter
