// Elements of datasets in HDF5 files: blocks, packed chunks, and lists of variable length.
#include <zlib.h>

#include <algorithm>

#include "converter/import/hdf5_object.h"

namespace figment::converter {
namespace {

constexpr std::string_view kWhat = "the HDF5 file";
// Compressed weights are hardly smaller than plain ones: what is unpacked may take this many times
// the file's room, and a little more for very small files.
constexpr std::uint64_t kMostExpansion = 3, kSmallFile = 1 << 16;
constexpr unsigned kDeflate = 1, kShuffle = 2, kFletcher = 3;
constexpr int kMostLevels = 32;

[[noreturn]] void damaged(const std::string& what) {
  throw DamagedFile("the HDF5 file " + what + "; it is damaged: copy it again");
}

std::uint64_t times(std::uint64_t left, std::uint64_t right) {
  if (__builtin_mul_overflow(left, right, &left)) damaged("claims more numbers than any memory");
  return left;
}

std::vector<std::byte> inflate_chunk(std::span<const std::byte> packed, std::size_t bytes) {
  std::vector<std::byte> unpacked(bytes);
  uLongf length = bytes;
  if (uncompress(reinterpret_cast<Bytef*>(unpacked.data()), &length,
                 reinterpret_cast<const Bytef*>(packed.data()), packed.size()) != Z_OK)
    damaged("has a chunk that does not unpack");
  unpacked.resize(length);
  return unpacked;
}

// First bytes of all elements, then second ones ..., put together again.
std::vector<std::byte> unshuffle(std::span<const std::byte> shuffled, std::size_t element) {
  std::vector<std::byte> result(shuffled.begin(), shuffled.end());
  const std::size_t count = shuffled.size() / element;
  for (std::size_t byte = 0; byte < element; ++byte)
    for (std::size_t index = 0; index < count; ++index)
      result[index * element + byte] = shuffled[byte * count + index];
  return result;
}

}  // namespace

std::uint64_t Hdf5Reader::element_bytes(const Hdf5Object& dataset) const {
  if (!dataset.type || dataset.layout == Hdf5Object::Layout::kNone)
    damaged("has a dataset without numbers");
  if (!dataset.shape) return 0;
  std::uint64_t bytes = dataset.type->size;
  for (const std::int64_t extent : *dataset.shape)
    bytes = times(bytes, static_cast<std::uint64_t>(extent));
  if (bytes > kMostExpansion * bytes_.size() + kSmallFile)
    damaged("claims more numbers than it holds");
  return bytes;
}

std::uint64_t Hdf5Reader::room_to_unpack(const Hdf5Object& dataset) const {
  if (dataset.layout == Hdf5Object::Layout::kOneChunk) return 2 * element_bytes(dataset);
  if (dataset.layout == Hdf5Object::Layout::kChunked) return 3 * element_bytes(dataset);
  return 0;
}

std::span<const std::byte> Hdf5Reader::elements(const Hdf5Object& dataset,
                                                std::vector<std::byte>& unpacked) {
  const std::uint64_t bytes = element_bytes(dataset);
  if (bytes == 0) return {};
  const std::size_t element = dataset.type->size;

  const auto read_block = [&](std::uint64_t size) {
    ByteReader reader = reader_at(dataset.address);
    return reader.take(size);
  };
  switch (dataset.layout) {
    case Hdf5Object::Layout::kCompact:
      if (dataset.data.size() < bytes) damaged("claims more numbers than it holds");
      return dataset.data.first(static_cast<std::size_t>(bytes));
    case Hdf5Object::Layout::kContiguous:
      if (undefined(dataset.address)) damaged("has a dataset that was never written");
      return read_block(bytes);
    default:
      break;
  }
  if (dataset.chunk.size() != dataset.shape->size()) damaged("has chunks of another shape");
  std::uint64_t chunk_bytes = element;
  for (const std::uint64_t extent : dataset.chunk) chunk_bytes = times(chunk_bytes, extent);
  if (chunk_bytes == 0 || chunk_bytes > kMostExpansion * bytes_.size() + kSmallFile)
    damaged("has chunks larger than itself");
  if (undefined(dataset.address)) damaged("has a dataset that was never written");
  if (dataset.layout == Hdf5Object::Layout::kChunked) {
    unpacked.assign(static_cast<std::size_t>(bytes), std::byte{0});
    read_chunk_tree(dataset, dataset.address, -1, element, unpacked);
    return unpacked;
  }
  const auto stored = read_block(dataset.stored_bytes != 0 ? dataset.stored_bytes : chunk_bytes);
  if (chunk_bytes == bytes) {  // the dataset itself
    const std::span<const std::byte> whole = unpack_chunk(dataset, stored, 0, element, unpacked);
    return whole.first(static_cast<std::size_t>(bytes));
  }
  unpacked.assign(static_cast<std::size_t>(bytes), std::byte{0});
  place_chunk(dataset, stored, 0, std::vector<std::uint64_t>(dataset.chunk.size(), 0), element,
              unpacked);
  return unpacked;
}

// `level` is what the tree's node above expects; -1: any.
void Hdf5Reader::read_chunk_tree(const Hdf5Object& dataset, std::uint64_t address, int level,
                                 std::size_t element_bytes, std::vector<std::byte>& into) {
  step();
  ByteReader reader = reader_at(address);
  if (reader.text(4) != "TREE" || reader.byte() != 1) damaged("has chunks without a tree");
  const int own = static_cast<int>(reader.byte());
  if (own > kMostLevels || (level >= 0 && own != level)) damaged("has chunks in a broken tree");
  const std::uint64_t entries = reader.number(2);
  reader.skip(2 * offset_bytes_);
  for (std::uint64_t entry = 0; entry < entries; ++entry) {
    step();
    const std::uint64_t stored = reader.number(4);
    const auto mask = static_cast<unsigned>(reader.number(4));
    std::vector<std::uint64_t> at;
    for (std::size_t axis = 0; axis < dataset.chunk.size(); ++axis) at.push_back(reader.number(8));
    reader.skip(8);
    const std::uint64_t child = address_of(reader);
    if (own > 0) {
      read_chunk_tree(dataset, child, own - 1, element_bytes, into);
      continue;
    }
    ByteReader block = reader_at(child);
    place_chunk(dataset, block.take(stored), mask, at, element_bytes, into);
  }
}

// A chunk's elements, in `buffer` where they had to be unpacked. Bit i of `mask`: filter i was left
// out.
std::span<const std::byte> Hdf5Reader::unpack_chunk(const Hdf5Object& dataset,
                                                    std::span<const std::byte> stored,
                                                    unsigned mask, std::size_t element_bytes,
                                                    std::vector<std::byte>& buffer) {
  std::size_t chunk_bytes = element_bytes;
  for (const std::uint64_t extent : dataset.chunk) chunk_bytes *= extent;
  // Unpacking is work; a damaged file may not ask for more of it than its size allows.
  for (std::size_t work = 0; work < chunk_bytes; work += 64) step();
  for (std::size_t index = dataset.filters.size(); index-- > 0;) {
    if (index < 32 && (mask >> index & 1U) != 0) continue;
    switch (dataset.filters[index]) {
      case kDeflate:
        buffer = inflate_chunk(stored, chunk_bytes + 4);
        break;
      case kShuffle:
        buffer = unshuffle(stored, element_bytes);
        break;
      case kFletcher:
        if (stored.size() < 4) damaged("has a chunk without its checksum");
        stored = stored.first(stored.size() - 4);
        continue;
      default:
        throw ConvertError("the HDF5 file is compressed by filter " +
                           std::to_string(dataset.filters[index]) +
                           ", which is not supported; save it with gzip or uncompressed");
    }
    stored = buffer;
  }
  if (stored.size() < chunk_bytes) damaged("has a chunk that is too small");
  return stored;
}

// Unpacks a chunk and copies what of it lies inside the dataset.
void Hdf5Reader::place_chunk(const Hdf5Object& dataset, std::span<const std::byte> stored,
                             unsigned mask, const std::vector<std::uint64_t>& at,
                             std::size_t element_bytes, std::vector<std::byte>& into) {
  std::vector<std::byte> buffer;
  stored = unpack_chunk(dataset, stored, mask, element_bytes, buffer);
  std::size_t chunk_bytes = element_bytes;
  for (const std::uint64_t extent : dataset.chunk) chunk_bytes *= extent;

  // Row by row along the last axis.
  const std::vector<std::int64_t>& shape = *dataset.shape;
  const std::size_t axes = shape.size();
  if (axes == 0) {
    std::copy_n(stored.begin(), element_bytes, into.begin());
    return;
  }
  std::vector<std::uint64_t> index(axes, 0);
  const std::uint64_t row = dataset.chunk[axes - 1];
  for (std::size_t from = 0; from + row * element_bytes <= chunk_bytes;
       from += row * element_bytes) {
    bool inside = true;
    std::uint64_t to = 0;
    for (std::size_t axis = 0; axis < axes; ++axis) {
      const auto extent = static_cast<std::uint64_t>(shape[axis]);
      inside = inside && at[axis] < extent && index[axis] < extent - at[axis];
      to = to * extent + at[axis] + index[axis];
    }
    if (inside) {
      const std::uint64_t count =
          std::min(row, static_cast<std::uint64_t>(shape[axes - 1]) - at[axes - 1]);
      std::copy_n(stored.begin() + static_cast<std::ptrdiff_t>(from), count * element_bytes,
                  into.begin() + static_cast<std::ptrdiff_t>(to * element_bytes));
    }
    for (std::size_t axis = axes - 1; axis-- > 0;) {
      if (++index[axis] < dataset.chunk[axis]) break;
      index[axis] = 0;
    }
  }
}

Hdf5Reader::Variable Hdf5Reader::variable(const Hdf5Type& type, const std::byte* element) {
  if (type.kind != Hdf5Class::kVariable || type.size < 8 + offset_bytes_)
    damaged("has a list of unknown kind");
  ByteReader pointer({element, type.size}, kWhat);
  Variable found;
  found.count = static_cast<std::uint32_t>(pointer.number(4));
  const std::uint64_t address = address_of(pointer);
  const std::uint64_t wanted = pointer.number(4);
  if (found.count == 0) return found;
  ByteReader heap = reader_at(address);
  if (heap.text(4) != "GCOL") damaged("has a list that is nowhere");
  heap.skip(4);
  const std::uint64_t size = heap.number(length_bytes_);
  if (size < 8 + length_bytes_) damaged("has a list that is nowhere");
  ByteReader objects(heap.take(size - 8 - length_bytes_), kWhat);
  while (objects.left() >= 8 + length_bytes_) {
    step();
    const std::uint64_t index = objects.number(2);
    objects.skip(6);
    const std::uint64_t bytes = objects.number(length_bytes_);
    if (index == 0) break;  // free room
    const auto data = objects.take(bytes);
    if (index == wanted) {
      const std::uint64_t part = type.parts.empty() ? 1 : type.parts[0].size;
      const std::uint64_t needed = times(found.count, part);
      if (needed > data.size()) damaged("has a list longer than its data");
      found.data = data.first(static_cast<std::size_t>(needed));
      return found;
    }
    if (bytes % 8 != 0) objects.skip(std::min<std::uint64_t>(8 - bytes % 8, objects.left()));
  }
  damaged("has a list that is nowhere");
}

}  // namespace figment::converter
