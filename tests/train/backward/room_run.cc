// Runs a room with memory of its own, and reads goldens.
#include "tests/train/backward/room_run.h"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "tests/support/threads.h"

namespace figment::testing {
namespace {

// Aligned to 64.
struct Memory {
  std::vector<std::byte> bytes;
  std::byte* get(std::size_t size) {
    bytes.assign(size + 64, std::byte{0x7f});
    const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
    return bytes.data() + (64 - address % 64) % 64;
  }
};

}  // namespace

struct RoomRun::Parts {
  const train::BackwardRoom* room = nullptr;
  const ops::OperatorRoom* operator_room = nullptr;
  flatbuffers::FlatBufferBuilder builder;
  std::vector<std::vector<float>> operands, gradients;
  std::vector<std::vector<std::int32_t>> integers;
  std::vector<Tensor> inputs, gradient_views;
  std::vector<float> y;
  Tensor output;
  Memory saved, scratch;
  train::Call call;
};

RoomRun::RoomRun(const BackwardCase& test, pthreadpool* threads, Backend backend)
    : parts_(std::make_unique<Parts>()) {
  Parts& parts = *parts_;
  const auto type = static_cast<int>(test.options.type);
  parts.room = train::kBackwardRooms[type];
  REQUIRE(parts.room != nullptr);
  parts.operator_room = ops::kOperators[type].room;
  parts.builder.Finish(flatbuffers::Offset<void>(test.options.Pack(parts.builder)));
  for (const Operand& operand : test.operands) {
    parts.operands.push_back(operand.values);
    parts.integers.push_back(operand.integers);
    Tensor tensor;
    tensor.shape = operand.shape;
    tensor.absent = operand.shape.rank < 0;
    tensor.data = parts.operands.back().data();
    if (!operand.integers.empty()) {
      tensor.type = DataType::kInt32;
      tensor.data = parts.integers.back().data();
    }
    if (tensor.absent) tensor.data = nullptr;
    parts.inputs.push_back(tensor);
  }
  train::Call& call = parts.call;
  call.operation.options = flatbuffers::GetRoot<std::byte>(parts.builder.GetBufferPointer());
  call.operation.inputs = parts.inputs;
  const Status status = parts.operator_room->shape(call.operation, parts.output);
  REQUIRE_MESSAGE(status.ok(), std::string(status.message()));
  parts.y.resize(static_cast<std::size_t>(parts.output.elements()));
  parts.output.data = parts.y.data();
  call.operation.outputs = {&parts.output, 1};
  call.operation.threads = threads;
  call.loops = &train::loops_of(backend);
  call.batch_statistics = test.batch_statistics;
}

RoomRun::~RoomRun() = default;

void RoomRun::set_momentum(float momentum) { parts_->call.momentum = momentum; }

void RoomRun::forward() {
  Parts& parts = *parts_;
  train::Call& call = parts.call;
  call.saved = parts.saved.get(parts.room->saved_bytes ? parts.room->saved_bytes(call) : 0);
  if (parts.room->forward == nullptr) {
    call.operation.scratch = parts.scratch.get(
        parts.operator_room->scratch_bytes ? parts.operator_room->scratch_bytes(call.operation)
                                           : 0);
    return parts.operator_room->forward(call.operation);
  }
  call.operation.scratch = parts.scratch.get(
      parts.room->forward_scratch_bytes ? parts.room->forward_scratch_bytes(call) : 0);
  parts.room->forward(call);
}

void RoomRun::backward(const std::vector<float>& output_gradient) {
  Parts& parts = *parts_;
  train::Call& call = parts.call;
  REQUIRE(output_gradient.size() == parts.y.size());
  call.output_gradient = output_gradient.data();
  parts.gradient_views = parts.inputs;
  parts.gradients.resize(parts.inputs.size());
  for (std::size_t k = 0; k < parts.inputs.size(); ++k) {
    parts.gradient_views[k].data = nullptr;
    if (!(parts.room->differentiable & train::input_bit(k)) || !parts.inputs[k].present()) continue;
    parts.gradients[k].assign(parts.operands[k].size(), NAN);
    parts.gradient_views[k].data = parts.gradients[k].data();
  }
  call.input_gradients = parts.gradient_views;
  call.operation.scratch =
      parts.scratch.get(parts.room->scratch_bytes ? parts.room->scratch_bytes(call) : 0);
  parts.room->backward(call);
}

const std::vector<float>& RoomRun::output() const { return parts_->y; }
const std::vector<float>& RoomRun::operand(std::size_t index) const {
  return parts_->operands[index];
}
const std::vector<float>& RoomRun::gradient(std::size_t index) const {
  return parts_->gradients[index];
}

RoomResult run_room(const format::OperatorOptionsUnion& options, std::vector<Operand> operands,
                    std::vector<float> output_gradient, Backend backend, pthreadpool* threads) {
  BackwardCase test;
  test.options = options;
  test.operands = std::move(operands);
  RoomRun run(test, threads, backend);
  if (output_gradient.empty())
    output_gradient = random_operand({static_cast<std::int32_t>(run.output().size())}, 5).values;
  run.forward();
  run.backward(output_gradient);
  RoomResult result{run.output(), {}};
  for (std::size_t k = 0; k < test.operands.size(); ++k)
    result.gradients.push_back(run.gradient(k));
  return result;
}

void check_threads(const BackwardCase& test) {
  const test::Threads pool(2);
  RoomRun one(test);
  RoomRun two(test, pool.get());
  const Operand dy = random_operand({static_cast<std::int32_t>(one.output().size())}, 98);
  for (RoomRun* run : {&one, &two}) {
    run->forward();
    run->backward(dy.values);
  }
  CHECK(one.output() == two.output());
  for (std::size_t k = 0; k < test.operands.size(); ++k) {
    CAPTURE(k);
    CHECK(one.gradient(k) == two.gradient(k));  // not where a NaN is
  }
}

Goldens::Goldens(const std::string& name) {
  std::ifstream file(std::string(FIGMENT_SOURCE_DIR "/tests/train/backward/goldens/") + name +
                     ".txt");
  REQUIRE_MESSAGE(file.good(), name);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string array;
    Operand operand;
    words >> array >> operand.shape.rank;
    for (int axis = 0; axis < operand.shape.rank; ++axis) words >> operand.shape[axis];
    for (float value = 0; words >> value;) operand.values.push_back(value);
    REQUIRE(static_cast<std::int64_t>(operand.values.size()) == operand.shape.elements());
    arrays_[array] = operand;
  }
}

const Operand& Goldens::at(const std::string& name) const {
  REQUIRE_MESSAGE(arrays_.count(name) == 1, name);
  return arrays_.at(name);
}

void Goldens::check(const std::string& name, const std::vector<float>& values) const {
  const std::vector<float>& expected = at(name).values;
  REQUIRE_MESSAGE(values.size() == expected.size(), name);
  for (std::size_t i = 0; i < values.size(); ++i) {
    CAPTURE(name);
    CAPTURE(i);
    CHECK(values[i] == doctest::Approx(expected[i]).epsilon(1e-4));
  }
}

}  // namespace figment::testing
