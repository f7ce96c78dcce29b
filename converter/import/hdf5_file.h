// HDF5 files (Keras's .h5, Flux's .jld2) as importers read them: objects by their path in the file
// ("/model_weights/dense_1"), their attributes and numbers.
//
// What a file says of sizes is compared with the file's own size before anything is allocated;
// links to other files are not followed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "converter/graph/graph.h"

namespace figment::converter {

class Hdf5Reader;
struct Hdf5Attribute;
struct Hdf5Object;

enum class Hdf5Kind { kNone, kGroup, kDataset, kOther };

// A dataset's numbers, row-major in the order of the file's axes, whatever type they had.
struct Hdf5Floats {
  std::vector<std::int64_t> shape;  // empty: a single number
  std::vector<float> values;
};

class Hdf5File {
 public:
  // True when the file begins as HDF5 files do (the signature may stand after a block of the
  // writer's own, as in .jld2). Never throws.
  static bool looks_like(const std::filesystem::path& path);

  // The same at the very start of the file.
  static bool begins(const std::filesystem::path& path);

  // Throws DamagedFile when it is no whole HDF5 file.
  explicit Hdf5File(const std::filesystem::path& path);
  // The same of a file that stands in memory; `name` is what messages call it.
  Hdf5File(std::string name, std::vector<std::byte> bytes);
  ~Hdf5File();
  Hdf5File(const Hdf5File&) = delete;
  Hdf5File& operator=(const Hdf5File&) = delete;

  const std::string& name() const { return name_; }
  std::uint64_t file_bytes() const { return file_bytes_; }
  // For what is not asked for here: elements of any type, references, compounds.
  Hdf5Reader& reader() const { return *reader_; }

  // Where the object at `path` stands; nothing when there is none.
  std::optional<std::uint64_t> address(const std::string& path) const;
  Hdf5Kind kind(const std::string& path) const;
  bool is_group(const std::string& path) const { return kind(path) == Hdf5Kind::kGroup; }
  bool is_dataset(const std::string& path) const { return kind(path) == Hdf5Kind::kDataset; }
  // Names in a group, in the order of the names; throws DamagedFile where there is no such group.
  std::vector<std::string> members(const std::string& group) const;

  // An attribute that is a text (of fixed or variable length); nothing when there is none, or when
  // it is something else.
  std::optional<std::string> text(const std::string& path, const std::string& attribute) const;
  // An attribute that is a list of texts, or a text alone.
  std::optional<std::vector<std::string>> texts(const std::string& path,
                                                const std::string& attribute) const;

  // A dataset of floating-point numbers (16, 32 or 64 bits) or integers. Throws DamagedFile, or
  // ConvertError where it holds something else. What is read from one file in all may not take
  // much more room than the file, so that one dataset under many names fills no memory.
  Hdf5Floats floats(const std::string& dataset) const;
  // The shape of floats(), once all that it reads was seen to be there; and its numbers.
  std::vector<std::int64_t> check_floats(const std::string& dataset) const;
  std::vector<float> values(const std::string& dataset) const;

 private:
  [[noreturn]] void damaged(const std::string& path, const std::string& why) const;
  const Hdf5Object& numbers(const std::string& path) const;
  const Hdf5Attribute* attribute(const std::string& path, const std::string& attribute) const;

  std::string name_;
  std::uint64_t file_bytes_ = 0;
  mutable std::uint64_t spent_ = 0;  // bytes of numbers that were read
  std::unique_ptr<Hdf5Reader> reader_;
};

}  // namespace figment::converter
