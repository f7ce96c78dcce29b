// The parts of HDF5 that JLD2 writes, as they lie in a file's bytes: object headers, datatypes,
// dataspaces, links, attributes and the heap of values of variable length.
//
// JLD2 writes no other: superblocks of version 2, object headers of version 2 with checksums, links
// in their group's header, and values compact or in one piece. What is compressed or in pieces is
// refused by name. An address counts from the file's base.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace figment::converter {

using Jld2Bytes = std::span<const std::byte>;
using Jld2Address = std::uint64_t;
inline constexpr Jld2Address kNoAddress = ~std::uint64_t{0};

// HDF5's numbers of its classes.
enum class Jld2Class : std::uint8_t {
  kInteger = 0,
  kFloat = 1,
  kText = 3,
  kBits = 4,  // Bool
  kOpaque = 5,
  kCompound = 6,
  kReference = 7,  // the address of an object; 0 or kNoAddress: none
  kVariable = 9,   // so many of `base` in the heap
};

struct Jld2Type {
  Jld2Class kind = Jld2Class::kOpaque;
  std::size_t size = 0;  // bytes of one value
  bool is_signed = false;
  bool is_text = false;  // of kVariable
  // The object in which a committed type is defined; kNoAddress: none.
  Jld2Address committed = kNoAddress;
  std::shared_ptr<const Jld2Type> base;  // of kVariable
  struct Member;
  std::vector<Member> members;  // of kCompound
};

struct Jld2Type::Member {
  std::string name;
  std::size_t offset = 0;
  Jld2Type type;
};

struct Jld2Space {
  bool empty = false;                 // no value at all
  bool scalar = false;                // one value
  std::vector<std::int64_t> extents;  // the last runs fastest
};

struct Jld2Attribute {
  std::string_view name;
  std::shared_ptr<const Jld2Type> type;
  Jld2Space space;
  Jld2Bytes data;
};

struct Jld2Link {
  std::string_view name;
  Jld2Address address = kNoAddress;
};

// A group, a dataset or a committed datatype.
struct Jld2Object {
  std::shared_ptr<const Jld2Type> type;  // of a dataset and a committed datatype
  std::optional<Jld2Space> space;        // of a dataset
  Jld2Bytes data;                        // of a dataset
  std::string_view trouble;              // why a dataset's values cannot be read; empty: they can
  std::vector<Jld2Attribute> attributes;
  std::vector<Jld2Link> links;  // of a group

  const Jld2Attribute* attribute(std::string_view name) const;
};

class Jld2File {
 public:
  // `bytes` outlive the file. Throws ConvertError.
  explicit Jld2File(Jld2Bytes bytes);

  Jld2Address root() const { return root_; }
  // Throws DamagedFile where there is no whole object.
  Jld2Object object(Jld2Address address);
  // The values that 16 bytes of kVariable stand for, as many bytes as `element_bytes` each want.
  Jld2Bytes variable(Jld2Bytes reference, std::size_t element_bytes);

 private:
  struct HeapObject {
    Jld2Bytes bytes;
    bool known = false;
  };

  Jld2Bytes at(Jld2Address address, std::uint64_t size) const;
  void read_messages(Jld2Bytes messages, bool ordered, Jld2Object& object,
                     std::vector<Jld2Bytes>& more);
  void read_message(unsigned type, bool shared, Jld2Bytes body, Jld2Object& object,
                    std::vector<Jld2Bytes>& more);
  std::shared_ptr<const Jld2Type> read_type(Jld2Bytes body, bool shared);
  void read_attribute(Jld2Bytes body, Jld2Object& object);
  void read_layout(Jld2Bytes body, Jld2Object& object) const;
  const std::vector<HeapObject>& heap(Jld2Address address);

  Jld2Bytes bytes_;
  std::uint64_t base_ = 0;
  Jld2Address root_ = kNoAddress;
  std::map<Jld2Address, std::vector<HeapObject>> heaps_;
  std::map<Jld2Address, std::shared_ptr<const Jld2Type>> committed_;
  std::size_t members_ = 0;  // of the committed types
  int depth_ = 0;
};

// Where the superblock of an HDF5 file begins that starts with JLD2's text; nothing: it is none.
std::optional<std::uint64_t> find_jld2_superblock(Jld2Bytes bytes);

}  // namespace figment::converter
