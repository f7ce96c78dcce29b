// The parts of HDF5 that JLD2 writes.
#include "converter/import/flux/jld2_file.h"

#include <algorithm>

#include "converter/graph/graph.h"
#include "converter/import/flux/jld2_types.h"

namespace figment::converter {
namespace {

constexpr std::string_view kText = "HDF5-based Julia Data Format";
constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
constexpr int kMaxDepth = 64;
constexpr std::size_t kFewMembers = 100000;  // of all types; one takes about 150 bytes here
constexpr std::size_t kBytesAMember = 64;
constexpr std::size_t kMostPieces = 4096;      // of one object's header
constexpr std::size_t kMostMessages = 100000;  // of one object

bool starts_with(Jld2Bytes bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::memcmp(bytes.data(), text.data(), text.size()) == 0;
}

std::uint32_t rotate(std::uint32_t value, int bits) {
  return (value << bits) | (value >> (32 - bits));
}

// Bob Jenkins's lookup3 ("hashlittle"), with which HDF5 checks its structures.
std::uint32_t checksum(Jld2Bytes bytes) {
  std::uint32_t a = 0xdeadbeefU + static_cast<std::uint32_t>(bytes.size());
  std::uint32_t b = a, c = a;
  if (bytes.empty()) return c;
  while (true) {
    std::uint32_t words[3] = {0, 0, 0};
    const std::size_t part = std::min<std::size_t>(bytes.size(), 12);
    std::memcpy(words, bytes.data(), part);
    a += words[0];
    b += words[1];
    c += words[2];
    if (bytes.size() <= 12) break;
    bytes = bytes.subspan(12);
    a = (a - c) ^ rotate(c, 4);
    c += b;
    b = (b - a) ^ rotate(a, 6);
    a += c;
    c = (c - b) ^ rotate(b, 8);
    b += a;
    a = (a - c) ^ rotate(c, 16);
    c += b;
    b = (b - a) ^ rotate(a, 19);
    a += c;
    c = (c - b) ^ rotate(b, 4);
    b += a;
  }
  c = (c ^ b) - rotate(b, 14);
  a = (a ^ c) - rotate(c, 11);
  b = (b ^ a) - rotate(a, 25);
  c = (c ^ b) - rotate(b, 16);
  a = (a ^ c) - rotate(c, 4);
  b = (b ^ a) - rotate(a, 14);
  c = (c ^ b) - rotate(b, 24);
  return c;
}

std::size_t count_members(const Jld2Type& type) {
  std::size_t count = type.members.size();
  for (const Jld2Type::Member& member : type.members) count += count_members(member.type);
  return count;
}

// The bytes before the checksum at the end of `whole`.
Jld2Bytes checked(Jld2Bytes whole) {
  if (whole.size() < 4) refuse_jld2("a part of it is shorter than its checksum");
  const Jld2Bytes body = whole.first(whole.size() - 4);
  std::uint32_t stored = 0;
  std::memcpy(&stored, whole.data() + body.size(), 4);
  if (stored != checksum(body)) refuse_jld2("a checksum does not fit");
  return body;
}

// A group's entry; links that lead elsewhere are left out.
void read_link(Jld2Bytes body, Jld2Object& object) {
  Jld2Cursor cursor(body);
  if (cursor.byte() != 1) refuse_jld2("a link's version is unknown");
  const unsigned flags = cursor.byte();
  const unsigned kind = (flags & 8U) != 0 ? cursor.byte() : 0;
  if ((flags & 4U) != 0) cursor.take(8);
  if ((flags & 16U) != 0) cursor.take(1);
  const std::string_view name = cursor.text(cursor.number(std::size_t{1} << (flags & 3U)));
  if (kind == 0) object.links.push_back({name, cursor.number(8)});
}

}  // namespace

std::optional<std::uint64_t> find_jld2_superblock(Jld2Bytes bytes) {
  if (!starts_with(bytes, kText)) return std::nullopt;
  for (std::uint64_t at = 512; at + kSignature.size() <= bytes.size() && at < (1U << 20U); at *= 2)
    if (starts_with(bytes.subspan(static_cast<std::size_t>(at)), kSignature)) return at;
  return std::nullopt;
}

const Jld2Attribute* Jld2Object::attribute(std::string_view name) const {
  const auto found = std::ranges::find(attributes, name, &Jld2Attribute::name);
  return found == attributes.end() ? nullptr : &*found;
}

Jld2File::Jld2File(Jld2Bytes bytes) : bytes_(bytes) {
  const auto superblock = find_jld2_superblock(bytes);
  if (!superblock) refuse_jld2("it has no superblock");
  constexpr std::size_t kSuperblock = 48;
  base_ = *superblock;
  Jld2Cursor cursor(at(0, kSuperblock));
  cursor.take(kSignature.size());
  const unsigned version = cursor.byte();
  if (version != 2 && version != 3)
    throw ConvertError("the file has a superblock of HDF5's version " + std::to_string(version) +
                       ", which JLD2 does not write; save the model again with JLD2.@save");
  checked(at(0, kSuperblock));
  if (cursor.byte() != 8 || cursor.byte() != 8) refuse_jld2("its addresses are not of 8 bytes");
  cursor.take(1);
  if (cursor.number(8) != base_) refuse_jld2("it does not begin where it says");
  cursor.take(8);
  if (cursor.number(8) > bytes.size()) refuse_jld2("it is shorter than it says");
  root_ = cursor.number(8);
}

Jld2Bytes Jld2File::at(Jld2Address address, std::uint64_t size) const {
  const std::uint64_t total = bytes_.size();
  if (address > total - base_ || size > total - base_ - address)
    refuse_jld2("an address points past its end");
  return bytes_.subspan(static_cast<std::size_t>(base_ + address), static_cast<std::size_t>(size));
}

Jld2Object Jld2File::object(Jld2Address address) {
  const Jld2Bytes rest =
      at(address, 0).data() == nullptr ? Jld2Bytes() : at(address, bytes_.size() - base_ - address);
  Jld2Cursor cursor(rest);
  if (cursor.text(4) != "OHDR" || cursor.byte() != 2) refuse_jld2("an address leads to no object");
  const unsigned flags = cursor.byte();
  if ((flags & 32U) != 0) cursor.take(16);
  if ((flags & 16U) != 0) cursor.take(4);
  const std::uint64_t size = cursor.number(std::size_t{1} << (flags & 3U));
  const std::size_t prefix = rest.size() - cursor.left().size();
  cursor.take(size);
  cursor.take(4);
  const Jld2Bytes body = checked(rest.first(rest.size() - cursor.left().size())).subspan(prefix);

  Jld2Object object;
  std::vector<Jld2Bytes> pieces = {body};
  for (std::size_t index = 0; index < pieces.size(); ++index) {
    if (index > kMostPieces) refuse_jld2("an object is in too many pieces");
    const Jld2Bytes piece = pieces[index];  // reading it adds to the list
    read_messages(piece, (flags & 4U) != 0, object, pieces);
  }
  if (object.space && object.trouble.empty()) {
    const std::int64_t count = count_values(*object.space);
    const std::uint64_t each = object.type == nullptr ? 0 : object.type->size;
    if (count < 0 || (each > 0 && static_cast<std::uint64_t>(count) > object.data.size() / each))
      refuse_jld2("an array has fewer values than its shape says");
  }
  return object;
}

void Jld2File::read_messages(Jld2Bytes messages, bool ordered, Jld2Object& object,
                             std::vector<Jld2Bytes>& more) {
  const std::size_t header = ordered ? 6 : 4;
  Jld2Cursor cursor(messages);
  for (std::size_t count = 0; cursor.left().size() >= header; ++count) {  // less is a gap
    if (count > kMostMessages) refuse_jld2("an object has too many parts");
    const unsigned type = cursor.byte();
    const std::uint64_t size = cursor.number(2);
    const unsigned flags = cursor.byte();
    if (ordered) cursor.take(2);
    read_message(type, (flags & 2U) != 0, cursor.take(size), object, more);
  }
}

void Jld2File::read_message(unsigned type, bool shared, Jld2Bytes body, Jld2Object& object,
                            std::vector<Jld2Bytes>& more) {
  switch (type) {
    case 1:
      object.space = read_jld2_space(body);
      break;
    case 2: {  // where links are if not here
      Jld2Cursor cursor(body);
      cursor.take(1);
      const unsigned flags = cursor.byte();
      if ((flags & 1U) != 0) cursor.take(8);
      if (cursor.number(8) != kNoAddress)
        throw ConvertError(
            "the file was changed with HDF5 itself; save the model again with "
            "JLD2.@save");
      break;
    }
    case 3:
      object.type = read_type(body, shared);
      break;
    case 6:
      read_link(body, object);
      break;
    case 8:
      read_layout(body, object);
      break;
    case 11:
      object.trouble = "is compressed; save the model without compress";
      break;
    case 12:
      read_attribute(body, object);
      break;
    case 16: {
      Jld2Cursor cursor(body);
      const Jld2Address address = cursor.number(8);
      Jld2Cursor piece(checked(at(address, cursor.number(8))));
      if (piece.text(4) != "OCHK") refuse_jld2("a part of an object is missing");
      more.push_back(piece.left());
      break;
    }
    default:
      break;
  }
}

std::shared_ptr<const Jld2Type> Jld2File::read_type(Jld2Bytes body, bool shared) {
  Jld2Cursor cursor(body);
  if (!shared) return std::make_shared<Jld2Type>(read_jld2_type(cursor));
  const unsigned version = cursor.byte();
  cursor.take(version == 1 ? 7 : 1);
  const Jld2Address address = cursor.number(8);
  std::shared_ptr<const Jld2Type>& known = committed_[address];
  if (known != nullptr) return known;
  if (++depth_ > kMaxDepth) refuse_jld2("a type is defined by itself");
  const Jld2Object object = this->object(address);
  --depth_;
  if (object.type == nullptr) refuse_jld2("a type is missing");
  auto type = std::make_shared<Jld2Type>(*object.type);
  type->committed = address;
  members_ += count_members(*type);
  if (members_ > kFewMembers + bytes_.size() / kBytesAMember)
    refuse_jld2("its types have more fields than a file of its size has room for");
  committed_[address] = type;
  return type;
}

void Jld2File::read_attribute(Jld2Bytes body, Jld2Object& object) {
  Jld2Cursor cursor(body);
  const unsigned version = cursor.byte();
  if (version < 1 || version > 3) refuse_jld2("an attribute's version is unknown");
  const unsigned flags = cursor.byte();
  const std::uint64_t name_size = cursor.number(2);
  const std::uint64_t type_size = cursor.number(2);
  const std::uint64_t space_size = cursor.number(2);
  if (version == 3) cursor.take(1);
  const auto padded = [&](std::uint64_t size) { return version == 1 ? (size + 7) / 8 * 8 : size; };
  Jld2Attribute attribute;
  attribute.name = cursor.text(padded(name_size));
  attribute.name = attribute.name.substr(0, attribute.name.find('\0'));
  const Jld2Bytes type = cursor.take(padded(type_size));
  // Types name types: one that is described by itself (the first, of types) is not read again.
  if (depth_ > 0) return;
  attribute.type = read_type(type.first(static_cast<std::size_t>(type_size)), (flags & 1U) != 0);
  attribute.space = read_jld2_space(cursor.take(padded(space_size)));
  const std::int64_t count = count_values(attribute.space);
  attribute.data = cursor.left();
  if (count < 0 || (attribute.type->size > 0 && static_cast<std::uint64_t>(count) >
                                                    attribute.data.size() / attribute.type->size))
    refuse_jld2("an attribute has fewer values than its shape says");
  object.attributes.push_back(std::move(attribute));
}

void Jld2File::read_layout(Jld2Bytes body, Jld2Object& object) const {
  Jld2Cursor cursor(body);
  const unsigned version = cursor.byte();
  if (version != 3 && version != 4) refuse_jld2("an array's layout is of an unknown version");
  const unsigned kind = cursor.byte();
  if (kind == 0) {
    object.data = cursor.take(cursor.number(2));
  } else if (kind == 1) {
    const Jld2Address address = cursor.number(8);
    const std::uint64_t size = cursor.number(8);
    if (address != kNoAddress) object.data = at(address, size);
  } else if (object.trouble.empty()) {
    object.trouble = "is stored in pieces; save the model without compress";
  }
}

const std::vector<Jld2File::HeapObject>& Jld2File::heap(Jld2Address address) {
  const auto [place, is_new] = heaps_.try_emplace(address);
  std::vector<HeapObject>& objects = place->second;
  if (!is_new) return objects;
  Jld2Cursor start(at(address, 16));
  if (start.text(4) != "GCOL" || start.byte() != 1) refuse_jld2("an address leads to no heap");
  start.take(3);
  const std::uint64_t size = start.number(8);
  if (size < 16) refuse_jld2("a heap is shorter than its header");
  Jld2Cursor cursor(at(address, size));
  cursor.take(16);
  while (cursor.left().size() >= 16) {
    const auto index = static_cast<std::size_t>(cursor.number(2));
    cursor.take(6);
    const std::uint64_t bytes = cursor.number(8);
    if (index == 0) break;  // free from here on
    const Jld2Bytes content = cursor.take(bytes);
    cursor.take(std::min<std::uint64_t>((8 - bytes % 8) % 8, cursor.left().size()));
    // Indices count up from 1.
    if (index > objects.size() + 1) refuse_jld2("a heap's order is lost");
    if (index >= objects.size()) objects.resize(index + 1);
    objects[index] = {content, true};
  }
  return objects;
}

Jld2Bytes Jld2File::variable(Jld2Bytes reference, std::size_t element_bytes) {
  Jld2Cursor cursor(reference);
  const std::uint64_t count = cursor.number(4);
  const Jld2Address address = cursor.number(8);
  const auto index = static_cast<std::size_t>(cursor.number(4));
  if (count == 0) return {};
  const std::vector<HeapObject>& objects = heap(address);
  if (index >= objects.size() || !objects[index].known) refuse_jld2("a value is missing in a heap");
  const Jld2Bytes content = objects[index].bytes;
  if (element_bytes > 0 && count > content.size() / element_bytes)
    refuse_jld2("a value in a heap is shorter than it says");
  return content.first(static_cast<std::size_t>(count) * element_bytes);
}

}  // namespace figment::converter
