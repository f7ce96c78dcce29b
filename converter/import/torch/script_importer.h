// The walk over a TorchScript archive's code: its forward is followed, call by call.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "converter/import/torch/call.h"
#include "converter/import/torch/script_code.h"
#include "converter/import/torch/tensors.h"
#include "converter/import/zip_file.h"

namespace figment::converter {

// What an archive holds.
struct ScriptArchive {
  TorchCheckpoint module, constants;
  ZipFile zip;
  std::string folder;  // "NAME/"
  std::map<std::string, ScriptCode>
      code;                      // by module ("__torch__.torch.nn.modules.conv"), as needed
  std::uint64_t code_bytes = 0;  // of those
};

class ScriptImporter {
 public:
  ScriptImporter(ScriptArchive& archive, const ImportOptions& options,
                 std::set<std::string>& integer_inputs);

  Graph import();

 private:
  using Variables = std::map<std::string, TorchValue>;

  [[noreturn]] void refuse(const std::string& path, const std::string& why) const;
  const ScriptFunction& find_function(const std::string& module, const std::string& name,
                                      const std::string& path);
  void add_inputs(const ScriptFunction& forward, std::vector<TorchValue>& arguments);
  void add_outputs(const TorchValue& result);

  TorchValue run(const ScriptFunction& function, const std::vector<TorchValue>& arguments,
                 const std::string& path);
  void take_apart(const ScriptStatement& statement, const TorchValue& value, Variables& variables,
                  const std::string& path);
  TorchValue evaluate(const ScriptExpression& expression, const Variables& variables,
                      const std::string& path);
  TorchValue evaluate_call(const ScriptExpression& call, const Variables& variables,
                           const std::string& path);
  TorchValue call_builtin(const std::string& name, const ScriptExpression& call,
                          const Variables& variables, const std::string& path);
  TorchValue call_torch(const std::string& name, const ScriptExpression& call,
                        const Variables& variables, const std::string& path);
  TorchValue call_method(const TorchValue& object, const std::string& method,
                         const ScriptExpression& call, const Variables& variables,
                         const std::string& path);
  TorchValue attribute(const TorchValue& object, const std::string& name, const std::string& path);
  TorchValue value_of(const PickleValue& value, TorchReader& reader, const std::string& name);
  TorchValue as_integer(const TorchValue& value, const std::string& path);

  ScriptArchive& archive_;
  const ImportOptions& options_;
  Graph graph_;
  TorchContext context_;
  TorchReader module_reader_, constant_reader_;
  std::map<const PickleObject*, TensorId> tensors_;  // read already
  std::map<std::string, TensorId> paths_;            // what each module computes
  int depth_ = 0, statements_ = 0;
};

}  // namespace figment::converter
