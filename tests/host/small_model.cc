// Builds the graph and opens its file.
#include "tests/host/small_model.h"

#include <cstring>

#include "converter/emit/flatbuffer.h"

namespace figment::testing {
namespace {

std::vector<std::byte> make_bytes(const std::string& input_name) {
  using namespace converter;
  Graph graph;
  graph.name = "small";
  graph.any_batch = true;
  const TensorId x = graph.add_input(input_name, DataType::kFloat32, {{1, 4}, 2});
  graph.tensor(x).batch_axis = 0;
  const TensorId weights = graph.add_floats("w", {{4, 4}, 2}, std::vector<float>(16, 0.5F));
  const TensorId bias = graph.add_floats("b", {{4}, 1}, {1, 2, 3, -4});
  const TensorId dense =
      graph.add_node("dense", make_options(format::DenseT{}), {x, weights, bias});
  format::UnaryT relu;
  relu.function = format::UnaryFunction::Relu;
  const TensorId rectified = graph.add_node("relu", make_options(relu), {dense});
  const TensorId sum = graph.add_node("sum", make_options(format::BinaryT{}), {rectified, x});
  graph.outputs.push_back({"y", sum, {}});
  for (GraphTensor& tensor : graph.tensors)
    if (!tensor.constant()) tensor.batch_axis = 0;
  return emit(graph, {});
}

host::AlignedMemory align(const std::vector<std::byte>& bytes) {
  host::AlignedMemory memory = host::allocate_aligned(bytes.size());
  std::memcpy(memory.get(), bytes.data(), bytes.size());
  return memory;
}

Model open(const host::AlignedMemory& memory, std::size_t size) {
  Result<Model> model = Model::open({memory.get(), size});
  if (!model.ok()) throw std::runtime_error(std::string(model.status().message()));
  return *model;
}

}  // namespace

SmallModel::SmallModel(const std::string& input_name)
    : bytes(make_bytes(input_name)), aligned(align(bytes)), model(open(aligned, bytes.size())) {}

}  // namespace figment::testing
