// The walk over a network's description: layers become operators, their names values.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "converter/import/torch/call.h"
#include "converter/import/torch/weights.h"

namespace figment::converter {

class NetworkImporter {
 public:
  using Json = nlohmann::ordered_json;

  NetworkImporter(const Json& description, const TorchStorages& storages, const TorchNames& names,
                  const ImportOptions& options);

  Graph import();

 private:
  // The names that a list of layers can see.
  struct Scope {
    const Scope* outer = nullptr;
    std::string prefix;  // of weights: "model.0."
    std::string path;    // of layers: "model.0."
    std::map<std::string, TorchValue> values;
    TorchValue input, last;
    const std::map<std::string, Json>* arguments = nullptr;  // of the block
    int place = 0;                                           // in nn.Sequential, of the next layer
  };

  void add_inputs(Scope& scope);
  void add_input(const Json& input, Scope& scope);
  void import_layers(const Json& layers, Scope& scope);
  void import_layer(const Json& layer, Scope& scope);
  void import_once(const Json& layer, const std::string& type, Scope& scope);
  TorchValue import_block(const Json& layers, const std::map<std::string, Json>* arguments,
                          const std::string& name, const std::string& prefix,
                          const TorchValue& input, const Scope& scope);
  TorchValue call(const TorchFunction& function, bool is_layer, const Json& layer,
                  const std::string& type, const std::string& name, const std::string& prefix,
                  const std::vector<TorchValue>& operands, const Scope& scope);
  std::map<std::string, Json> block_arguments(const Json& block, const Json& layer,
                                              const std::string& type, const Scope& scope);
  std::vector<TorchValue> operands_of(const Json& layer, const std::string& name,
                                      const Scope& scope);
  TorchValue find(const std::string& name, const std::string& layer, const Scope& scope) const;
  TorchValue value_of(const Json& json, const std::string& layer, const Scope& scope) const;
  const Json& substituted(const Json& json, const std::string& layer, const Scope& scope) const;
  std::int64_t extent_of(const std::string& text, const std::string& where) const;
  void note(const std::string& path, const TorchValue& value);
  void add_outputs(const Scope& scope);
  void cut_from();
  void refuse_unused() const;

  const Json& description_;
  const ImportOptions& options_;
  TorchWeights weights_;
  Graph graph_;
  TorchContext context_;
  std::string prefix_;                     // of all weights
  std::map<std::string, TensorId> paths_;  // what each layer computes, for --from and --to
  bool ended_ = false;                     // the layer --to was reached
  TensorId end_ = kAbsent;
  std::int64_t batch_ = 1;
  int depth_ = 0, layers_ = 0;
};

}  // namespace figment::converter
