// Forward and backward as a trainer calls them, with memory of its own.
#include "tests/train/backward/room_run.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

namespace figment::testing {
namespace {

struct alignas(64) Line {
  std::byte bytes[64];
};

std::vector<Line> lines(std::size_t bytes) { return std::vector<Line>(bytes / sizeof(Line) + 1); }

}  // namespace

RoomRun run_room(const format::OperatorOptionsUnion& options, std::vector<Operand> operands,
                 std::vector<float> output_gradient, Backend backend, pthreadpool* threads) {
  const auto kind = static_cast<int>(options.type);
  const train::BackwardRoom& room = *train::kBackwardRooms[kind];
  const ops::OperatorRoom& definition = *ops::kOperators[kind].room;
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(flatbuffers::Offset<void>(options.Pack(builder)));

  std::vector<Tensor> inputs;
  for (Operand& operand : operands) {
    Tensor tensor;
    tensor.shape = operand.shape;
    tensor.data = operand.values.data();
    inputs.push_back(tensor);
  }
  train::Call call;
  call.operation.options = flatbuffers::GetRoot<std::byte>(builder.GetBufferPointer());
  call.operation.inputs = inputs;
  call.operation.threads = threads;
  call.loops = &train::loops_of(backend);
  Tensor output;
  REQUIRE(definition.shape(call.operation, output).ok());
  RoomRun run;
  run.output.resize(static_cast<std::size_t>(output.elements()));
  output.data = run.output.data();
  call.operation.outputs = {&output, 1};
  if (output_gradient.empty())
    output_gradient = random_operand({static_cast<std::int32_t>(output.elements())}, 5).values;
  REQUIRE(output_gradient.size() == run.output.size());

  std::vector<Tensor> gradients = inputs;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    run.gradients.emplace_back(operands[k].values.size(), std::numeric_limits<float>::quiet_NaN());
    gradients[k].data = run.gradients[k].data();
  }
  std::vector<Line> saved = lines(room.saved_bytes != nullptr ? room.saved_bytes(call) : 0);
  call.saved = saved.data()->bytes;
  std::size_t bytes = room.scratch_bytes != nullptr ? room.scratch_bytes(call) : 0;
  if (room.forward_scratch_bytes != nullptr)
    bytes = std::max(bytes, room.forward_scratch_bytes(call));
  if (definition.scratch_bytes != nullptr)
    bytes = std::max(bytes, definition.scratch_bytes(call.operation));
  std::vector<Line> scratch = lines(bytes);
  call.operation.scratch = scratch.data()->bytes;
  if (room.forward != nullptr)
    room.forward(call);
  else
    definition.forward(call.operation);
  call.output_gradient = output_gradient.data();
  call.input_gradients = gradients;
  room.backward(call);
  return run;
}

}  // namespace figment::testing
