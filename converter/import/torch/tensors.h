// The tensors of a PyTorch or safetensors file: where their numbers stand, and how they are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "converter/graph/graph.h"
#include "converter/import/pickle.h"

namespace figment::converter {

// A view of a storage: element [i, j ...] is number offset + i * strides[0] + j * strides[1] ...
struct TorchTensor {
  TorchType type = TorchType::kFloat32;
  std::vector<std::int64_t> sizes, strides;
  std::int64_t offset = 0;
  std::string storage;
};

// A tensor as a graph holds it: float32, or int32 for all integers and booleans (they saturate).
struct TorchArray {
  DataType type = DataType::kFloat32;
  Shape shape;
  std::vector<std::byte> bytes;

  const float* floats() const { return reinterpret_cast<const float*>(bytes.data()); }
};

// The raw bytes of a file's storages.
class TorchStorages {
 public:
  virtual ~TorchStorages() = default;
  TorchStorages() = default;
  TorchStorages(const TorchStorages&) = delete;
  TorchStorages& operator=(const TorchStorages&) = delete;
  // How many bytes a storage has. Throws DamagedFile when there is no such storage, or when it is
  // damaged as far as can be told.
  virtual std::uint64_t size(const std::string& key) const = 0;
  virtual std::vector<std::byte> read(const std::string& key) const = 0;
  // Of the file: its name for messages, and its size.
  const std::string& file() const { return file_; }
  std::uint64_t file_bytes() const { return file_bytes_; }

 protected:
  void set_file(const std::filesystem::path& path);

 private:
  std::string file_;
  std::uint64_t file_bytes_ = 0;
};

// Reads tensors one by one; a storage that several share is read once when they follow each other.
class TorchReader {
 public:
  explicit TorchReader(const TorchStorages& storages) : storages_(storages) {}

  // `name` is for messages. Throws ConvertError when the view does not lie in its storage, or when
  // all that was read would take several times the file's size.
  TorchArray read(const TorchTensor& tensor, const std::string& name);
  // The same as a constant, whose numbers are read late: the reader must outlive the import.
  TensorId add_to(Graph& graph, const TorchTensor& tensor, const std::string& name);

 private:
  // The array without its numbers, once all is checked.
  TorchArray check(const TorchTensor& tensor, const std::string& name);
  std::vector<std::byte> numbers_of(const TorchTensor& tensor);

  const TorchStorages& storages_;
  std::string last_;
  std::vector<std::byte> bytes_;
  std::uint64_t numbers_ = 0;  // checked so far
};

// The view that a pickle describes.
TorchTensor tensor_of(const PickleObject& object);

// What a checkpoint of torch.save, in either layout, or an archive of torch.jit.save holds.
struct TorchCheckpoint {
  Pickle pickle;
  std::unique_ptr<TorchStorages> storages;
};

// The layouts of torch.save. Throws ConvertError.
bool is_legacy_checkpoint(const std::filesystem::path& path);
TorchCheckpoint read_legacy_checkpoint(const std::filesystem::path& path);
class ZipFile;
// A zip archive whose entries of PyTorch stand in one folder; its name with '/' at the end, or
// nothing.
std::string torch_folder(const ZipFile& zip);
// The pickle FOLDER + part + ".pkl" with the storages FOLDER + part + "/KEY".
TorchCheckpoint read_zip_checkpoint(const std::filesystem::path& path, const std::string& part,
                                    bool script_classes);

}  // namespace figment::converter
