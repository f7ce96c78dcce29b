// HDF5 files, read through the HDF5 C library and checked on the way.
#include "converter/import/hdf5_file.h"

#include <hdf5.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>
#include <utility>

namespace figment::converter {
namespace {

// Compressed weights are hardly smaller than plain ones, and float16 doubles: what is read from a
// file may take this many times the file's room, and a little more for very small files.
constexpr std::uint64_t kMostExpansion = 4, kSmallFile = 1 << 16;
constexpr int kMostAxes = 8;

// An identifier of the library, closed with the function for its kind.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  explicit operator bool() const { return id_ >= 0; }
  hid_t id() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

// The library's settings that hold for the whole program: it prints nothing and loads no code.
void silence() {
  static const bool done = [] {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    H5PLset_loading_state(0);
    return true;
  }();
  static_cast<void>(done);
}

// Called where a link leads into another file: refuses.
herr_t refuse_other_file(const char* /*parent_file*/, const char* /*parent_group*/,
                         const char* /*file*/, const char* /*object*/, unsigned* /*flags*/,
                         hid_t /*access*/, void* /*context*/) {
  return -1;
}

hid_t make_link_access() {
  const hid_t access = H5Pcreate(H5P_LINK_ACCESS);
  if (access >= 0) {
    H5Pset_elink_cb(access, refuse_other_file, nullptr);
    H5Pset_nlinks(access, 8);
  }
  return access;
}

// IEEE 754's float16, little-endian, for which this library has no name.
hid_t make_float16() {
  const hid_t type = H5Tcopy(H5T_IEEE_F32LE);
  if (type >= 0) {
    H5Tset_fields(type, 15, 10, 5, 0, 10);
    H5Tset_size(type, 2);
    H5Tset_ebias(type, 15);
  }
  return type;
}

// Whether a dataset's numbers have one of the types that the library converts to float32.
bool is_number(hid_t type) {
  const Handle float16(make_float16(), H5Tclose);
  const hid_t known[] = {
      H5T_IEEE_F32LE, H5T_IEEE_F64LE, float16.id(),  H5T_IEEE_F32BE, H5T_IEEE_F64BE, H5T_STD_I8LE,
      H5T_STD_U8LE,   H5T_STD_I16LE,  H5T_STD_U16LE, H5T_STD_I32LE,  H5T_STD_U32LE,  H5T_STD_I64LE,
      H5T_STD_U64LE,  H5T_STD_I8BE,   H5T_STD_U8BE,  H5T_STD_I16BE,  H5T_STD_I32BE,  H5T_STD_I64BE};
  return std::ranges::any_of(known, [&](hid_t each) { return H5Tequal(type, each) > 0; });
}

// The extents of a space; nothing when there are too many, or none are sensible.
std::optional<std::vector<std::int64_t>> extents_of(hid_t space) {
  const H5S_class_t kind = H5Sget_simple_extent_type(space);
  if (kind == H5S_SCALAR) return std::vector<std::int64_t>{};
  if (kind != H5S_SIMPLE) return std::nullopt;
  const int axes = H5Sget_simple_extent_ndims(space);
  if (axes < 0 || axes > kMostAxes) return std::nullopt;
  std::array<hsize_t, kMostAxes> extents{};
  if (H5Sget_simple_extent_dims(space, extents.data(), nullptr) != axes) return std::nullopt;
  std::vector<std::int64_t> result;
  for (int axis = 0; axis < axes; ++axis) {
    if (extents[static_cast<std::size_t>(axis)] > std::numeric_limits<std::int32_t>::max())
      return std::nullopt;
    result.push_back(static_cast<std::int64_t>(extents[static_cast<std::size_t>(axis)]));
  }
  return result;
}

// Their product, or the largest number where it does not fit.
std::uint64_t product(const std::vector<std::int64_t>& extents) {
  std::uint64_t result = 1;
  for (const std::int64_t extent : extents)
    if (__builtin_mul_overflow(result, static_cast<std::uint64_t>(extent), &result))
      return std::numeric_limits<std::uint64_t>::max();
  return result;
}

// Where a dataset's numbers stand: in this file, as one block or in chunks of a bearable size.
bool stands_here(hid_t dataset, std::uint64_t most_bytes, std::size_t element_bytes) {
  const Handle plan(H5Dget_create_plist(dataset), H5Pclose);
  if (!plan || H5Pget_external_count(plan.id()) != 0) return false;
  switch (H5Pget_layout(plan.id())) {
    case H5D_COMPACT:
    case H5D_CONTIGUOUS:
      return true;
    case H5D_CHUNKED: {
      std::array<hsize_t, kMostAxes> chunk{};
      const int axes = H5Pget_chunk(plan.id(), kMostAxes, chunk.data());
      if (axes < 0 || axes > kMostAxes) return false;
      std::uint64_t bytes = element_bytes;
      for (int axis = 0; axis < axes; ++axis)
        if (__builtin_mul_overflow(bytes, chunk[static_cast<std::size_t>(axis)], &bytes))
          return false;
      return bytes <= most_bytes;
    }
    default:
      return false;  // virtual: parts of other files
  }
}

herr_t add_name(hid_t /*group*/, const char* name, const H5L_info_t* /*info*/, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

}  // namespace

bool Hdf5File::looks_like(const std::filesystem::path& path) {
  static constexpr char kSignature[] = "\x89HDF\r\n\x1a\n";
  std::ifstream file(path, std::ios::binary);
  // At the start, or at 512 bytes and any doubling of them.
  for (std::streamoff at = 0; at <= 4096; at = at == 0 ? 512 : at * 2) {
    char start[8];
    if (!file.seekg(at) || !file.read(start, sizeof(start))) return false;
    if (std::equal(start, start + sizeof(start), kSignature)) return true;
  }
  return false;
}

Hdf5File::Hdf5File(const std::filesystem::path& path) : name_("'" + path.string() + "'") {
  silence();
  std::error_code error;
  file_bytes_ = std::filesystem::file_size(path, error);
  if (!error) file_ = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  finish_opening();
}

Hdf5File::Hdf5File(std::string name, std::vector<std::byte> bytes)
    : name_(std::move(name)), file_bytes_(bytes.size()) {
  silence();
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  // The library copies the bytes. It wants a name of which there is no file, and writes none.
  if (access && !bytes.empty() && H5Pset_fapl_core(access.id(), 1 << 16, 0) >= 0 &&
      H5Pset_file_image(access.id(), bytes.data(), bytes.size()) >= 0) {
    bytes = {};
    file_ = H5Fopen("/dev/null/image", H5F_ACC_RDONLY, access.id());
  }
  finish_opening();
}

void Hdf5File::finish_opening() {
  if (file_ < 0)
    throw DamagedFile(name_ + " is cut off or damaged: it is no whole HDF5 file; copy it again");
  link_access_ = make_link_access();
}

Hdf5File::~Hdf5File() {
  if (link_access_ >= 0) H5Pclose(link_access_);
  H5Fclose(file_);
}

void Hdf5File::damaged(const std::string& path, const std::string& why) const {
  throw DamagedFile("'" + path + "' in " + name_ + " " + why);
}

void Hdf5File::spend(const std::string& path, std::uint64_t count, std::uint64_t bytes) const {
  const std::uint64_t most = kMostExpansion * file_bytes_ + kSmallFile;
  if (count > (most - std::min(spent_, most)) / bytes)
    damaged(path, "claims more numbers than a file of " + std::to_string(file_bytes_) +
                      " bytes holds; the file is damaged");
  spent_ += count * bytes;
}

Hdf5Kind Hdf5File::kind(const std::string& path) const {
  const Handle object(H5Oopen(file_, path.c_str(), link_access_), H5Oclose);
  if (!object) return Hdf5Kind::kNone;
  switch (H5Iget_type(object.id())) {
    case H5I_GROUP:
      return Hdf5Kind::kGroup;
    case H5I_DATASET:
      return Hdf5Kind::kDataset;
    default:
      return Hdf5Kind::kOther;
  }
}

std::vector<std::string> Hdf5File::members(const std::string& group) const {
  const Handle opened(H5Oopen(file_, group.c_str(), link_access_), H5Oclose);
  std::vector<std::string> names;
  if (!opened || H5Iget_type(opened.id()) != H5I_GROUP ||
      H5Literate(opened.id(), H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, add_name, &names) < 0)
    damaged(group, "is no group, or cannot be read; the file is damaged");
  std::ranges::sort(names);
  return names;
}

std::optional<std::string> Hdf5File::text(const std::string& path,
                                          const std::string& attribute) const {
  const std::optional<std::vector<std::string>> list = texts(path, attribute);
  if (!list || list->size() != 1) return std::nullopt;
  return list->front();
}

std::optional<std::vector<std::string>> Hdf5File::texts(const std::string& path,
                                                        const std::string& attribute) const {
  const Handle opened(
      H5Aopen_by_name(file_, path.c_str(), attribute.c_str(), H5P_DEFAULT, link_access_), H5Aclose);
  if (!opened) return std::nullopt;
  const Handle type(H5Aget_type(opened.id()), H5Tclose);
  const Handle space(H5Aget_space(opened.id()), H5Sclose);
  if (!type || !space || H5Tget_class(type.id()) != H5T_STRING) return std::nullopt;
  const auto extents = extents_of(space.id());
  if (!extents) return std::nullopt;
  const std::uint64_t count = product(*extents);
  const std::string place = path + "@" + attribute;
  std::vector<std::string> result;
  if (count == 0) return result;

  if (H5Tis_variable_str(type.id()) > 0) {
    if (count > file_bytes_) damaged(place, "claims more texts than the file holds");
    std::vector<char*> texts(count, nullptr);
    if (H5Aread(opened.id(), type.id(), texts.data()) < 0)
      damaged(place, "cannot be read; the file is damaged");
    for (const char* each : texts) result.emplace_back(each != nullptr ? each : "");
    H5Dvlen_reclaim(type.id(), space.id(), H5P_DEFAULT, texts.data());
    return result;
  }
  const std::size_t length = H5Tget_size(type.id());
  if (length == 0 || length > file_bytes_ || count > file_bytes_ / length)
    damaged(place, "claims more letters than the file holds; the file is damaged");
  std::vector<char> letters(count * length);
  if (H5Aread(opened.id(), type.id(), letters.data()) < 0)
    damaged(place, "cannot be read; the file is damaged");
  for (std::size_t index = 0; index < count; ++index) {
    const char* start = letters.data() + index * length;
    result.emplace_back(start, std::find(start, start + length, '\0'));
  }
  return result;
}

Hdf5Floats Hdf5File::floats(const std::string& path) const {
  const Handle dataset(H5Oopen(file_, path.c_str(), link_access_), H5Oclose);
  if (!dataset || H5Iget_type(dataset.id()) != H5I_DATASET)
    damaged(path, "is no dataset, or cannot be read; the file is damaged");
  const Handle type(H5Dget_type(dataset.id()), H5Tclose);
  const Handle space(H5Dget_space(dataset.id()), H5Sclose);
  if (!type || !space) damaged(path, "cannot be read; the file is damaged");
  if (!is_number(type.id()))
    throw ConvertError("'" + path + "' in " + name_ +
                       " holds no plain numbers; save the weights as float32 or float16");
  Hdf5Floats result;
  if (auto extents = extents_of(space.id()))
    result.shape = std::move(*extents);
  else
    damaged(path, "has more axes or larger ones than weights have; the file is damaged");
  const std::uint64_t count = product(result.shape);
  spend(path, count, sizeof(float));
  const std::uint64_t most = kMostExpansion * file_bytes_ + kSmallFile;
  if (!stands_here(dataset.id(), most, H5Tget_size(type.id())))
    damaged(path, "has its numbers in other files, or in chunks larger than the file");
  result.values.resize(count);
  if (count > 0 && H5Dread(dataset.id(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                           result.values.data()) < 0)
    damaged(path, "cannot be read; the file is cut off or damaged");
  return result;
}

}  // namespace figment::converter
