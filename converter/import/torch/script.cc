// TorchScript archives: what they hold, their inputs and outputs.
#include "converter/import/torch/script.h"

#include <algorithm>
#include <limits>

#include "converter/import/torch/ports.h"
#include "converter/import/torch/script_importer.h"

namespace figment::converter {

using Kind = TorchValue::Kind;

// The shapes are not in the archive: the user gives them.
void ScriptImporter::add_inputs(const ScriptFunction& forward, std::vector<TorchValue>& arguments) {
  const std::string& file = archive_.module.storages->file();
  std::vector<std::string> names;
  std::string missing;
  for (std::size_t index = 1; index < forward.parameters.size(); ++index) {
    const ScriptFunction::Parameter& parameter = forward.parameters[index];
    if (parameter.type != "Tensor")
      refuse("", "its input '" + parameter.name + "' is a " + parameter.type +
                     "; trace a model whose inputs are tensors");
    names.push_back(parameter.name);
    if (options_.input_shapes.contains(parameter.name)) continue;
    missing += " --input ";
    missing += parameter.name + "=1x3x64x64";
  }
  check_given_shapes(options_, names);
  if (!missing.empty())
    throw ConvertError(file + " does not say the shapes of its inputs (" + join_quoted(names) +
                       "); give them, for example" + missing);
  for (std::size_t index = 1; index < forward.parameters.size(); ++index) {
    const std::string& name = forward.parameters[index].name;
    std::vector<std::int64_t> extents = options_.input_shapes.at(name);
    if (std::ranges::any_of(extents, [](std::int64_t extent) { return extent < 1; }))
      throw ConvertError("input '" + name + "' was given a shape that is not positive");
    if (!extents.empty() && extents[0] == 1) extents[0] = options_.batch;
    const Shape shape = make_shape(extents);
    if (shape.elements() > std::numeric_limits<std::int32_t>::max())
      throw ConvertError("input '" + name + "' has the shape " + describe(shape) +
                         ", which is too large");
    const bool integers = context_.integer_inputs->contains(name);
    const TensorId id =
        graph_.add_input(name, integers ? DataType::kInt32 : DataType::kFloat32, shape);
    arguments.push_back(TorchValue::of_tensor(id));
    paths_[name] = id;
  }
}

constexpr std::size_t kMostOutputs = 1000;

void ScriptImporter::add_outputs(const TorchValue& result) {
  std::vector<TorchValue> values;
  if (!options_.to.empty()) {
    const auto found = paths_.find(options_.to);
    if (found == paths_.end())
      throw ConvertError("the model has no module '" + options_.to + "' that gives a tensor");
    return add_torch_output(graph_, options_.to, found->second);
  }
  if (result.is(Kind::kList)) {
    values = result.items;
    // Each is compared with the others.
    if (values.size() > kMostOutputs)
      refuse("", "it has more than " + std::to_string(kMostOutputs) + " results; return fewer");
  } else {
    values = {result};
  }
  for (const TorchValue& value : values) {
    if (!value.is(Kind::kTensor))
      refuse("", "its result is no tensor and no tuple of tensors; trace a model that gives them");
    const std::size_t index = graph_.outputs.size();
    add_torch_output(graph_, index == 0 ? "output" : "output" + std::to_string(index),
                     value.tensor);
  }
  if (graph_.outputs.empty()) refuse("", "it has no results");
}

Graph ScriptImporter::import() {
  const PickleValue& root = archive_.module.pickle.root();
  if (!root.is(PickleValue::Kind::kInstance)) refuse("", "it holds no module");
  const TorchValue module = value_of(root, module_reader_, "");
  const std::string& type = module.object->text;
  const std::size_t space = type.find(' ');
  const ScriptFunction& forward =
      find_function(type.substr(0, space), type.substr(space + 1) + ".forward", "");
  std::vector<TorchValue> arguments = {module};
  add_inputs(forward, arguments);
  graph_.name = type.substr(space + 1);
  add_outputs(run(forward, arguments, ""));
  if (!options_.from.empty()) {
    const auto found = paths_.find(options_.from);
    if (found == paths_.end())
      throw ConvertError("the model has no module '" + options_.from + "' that gives a tensor");
    cut_before(graph_, options_.from, found->second);
  }
  sweep(graph_);
  return std::move(graph_);
}

Graph import_script(const std::filesystem::path& path, const ImportOptions& options) {
  ScriptArchive archive = {read_zip_checkpoint(path, "data", true),
                           read_zip_checkpoint(path, "constants", true),
                           ZipFile(path),
                           "",
                           {}};
  archive.folder = torch_folder(archive.zip);
  std::set<std::string> integer_inputs;
  while (true) {
    try {
      return ScriptImporter(archive, options, integer_inputs).import();
    } catch (const TorchRestart&) {
      continue;  // with more inputs of whole numbers than before
    }
  }
}

}  // namespace figment::converter
