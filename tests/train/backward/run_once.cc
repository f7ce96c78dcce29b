// One forward and one backward of a room, with memory from the heap.
#include "tests/train/backward/run_once.h"

#include <doctest/doctest.h>

namespace figment::testing {
namespace {

struct alignas(64) Block {
  std::byte bytes[64];
};
std::vector<Block> blocks(std::size_t bytes) { return std::vector<Block>(bytes / 64 + 1); }

}  // namespace

Results run_once(const format::OperatorOptionsUnion& options, const std::vector<Operand>& operands,
                 const std::vector<float>& output_gradient, pthreadpool* threads,
                 const Shape& declared) {
  const auto kind = static_cast<std::size_t>(options.type);
  const train::BackwardRoom& room = *train::kBackwardRooms[kind];
  const ops::OperatorRoom& operator_room = *ops::kOperators[kind].room;
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(flatbuffers::Offset<void>(options.Pack(builder)));

  std::vector<Operand> copies = operands;
  std::vector<Tensor> inputs;
  for (Operand& operand : copies) {
    Tensor tensor;
    tensor.shape = operand.shape;
    tensor.type = operand.integers.empty() ? DataType::kFloat32 : DataType::kInt32;
    tensor.data = operand.integers.empty() ? static_cast<void*>(operand.values.data())
                                           : operand.integers.data();
    inputs.push_back(tensor);
  }
  Tensor output;
  output.shape = declared;
  train::Call call;
  call.operation.options = flatbuffers::GetRoot<std::byte>(builder.GetBufferPointer());
  call.operation.inputs = inputs;
  call.operation.threads = threads;
  call.loops = &train::loops_of(Backend::kPortable);
  REQUIRE(operator_room.shape(call.operation, output).ok());
  call.operation.outputs = {&output, 1};
  Results results;
  results.output.resize(static_cast<std::size_t>(output.elements()));
  output.data = results.output.data();
  REQUIRE(output_gradient.size() == results.output.size());

  std::vector<Block> saved = blocks(room.saved_bytes != nullptr ? room.saved_bytes(call) : 0);
  call.saved = saved.data()->bytes;
  if (room.forward != nullptr) {
    std::vector<Block> scratch =
        blocks(room.forward_scratch_bytes != nullptr ? room.forward_scratch_bytes(call) : 0);
    call.operation.scratch = scratch.data()->bytes;
    room.forward(call);
  } else if (operator_room.forward != nullptr) {
    std::vector<Block> scratch = blocks(
        operator_room.scratch_bytes != nullptr ? operator_room.scratch_bytes(call.operation) : 0);
    call.operation.scratch = scratch.data()->bytes;
    operator_room.forward(call.operation);
  }

  std::vector<Tensor> gradients = inputs;
  results.gradients.resize(inputs.size());
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    gradients[k].data = nullptr;
    if (!(room.differentiable & train::input_bit(k))) continue;
    results.gradients[k].resize(operands[k].values.size());
    gradients[k].data = results.gradients[k].data();
  }
  call.output_gradient = output_gradient.data();
  call.input_gradients = gradients;
  std::vector<Block> scratch = blocks(room.scratch_bytes != nullptr ? room.scratch_bytes(call) : 0);
  call.operation.scratch = scratch.data()->bytes;
  room.backward(call);
  return results;
}

}  // namespace figment::testing
