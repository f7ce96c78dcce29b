// HDF5's descriptions of types and shapes.
#include "converter/import/flux/jld2_types.h"

#include <algorithm>
#include <limits>

#include "converter/graph/graph.h"
#include "converter/import/flux/julia_value.h"

namespace figment::converter {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::uint64_t kMostBytes = 1U << 31U;  // of one value

void read_compound(Jld2Cursor& cursor, std::uint64_t count, int depth, Jld2Type& type) {
  // Offsets take as few bytes as the whole's size does.
  std::size_t width = 1;
  while (width < 4 && (type.size >> (8 * width)) != 0) ++width;
  for (std::uint64_t index = 0; index < count; ++index) {
    Jld2Type::Member member;
    member.name = cursor.terminated();
    member.offset = cursor.number(width);
    member.type = read_jld2_type(cursor, depth + 1);
    if (member.offset > type.size || member.type.size > type.size - member.offset)
      refuse_jld2("a field reaches past its struct");
    type.members.push_back(std::move(member));
  }
}

}  // namespace

void refuse_jld2(const std::string& what) {
  throw DamagedFile("the file is cut off or damaged: " + what +
                    "; copy it again, or save the model again with JLD2.@save");
}

std::string_view Jld2Cursor::terminated() {
  const auto end = std::ranges::find(left_, std::byte{0});
  if (end == left_.end()) refuse_jld2("a name has no end");
  const auto letters = static_cast<std::size_t>(end - left_.begin());
  const std::string_view name = text(letters);
  take(1);
  return name;
}

Jld2Type read_jld2_type(Jld2Cursor& cursor, int depth) {
  if (depth > kMaxDepth) refuse_jld2("its types are nested more than 64 deep");
  const unsigned first = cursor.byte();
  const std::uint64_t bits = cursor.number(3);
  Jld2Type type;
  type.kind = static_cast<Jld2Class>(first & 15U);
  const std::uint64_t size = cursor.number(4);
  if (size > kMostBytes) refuse_jld2("a type is larger than a file");
  type.size = static_cast<std::size_t>(size);
  switch (type.kind) {
    case Jld2Class::kInteger:
    case Jld2Class::kBits:
      type.is_signed = (bits & 8U) != 0;
      cursor.take(4);
      if (type.size != 1 && type.size != 2 && type.size != 4 && type.size != 8)
        type.kind = Jld2Class::kOpaque;  // wider than any number here
      break;
    case Jld2Class::kFloat:
      cursor.take(12);
      if (type.size != 2 && type.size != 4 && type.size != 8) type.kind = Jld2Class::kOpaque;
      break;
    case Jld2Class::kText:
      break;
    case Jld2Class::kReference:
      if (type.size != 8) refuse_jld2("a reference is not of 8 bytes");
      break;
    case Jld2Class::kOpaque:
      cursor.take(((bits & 255U) + 7) / 8 * 8);
      break;
    case Jld2Class::kCompound:
      if (first >> 4U != 3)
        throw ConvertError(
            "the file has structs of another version of HDF5; save the model again "
            "with JLD2.@save");
      read_compound(cursor, bits & 0xffffU, depth, type);
      break;
    case Jld2Class::kVariable:
      if (type.size != 16) refuse_jld2("a value of variable length is not of 16 bytes");
      type.is_text = (bits & 15U) == 1;
      type.base = std::make_shared<Jld2Type>(read_jld2_type(cursor, depth + 1));
      break;
    default:
      throw ConvertError(
          "the file has values of a type of HDF5 that JLD2 does not write; save the "
          "model again with JLD2.@save");
  }
  return type;
}

Jld2Space read_jld2_space(Jld2Bytes body) {
  Jld2Cursor cursor(body);
  const unsigned version = cursor.byte();
  const unsigned rank = cursor.byte();
  const unsigned flags = cursor.byte();
  Jld2Space space;
  if (version == 2) {
    const unsigned kind = cursor.byte();
    space.scalar = kind == 0;
    space.empty = kind == 2;
    if (kind > 2) refuse_jld2("a shape's kind is unknown");
  } else if (version == 1) {
    cursor.take(5);
    space.scalar = rank == 0;
  } else {
    refuse_jld2("a shape's version is unknown");
  }
  static_cast<void>(flags);  // most extents follow, which are of no use here
  for (unsigned axis = 0; axis < rank; ++axis) {
    const std::uint64_t extent = cursor.number(8);
    if (extent > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      refuse_jld2("an extent is larger than a file");
    space.extents.push_back(static_cast<std::int64_t>(extent));
  }
  return space;
}

std::int64_t count_values(const Jld2Space& space) {
  if (space.empty) return 0;
  return space.scalar ? 1 : count_elements(space.extents);
}

}  // namespace figment::converter
