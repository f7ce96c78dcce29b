// A state dict: tensors by name, some of which layers have in parametrised form.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "converter/import/torch/tensors.h"

namespace figment::converter {

using TorchNames = std::map<std::string, TorchTensor>;

class TorchWeights {
 public:
  // Both must outlive the weights.
  TorchWeights(const TorchStorages& storages, const TorchNames& names)
      : reader_(storages), file_(storages.file()), names_(names) {}

  const std::string& file() const { return file_; }
  bool has(const std::string& name) const { return names_.contains(name); }
  // True when any name begins so.
  bool has_prefix(const std::string& prefix) const;
  // nullptr: none of that name.
  const TorchTensor* find(const std::string& name) const;
  // A tensor's numbers, or a constant of them that is read late; it counts as used from then on. It
  // must be there.
  TorchArray read(const std::string& name);
  TensorId add_to(Graph& graph, const std::string& name);
  void mark_used(const std::string& name) { used_.insert(name); }
  // The layer's `part` ("weight") whose names begin with `prefix` ("model.0."), put together from
  // what spectral_norm and weight_norm made of it. `axis` is that of its outputs. False: the file
  // has nothing of it.
  bool put_together(const std::string& prefix, const std::string& part, int axis, TorchArray& into);
  // Names that nobody read, without counters of batches and what the prefixes say.
  std::vector<std::string> unused(const std::vector<std::string>& ignored) const;

 private:
  TorchReader reader_;
  std::string file_;
  const TorchNames& names_;
  std::set<std::string> used_;
};

// "'main.0.weight' 100x512x4x4, 'main.1.weight' 512, ... and 12 more"
std::string summarize(const TorchNames& names);

// The tensors of a checkpoint's dictionary: of the one that `key` names ("params_ema"), or of the
// one that can be meant. Without the "module." of DataParallel. Throws ConvertError.
TorchNames find_state_dict(const Pickle& pickle, const std::string& file, const std::string& key);

// The tensors of a .safetensors file.
bool is_safetensors(const std::filesystem::path& path);
std::unique_ptr<TorchStorages> read_safetensors(const std::filesystem::path& path,
                                                TorchNames& names);

}  // namespace figment::converter
