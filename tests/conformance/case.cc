// Converts one case and compares what it gives with what the case expects.
#include "tests/conformance/case.h"

#include <onnx/onnx.pb.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <set>

#include "converter/convert.h"
#include "converter/import/onnx_data.h"
#include "targets/host/exit_code.h"
#include "targets/host/ports.h"
#include "targets/host/session_memory.h"

namespace figment::conformance {
namespace {

namespace fs = std::filesystem;
using converter::ConvertError;
using host::Array;

struct BadCase : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <typename Message>
Message read_message(const fs::path& path) {
  Message message;
  std::ifstream file(path, std::ios::binary);
  if (!file || !message.ParseFromIstream(&file))
    throw BadCase("'" + path.filename().string() + "' cannot be read");
  return message;
}

Array array_of(const converter::OnnxArray& source) {
  Array array;
  for (int axis = 0; axis < source.shape.rank; ++axis) array.shape.push_back(source.shape[axis]);
  const auto count = static_cast<std::size_t>(source.shape.elements());
  array.values.reserve(count);
  for (std::size_t index = 0; index < count; ++index) {
    const std::byte* from = source.bytes.data() + 4 * index;
    float number = 0;
    std::int32_t integer = 0;
    std::memcpy(&number, from, 4);
    std::memcpy(&integer, from, 4);
    array.values.push_back(source.type == DataType::kInt32 ? integer : double{number});
  }
  return array;
}

// The K-th input or output of a data set, as the model declares it in `value`.
onnx::TensorProto read_tensor(const fs::path& data_set, const char* kind, std::size_t index,
                              const onnx::ValueInfoProto& value) {
  auto tensor = read_message<onnx::TensorProto>(
      data_set / (std::string(kind) + "_" + std::to_string(index) + ".pb"));
  const auto& type = value.type().tensor_type();
  // ONNX 1.12 wrote bfloat16 under the name of the type that it kept the bits in.
  if (type.elem_type() == onnx::TensorProto::BFLOAT16 &&
      tensor.data_type() == onnx::TensorProto::UINT16)
    tensor.set_data_type(onnx::TensorProto::BFLOAT16);
  bool fits = tensor.data_type() == type.elem_type();
  if (type.has_shape() && type.shape().dim_size() > 0) {
    fits = fits && type.shape().dim_size() == tensor.dims_size();
    for (int axis = 0; fits && axis < tensor.dims_size(); ++axis)
      fits = !type.shape().dim(axis).has_dim_value() ||
             type.shape().dim(axis).dim_value() == tensor.dims(axis);
  }
  if (!fits)
    throw ConvertError("the case's data for '" + value.name() +
                       "' are not of the type and shape that its model declares");
  return tensor;
}

Array read_array(const onnx::TensorProto& tensor) {
  return array_of(converter::read_onnx_array(tensor, {}));
}

std::vector<fs::path> data_sets(const fs::path& folder) {
  std::vector<fs::path> sets;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().starts_with("test_data_set_")) sets.push_back(entry);
  std::ranges::sort(sets);
  return sets;
}

// The inputs that are no initializers, in order.
std::vector<const onnx::ValueInfoProto*> free_inputs(const onnx::GraphProto& graph) {
  std::set<std::string> initializers;
  for (const auto& initializer : graph.initializer()) initializers.insert(initializer.name());
  std::vector<const onnx::ValueInfoProto*> inputs;
  for (const auto& input : graph.input())
    if (!initializers.contains(input.name())) inputs.push_back(&input);
  return inputs;
}

// ---- Converting ----

struct Attempt {
  std::vector<std::byte> bytes;
  std::set<std::string> bound;
};

// Converts with the inputs in `bound` made initializers.
std::vector<std::byte> convert_bound(const fs::path& folder, const fs::path& scratch,
                                     const std::set<std::string>& bound, const fs::path& data_set) {
  const fs::path source = folder / "model.onnx";
  auto model = read_message<onnx::ModelProto>(source);
  const std::vector<const onnx::ValueInfoProto*> inputs = free_inputs(model.graph());
  converter::ConvertOptions options;
  std::vector<onnx::TensorProto> initializers;
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    const std::string& name = inputs[index]->name();
    if (!inputs[index]->type().has_tensor_type()) continue;  // the converter says so
    onnx::TensorProto value = read_tensor(data_set, "input", index, *inputs[index]);
    if (bound.contains(name)) {
      value.set_name(name);
      initializers.push_back(std::move(value));
    } else if (const auto& type = inputs[index]->type().tensor_type(); type.has_shape()) {
      bool open = false;
      for (const auto& extent : type.shape().dim()) open = open || !extent.has_dim_value();
      if (open) options.input_shapes[name] = {value.dims().begin(), value.dims().end()};
    }
  }
  if (bound.empty()) return converter::convert(source, options).bytes;
  for (onnx::TensorProto& initializer : initializers)
    *model.mutable_graph()->add_initializer() = std::move(initializer);
  const fs::path changed = scratch / "model.onnx";
  {
    std::ofstream file(changed, std::ios::binary);
    model.SerializeToOstream(&file);
  }
  return converter::convert(changed, options).bytes;
}

// Which inputs to bind, in the order in which it is tried: none; those of whole numbers and truth
// values; all but the first, the data; all.
std::vector<std::set<std::string>> binding_choices(const onnx::GraphProto& graph) {
  std::set<std::string> integers, all_but_first, all;
  for (const onnx::ValueInfoProto* input : free_inputs(graph)) {
    const int type = input->type().tensor_type().elem_type();
    const bool floating = type == onnx::TensorProto::FLOAT || type == onnx::TensorProto::FLOAT16 ||
                          type == onnx::TensorProto::DOUBLE || type == onnx::TensorProto::BFLOAT16;
    if (!floating) integers.insert(input->name());
    if (!all.empty()) all_but_first.insert(input->name());
    all.insert(input->name());
  }
  std::vector<std::set<std::string>> choices{{}};
  for (const std::set<std::string>& choice : {integers, all_but_first, all})
    if (std::ranges::find(choices, choice) == choices.end()) choices.push_back(choice);
  return choices;
}

// The first choice that converts; throws the last refusal when none does.
Attempt convert_case(const fs::path& folder, const fs::path& scratch, const fs::path& data_set) {
  const auto model = read_message<onnx::ModelProto>(folder / "model.onnx");
  std::optional<ConvertError> refusal;
  for (const std::set<std::string>& bound : binding_choices(model.graph())) {
    try {
      return {convert_bound(folder, scratch, bound, data_set), bound};
    } catch (const ConvertError& error) {
      refusal = error;
    }
  }
  throw *refusal;
}

// ---- Comparing ----

bool agree(double value, double expected, double tolerance) {
  if (std::isnan(expected)) return std::isnan(value);
  if (std::isinf(expected)) return value == expected;
  return std::abs(value - expected) <= 1e-7 + tolerance * std::abs(expected);
}

// What is wrong with `array`; empty when nothing is.
std::string difference(const Array& array, const Array& expected, double tolerance) {
  if (array.shape != expected.shape)
    return "has shape " + host::describe_shape(array.shape) + " instead of " +
           host::describe_shape(expected.shape);
  std::size_t wrong = 0, first = 0;
  for (std::size_t index = 0; index < expected.values.size(); ++index)
    if (!agree(array.values[index], expected.values[index], tolerance) && wrong++ == 0)
      first = index;
  if (wrong == 0) return {};
  return "is wrong in " + std::to_string(wrong) + " of " + std::to_string(expected.values.size()) +
         " elements, the first at " + std::to_string(first) + ": " +
         std::to_string(array.values[first]) + " instead of " +
         std::to_string(expected.values[first]);
}

// Runs one data set; returns what is wrong.
std::string run_data_set(const Model& model, const Attempt& attempt, const onnx::GraphProto& source,
                         const fs::path& data_set, Backend backend) {
  const std::vector<const onnx::ValueInfoProto*> inputs = free_inputs(source);
  std::vector<Array> values;
  Options options;
  options.backend = backend;
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    if (attempt.bound.contains(inputs[index]->name())) continue;
    const Port port = model.input(static_cast<int>(values.size()));
    values.push_back(read_array(read_tensor(data_set, "input", index, *inputs[index])));
    if (model.any_batch() && port.batch_axis >= 0)
      options.batch = host::batch_of(port, values.back().shape);
  }
  host::SessionMemory memory(model, options);
  for (std::size_t index = 0; index < values.size(); ++index) {
    const int port = static_cast<int>(index);
    host::store_array(values[index], model.input(port), options.batch, memory.session.input(port),
                      std::string(model.input(port).name));
  }
  host::require(memory.session.run());
  const std::string where = backend == Backend::kPortable ? " (portable)" : " (xnnpack)";
  for (int index = 0; index < model.output_count(); ++index) {
    const Array array =
        host::load_array(memory.session.output(index), model.output(index), options.batch);
    const onnx::ValueInfoProto& declared = source.output(index);
    // A unit in bfloat16's last place is more than ONNX's tolerance, and the runtime keeps
    // what the source rounds to bfloat16 in float32.
    const bool narrow = declared.type().tensor_type().elem_type() == onnx::TensorProto::BFLOAT16;
    const std::string wrong = difference(
        array,
        read_array(read_tensor(data_set, "output", static_cast<std::size_t>(index), declared)),
        narrow ? 1.0 / 128 : 1e-3);
    if (!wrong.empty())
      return "output '" + std::string(model.output(index).name) + "' " + wrong + where;
  }
  return {};
}

}  // namespace

std::string_view name_of(Side side) {
  constexpr std::string_view kNames[] = {"passed", "failed", "refused"};
  return kNames[static_cast<std::size_t>(side)];
}

std::vector<fs::path> find_cases(const fs::path& root) {
  std::vector<fs::path> cases;
  for (const auto& entry : fs::recursive_directory_iterator(root))
    if (entry.path().filename() == "model.onnx" &&
        fs::exists(entry.path().parent_path() / "test_data_set_0"))
      cases.push_back(entry.path().parent_path());
  std::ranges::sort(cases);
  return cases;
}

CaseFacts read_facts(const fs::path& folder) {
  CaseFacts facts;
  onnx::ModelProto model;
  std::ifstream file(folder / "model.onnx", std::ios::binary);
  if (!model.ParseFromIstream(&file)) return facts;
  for (const onnx::NodeProto& node : model.graph().node())
    if (std::ranges::find(facts.operators, node.op_type()) == facts.operators.end())
      facts.operators.push_back(node.op_type());
  for (const onnx::ValueInfoProto* input : free_inputs(model.graph()))
    facts.input_types.push_back(
        input->type().has_tensor_type()
            ? onnx::TensorProto_DataType_Name(
                  static_cast<onnx::TensorProto_DataType>(input->type().tensor_type().elem_type()))
            : "SEQUENCE");
  return facts;
}

Outcome run_case(const fs::path& folder, const fs::path& scratch) {
  Outcome outcome;
  try {
    const std::vector<fs::path> sets = data_sets(folder);
    if (sets.empty()) throw BadCase("the case has no data");
    const Attempt attempt = convert_case(folder, scratch, sets[0]);
    outcome.bound = {attempt.bound.begin(), attempt.bound.end()};
    const auto source = read_message<onnx::ModelProto>(folder / "model.onnx");
    const host::AlignedMemory bytes = host::allocate_aligned(attempt.bytes.size());
    std::memcpy(bytes.get(), attempt.bytes.data(), attempt.bytes.size());
    const Result<Model> model = Model::open({bytes.get(), attempt.bytes.size()});
    host::require(model.status());
    for (const fs::path& data_set : sets)
      for (const Backend backend : {Backend::kPortable, Backend::kXnnpack})
        if (outcome.reason.empty())
          outcome.reason = run_data_set(*model, attempt, source.graph(), data_set, backend);
    if (outcome.reason.empty()) outcome.side = Side::kPassed;
  } catch (const ConvertError& error) {
    outcome.side = Side::kRefused;
    outcome.reason = error.what();
  } catch (const std::exception& error) {
    outcome.reason = error.what();
  }
  return outcome;
}

}  // namespace figment::conformance
