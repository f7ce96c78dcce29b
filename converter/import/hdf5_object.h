// What stands in an HDF5 file: groups, datasets and named types with their attributes, found by
// their addresses. Reads the format itself (version 0 to 3 of its outermost block) rather than
// through the HDF5 library, which falls over damaged files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "converter/import/byte_reader.h"
#include "converter/import/hdf5_type.h"

namespace figment::converter {

struct Hdf5Attribute {
  std::string name;
  Hdf5Type type;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;  // as long as type and shape say
};

struct Hdf5Object {
  enum class Layout { kNone, kCompact, kContiguous, kChunked, kOneChunk };

  std::vector<Hdf5Attribute> attributes;
  // Of a group; `links` leads from names to addresses.
  bool group = false;
  std::map<std::string, std::uint64_t> links;
  // Of a dataset (which has a layout), or of a named type.
  std::optional<Hdf5Type> type;
  bool null_space = false;  // a dataset without any element
  std::optional<std::vector<std::int64_t>> shape;
  Layout layout = Layout::kNone;
  std::span<const std::byte> data;   // kCompact
  std::uint64_t address = 0;         // of the data, or of the chunks' tree
  std::uint64_t stored_bytes = 0;    // kContiguous, kOneChunk
  std::vector<std::uint64_t> chunk;  // extents
  std::vector<unsigned> filters;     // in the order of writing
  // The address of the named type that a dataset's type is; kNoName: it is none.
  static constexpr std::uint64_t kNoName = ~std::uint64_t{0};
  std::uint64_t named_type = kNoName;
};

class Hdf5Reader {
 public:
  // `bytes` is the whole file. Throws DamagedFile.
  explicit Hdf5Reader(std::vector<std::byte> bytes);

  std::uint64_t file_bytes() const { return bytes_.size(); }
  std::uint64_t root() const { return root_; }
  // The object at an address; kept, so that references to it stay.
  const Hdf5Object& object(std::uint64_t address);
  // A dataset's elements as they stand in the file, unpacked, in row-major order. The span ends
  // with the reader or, where `unpacked` was needed, with that.
  std::span<const std::byte> elements(const Hdf5Object& dataset, std::vector<std::byte>& unpacked);
  // How many bytes these are, as far as can be said without unpacking them.
  std::uint64_t element_bytes(const Hdf5Object& dataset) const;
  // What elements() takes at most, the result included: a chunk is there twice while it is
  // unpacked, and those of a tree beside the whole.
  std::uint64_t room_to_unpack(const Hdf5Object& dataset) const;
  // What an element of a kVariable points to: `count` of its parts.
  struct Variable {
    std::uint32_t count = 0;
    std::span<const std::byte> data;
  };
  Variable variable(const Hdf5Type& type, const std::byte* element);

 private:
  struct Message;

  ByteReader reader_at(std::uint64_t address) const;
  std::uint64_t address_of(ByteReader& reader) const { return reader.number(offset_bytes_); }
  bool undefined(std::uint64_t address) const;
  // Each part that is looked at is a step, of which there are not many more than bytes.
  void step();

  void read_header(std::uint64_t address, Hdf5Object& object);
  void read_old_messages(ByteReader reader, Hdf5Object& object, int depth);
  void read_new_messages(ByteReader reader, unsigned flags, Hdf5Object& object, int depth);
  void read_message(const Message& message, Hdf5Object& object);
  void read_link(ByteReader reader, Hdf5Object& object);
  void read_layout(ByteReader reader, Hdf5Object& object);
  void read_filters(ByteReader reader, Hdf5Object& object);
  void read_attribute(ByteReader reader, Hdf5Object& object);
  Hdf5Type read_shared_type(ByteReader reader);
  std::uint64_t named_address(ByteReader reader) const;
  void read_old_group(std::uint64_t tree, std::uint64_t heap, Hdf5Object& object);
  void read_group_tree(std::uint64_t address, int level, std::span<const std::byte> names,
                       Hdf5Object& object);
  void read_chunk_tree(const Hdf5Object& dataset, std::uint64_t address, int level,
                       std::size_t element_bytes, std::vector<std::byte>& into);
  std::span<const std::byte> unpack_chunk(const Hdf5Object& dataset,
                                          std::span<const std::byte> stored, unsigned mask,
                                          std::size_t element_bytes,
                                          std::vector<std::byte>& buffer);
  void place_chunk(const Hdf5Object& dataset, std::span<const std::byte> stored, unsigned mask,
                   const std::vector<std::uint64_t>& at, std::size_t element_bytes,
                   std::vector<std::byte>& into);

  std::vector<std::byte> bytes_;
  std::uint64_t base_ = 0, root_ = 0;
  std::size_t offset_bytes_ = 8, length_bytes_ = 8;
  std::uint64_t steps_ = 0;
  std::size_t copied_parts_ = 0;  // of named types, which everything that is of one has
  int depth_ = 0;
  std::map<std::uint64_t, std::unique_ptr<Hdf5Object>> objects_;
};

}  // namespace figment::converter
