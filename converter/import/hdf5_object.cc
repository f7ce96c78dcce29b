// Objects of HDF5 files: the outermost block, object headers and their messages, groups.
#include "converter/import/hdf5_object.h"

#include <algorithm>
#include <utility>

namespace figment::converter {
namespace {

constexpr std::string_view kWhat = "the HDF5 file";
constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
constexpr int kMostDepth = 32;  // of trees, blocks and shared types
constexpr std::size_t kMostAxes = 32;

[[noreturn]] void damaged(const std::string& what) {
  throw DamagedFile("the HDF5 file " + what + "; it is damaged: copy it again");
}

// Messages by their numbers in the format.
enum MessageType : unsigned {
  kDataspace = 0x1,
  kLinkInfo = 0x2,
  kDatatype = 0x3,
  kLink = 0x6,
  kExternalData = 0x7,
  kLayout = 0x8,
  kFilters = 0xb,
  kAttribute = 0xc,
  kContinuation = 0x10,
  kSymbolTable = 0x11,
};

// The extents; nothing for a space without any element.
std::optional<std::vector<std::int64_t>> read_space(ByteReader reader, std::size_t length_bytes) {
  const unsigned version = reader.byte();
  const unsigned axes = reader.byte();
  reader.skip(1);
  const unsigned kind = version == 2 ? reader.byte() : 1;
  if (version == 1) reader.skip(5);
  if (version < 1 || version > 2 || axes > kMostAxes) damaged("has a space of unknown kind");
  if (kind == 2) return std::nullopt;
  std::vector<std::int64_t> extents;
  for (unsigned axis = 0; axis < axes; ++axis) {
    const std::uint64_t extent = reader.number(length_bytes);
    if (extent > std::uint64_t{1} << 40) damaged("has an axis longer than any memory");
    extents.push_back(static_cast<std::int64_t>(extent));
  }
  return extents;
}

}  // namespace

struct Hdf5Reader::Message {
  unsigned type, flags;
  std::span<const std::byte> data;
};

Hdf5Reader::Hdf5Reader(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {
  const auto signature_at = [&](std::size_t at) {
    return at + kSignature.size() <= bytes_.size() &&
           std::equal(kSignature.begin(), kSignature.end(),
                      reinterpret_cast<const char*>(bytes_.data()) + at);
  };
  std::size_t start = 0;
  while (!signature_at(start)) {
    start = start == 0 ? 512 : start * 2;
    if (start >= bytes_.size()) throw DamagedFile("the file is no HDF5 file");
  }
  ByteReader reader(std::span<const std::byte>(bytes_).subspan(start), kWhat);
  reader.skip(8);
  const unsigned version = reader.byte();
  if (version > 3) damaged("is of the unknown version " + std::to_string(version));
  if (version <= 1) reader.skip(4);
  offset_bytes_ = reader.byte();
  length_bytes_ = reader.byte();
  const auto sensible = [](std::size_t width) { return width == 2 || width == 4 || width == 8; };
  if (!sensible(offset_bytes_) || !sensible(length_bytes_)) damaged("has addresses of odd sizes");
  if (version <= 1)
    reader.skip(version == 0 ? 9 : 13);
  else
    reader.skip(1);
  base_ = address_of(reader);
  reader.skip(offset_bytes_);  // free space, or an extension
  const std::uint64_t end = address_of(reader);
  if (base_ > bytes_.size() || end > bytes_.size() + start)
    throw DamagedFile("the HDF5 file is cut off; copy it again");
  if (version <= 1) reader.skip(2 * offset_bytes_);  // drivers; the root group's name
  root_ = address_of(reader);
}

ByteReader Hdf5Reader::reader_at(std::uint64_t address) const {
  if (address > bytes_.size() || base_ + address > bytes_.size())
    damaged("points behind its own end");
  return {std::span<const std::byte>(bytes_).subspan(static_cast<std::size_t>(base_ + address)),
          kWhat};
}

bool Hdf5Reader::undefined(std::uint64_t address) const {
  return address == ~std::uint64_t{0} >> (64 - 8 * offset_bytes_);
}

void Hdf5Reader::step() {
  if (++steps_ > 16 * bytes_.size() + (1 << 16)) damaged("leads in circles");
}

const Hdf5Object& Hdf5Reader::object(std::uint64_t address) {
  std::unique_ptr<Hdf5Object>& kept = objects_[address];
  if (kept == nullptr) {
    if (depth_ >= kMostDepth) damaged("leads in circles");
    struct Deeper {
      int& depth;
      explicit Deeper(int& counter) : depth(counter) { ++depth; }
      ~Deeper() { --depth; }
      Deeper(const Deeper&) = delete;
      Deeper& operator=(const Deeper&) = delete;
    } const deeper(depth_);
    auto read = std::make_unique<Hdf5Object>();
    read_header(address, *read);
    kept = std::move(read);
  }
  return *kept;
}

// ---- Object headers ----

void Hdf5Reader::read_header(std::uint64_t address, Hdf5Object& object) {
  step();
  ByteReader reader = reader_at(address);
  if (ByteReader probe = reader; probe.left() >= 4 && probe.text(4) == "OHDR") {
    reader.skip(4);
    if (reader.byte() != 2) damaged("has an object header of unknown version");
    const unsigned flags = reader.byte();
    if ((flags & 0x20U) != 0) reader.skip(16);
    if ((flags & 0x10U) != 0) reader.skip(4);
    const std::uint64_t size = reader.number(std::size_t{1} << (flags & 3U));
    return read_new_messages(ByteReader(reader.take(size), kWhat), flags, object, 0);
  }
  if (reader.byte() != 1) damaged("has an object header of unknown version");
  reader.skip(7);
  const std::uint64_t size = reader.number(4);
  reader.skip(4);
  read_old_messages(ByteReader(reader.take(size), kWhat), object, 0);
}

void Hdf5Reader::read_old_messages(ByteReader reader, Hdf5Object& object, int depth) {
  if (depth > kMostDepth) damaged("leads in circles");
  while (reader.left() >= 8) {
    step();
    Message message{};
    message.type = static_cast<unsigned>(reader.number(2));
    const std::uint64_t size = reader.number(2);
    message.flags = reader.byte();
    reader.skip(3);
    message.data = reader.take(size);
    if (message.type == kContinuation) {
      ByteReader where(message.data, kWhat);
      const std::uint64_t address = address_of(where);
      ByteReader block = reader_at(address);
      read_old_messages(ByteReader(block.take(where.number(length_bytes_)), kWhat), object,
                        depth + 1);
    } else {
      read_message(message, object);
    }
  }
}

void Hdf5Reader::read_new_messages(ByteReader reader, unsigned flags, Hdf5Object& object,
                                   int depth) {
  if (depth > kMostDepth) damaged("leads in circles");
  const std::size_t head = (flags & 4U) != 0 ? 6 : 4;
  while (reader.left() >= head) {
    step();
    Message message{};
    message.type = reader.byte();
    const std::uint64_t size = reader.number(2);
    message.flags = reader.byte();
    if (head == 6) reader.skip(2);
    message.data = reader.take(size);
    if (message.type == kContinuation) {
      ByteReader where(message.data, kWhat);
      const std::uint64_t address = address_of(where);
      const std::uint64_t length = where.number(length_bytes_);
      ByteReader block = reader_at(address);
      if (length < 8 || block.text(4) != "OCHK") damaged("has a broken object header");
      read_new_messages(ByteReader(block.take(length - 8), kWhat), flags, object, depth + 1);
    } else {
      read_message(message, object);
    }
  }
}

void Hdf5Reader::read_message(const Message& message, Hdf5Object& object) {
  ByteReader reader(message.data, kWhat);
  const bool shared = (message.flags & 2U) != 0;
  switch (message.type) {
    case kDataspace:
      object.shape = read_space(reader, length_bytes_);
      object.null_space = !object.shape;
      break;
    case kDatatype:
      object.type = shared ? read_shared_type(reader) : read_hdf5_type(message.data);
      break;
    case kLinkInfo: {
      object.group = true;
      reader.skip(1);
      if ((reader.byte() & 1U) != 0) reader.skip(8);
      if (!undefined(address_of(reader)))
        throw ConvertError(
            "the HDF5 file keeps a large group in a heap, which is not supported; save the model "
            "again with h5py's default settings");
      break;
    }
    case kLink:
      object.group = true;
      read_link(reader, object);
      break;
    case kExternalData:
      throw ConvertError("the HDF5 file keeps its numbers in other files, which are not read");
    case kLayout:
      read_layout(reader, object);
      break;
    case kFilters:
      read_filters(reader, object);
      break;
    case kAttribute:
      read_attribute(reader, object);
      break;
    case kSymbolTable: {
      object.group = true;
      const std::uint64_t tree = address_of(reader);
      read_old_group(tree, address_of(reader), object);
      break;
    }
    default:
      break;  // what is not needed: times, fill values, comments
  }
}

void Hdf5Reader::read_link(ByteReader reader, Hdf5Object& object) {
  reader.skip(1);
  const unsigned flags = reader.byte();
  const unsigned kind = (flags & 8U) != 0 ? reader.byte() : 0;
  if ((flags & 4U) != 0) reader.skip(8);
  if ((flags & 16U) != 0) reader.skip(1);
  const std::uint64_t length = reader.number(std::size_t{1} << (flags & 3U));
  const std::string name(reader.text(length));
  // Others lead by names, or into other files; neither is followed.
  if (kind == 0) object.links[name] = address_of(reader);
}

void Hdf5Reader::read_layout(ByteReader reader, Hdf5Object& object) {
  const unsigned version = reader.byte();
  if (version != 3 && version != 4) damaged("has numbers laid out in an unknown way");
  const unsigned kind = reader.byte();
  if (kind == 0) {
    object.layout = Hdf5Object::Layout::kCompact;
    object.data = reader.take(reader.number(2));
  } else if (kind == 1) {
    object.layout = Hdf5Object::Layout::kContiguous;
    object.address = address_of(reader);
    object.stored_bytes = reader.number(length_bytes_);
  } else if (kind == 2) {
    const unsigned flags = version == 4 ? reader.byte() : 0;
    const unsigned axes = reader.byte();  // the last one is an element's bytes
    if (axes < 1 || axes > kMostAxes + 1) damaged("has chunks of unknown kind");
    if (version == 3) object.address = address_of(reader);
    const std::size_t width = version == 4 ? reader.byte() : 4;
    if (width < 1 || width > 8) damaged("has chunks of unknown kind");
    for (unsigned axis = 0; axis < axes; ++axis) object.chunk.push_back(reader.number(width));
    object.chunk.pop_back();
    object.layout = Hdf5Object::Layout::kChunked;
    if (version == 3) return;
    if (reader.byte() != 1)
      throw ConvertError(
          "the HDF5 file keeps numbers in chunks with an index that is not supported; save the "
          "model again without compression, or with h5py's default settings");
    object.layout = Hdf5Object::Layout::kOneChunk;
    if ((flags & 2U) != 0) {
      object.stored_bytes = reader.number(length_bytes_);
      reader.skip(4);  // which filters were left out
    }
    object.address = address_of(reader);
  } else {
    throw ConvertError("the HDF5 file gathers its numbers from other places, which are not read");
  }
}

void Hdf5Reader::read_filters(ByteReader reader, Hdf5Object& object) {
  const unsigned version = reader.byte();
  const unsigned count = reader.byte();
  if (version == 1) reader.skip(6);
  for (unsigned index = 0; index < count; ++index) {
    const auto filter = static_cast<unsigned>(reader.number(2));
    const std::uint64_t name = version == 1 || filter >= 256 ? reader.number(2) : 0;
    reader.skip(2);
    const std::uint64_t values = reader.number(2);
    reader.skip(version == 1 ? (name + 7) / 8 * 8 : name);
    reader.skip(values * 4);
    if (version == 1 && values % 2 == 1) reader.skip(4);
    object.filters.push_back(filter);
  }
}

Hdf5Type Hdf5Reader::read_shared_type(ByteReader reader) {
  const unsigned version = reader.byte();
  reader.skip(version == 1 ? 7 : 1);
  const Hdf5Object& named = object(address_of(reader));
  if (!named.type) damaged("names a type that is none");
  return *named.type;
}

void Hdf5Reader::read_attribute(ByteReader reader, Hdf5Object& object) {
  const unsigned version = reader.byte();
  if (version < 1 || version > 3) damaged("has an attribute of unknown version");
  const unsigned flags = version == 1 ? (reader.skip(1), 0) : reader.byte();
  const std::uint64_t name = reader.number(2), type = reader.number(2), space = reader.number(2);
  if (version == 3) reader.skip(1);
  const auto part = [&](std::uint64_t size) {
    const auto taken = reader.take(size);
    if (version == 1 && size % 8 != 0) reader.skip(8 - size % 8);
    return taken;
  };
  Hdf5Attribute attribute;
  attribute.name = ByteReader(part(name), kWhat).text_to_zero();
  const auto type_bytes = part(type);
  attribute.type = (flags & 1U) != 0 ? read_shared_type(ByteReader(type_bytes, kWhat))
                                     : read_hdf5_type(type_bytes);
  const auto shape = read_space(ByteReader(part(space), kWhat), length_bytes_);
  std::uint64_t bytes = attribute.type.size;
  if (shape)
    for (const std::int64_t extent : *shape)
      if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes))
        damaged("has an attribute larger than any memory");
  attribute.shape = shape.value_or(std::vector<std::int64_t>{0});
  attribute.data = reader.take(shape ? bytes : 0);
  object.attributes.push_back(std::move(attribute));
}

// ---- Groups as HDF5 1.6 wrote them, which h5py still does ----

void Hdf5Reader::read_old_group(std::uint64_t tree, std::uint64_t heap, Hdf5Object& object) {
  ByteReader reader = reader_at(heap);
  if (reader.text(4) != "HEAP") damaged("has a group without names");
  reader.skip(4);
  const std::uint64_t size = reader.number(length_bytes_);
  reader.skip(length_bytes_);
  ByteReader names = reader_at(address_of(reader));
  read_group_tree(tree, -1, names.take(size), object);
}

// `level` is what the tree's node above expects; -1: any.
void Hdf5Reader::read_group_tree(std::uint64_t address, int level, std::span<const std::byte> names,
                                 Hdf5Object& object) {
  step();
  ByteReader reader = reader_at(address);
  const std::string_view signature = reader.text(4);
  if (level <= 0 && signature == "SNOD") {
    reader.skip(2);
    for (std::uint64_t left = reader.number(2); left > 0; --left) {
      step();
      const std::uint64_t name = reader.number(offset_bytes_);
      const std::uint64_t header = address_of(reader);
      const std::uint64_t kind = reader.number(4);
      reader.skip(20);
      if (name >= names.size()) damaged("has a group with a name that is nowhere");
      const auto start = names.subspan(static_cast<std::size_t>(name));
      if (kind != 2)  // 2: leads by a name, which is not followed
        object.links[std::string(ByteReader(start, kWhat).text_to_zero())] = header;
    }
    return;
  }
  if (signature != "TREE" || reader.byte() != 0) damaged("has a group without a tree");
  const int own = static_cast<int>(reader.byte());
  if (level == 0 || own > kMostDepth || (level > 0 && own != level - 1))
    damaged("has a group with a broken tree");
  const std::uint64_t entries = reader.number(2);
  reader.skip(2 * offset_bytes_);
  for (std::uint64_t entry = 0; entry < entries; ++entry) {
    reader.skip(length_bytes_);
    read_group_tree(address_of(reader), own == 0 ? 0 : own, names, object);
  }
}

}  // namespace figment::converter
