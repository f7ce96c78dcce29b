// Runs a backward room as a trainer does, with memory of its own, and compares.
#include "tests/train/backward/harness.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "runtime/base/arena.h"
#include "tests/support/threads.h"
namespace figment::testing {
namespace {

using train::BackwardRoom;
using train::Call;
using train::Inputs;

constexpr double kStep = 1e-5;  // of the central differences

struct Aligned {
  explicit Aligned(std::size_t bytes)
      : memory(static_cast<std::byte*>(
            ::operator new (std::max<std::size_t>(bytes, 1), std::align_val_t{64}))) {
    std::memset(memory, 0x7f, bytes);  // what is not written shows
  }
  ~Aligned() { ::operator delete (memory, std::align_val_t{64}); }
  Aligned(const Aligned&) = delete;
  Aligned& operator=(const Aligned&) = delete;
  std::byte* memory;
};

Tensor view(const Operand& operand) {
  Tensor tensor;
  tensor.shape = operand.shape;
  tensor.absent = operand.shape.rank < 0;
  if (tensor.absent) return tensor;
  tensor.type = operand.integers.empty() ? DataType::kFloat32 : DataType::kInt32;
  tensor.data = operand.integers.empty()
                    ? static_cast<void*>(const_cast<float*>(operand.values.data()))
                    : const_cast<std::int32_t*>(operand.integers.data());
  return tensor;
}

// Everything that one call needs.
struct Setup {
  const BackwardCase& test;
  const BackwardRoom& room;
  const ops::OperatorRoom& operator_room;
  flatbuffers::FlatBufferBuilder builder;
  std::vector<std::vector<float>> copies;  // of the operands: normalizations move statistics
  std::vector<Tensor> inputs;
  Tensor output;

  explicit Setup(const BackwardCase& the_test)
      : test(the_test),
        room(*train::kBackwardRooms[static_cast<int>(the_test.options.type)]),
        operator_room(*ops::kOperators[static_cast<int>(the_test.options.type)].room) {
    builder.Finish(flatbuffers::Offset<void>(test.options.Pack(builder)));
    for (const Operand& operand : test.operands) {
      copies.push_back(operand.values);
      Tensor tensor = view(operand);
      if (!tensor.absent && operand.integers.empty()) tensor.data = copies.back().data();
      inputs.push_back(tensor);
    }
    output.shape = test.declared;
    Operation operation;
    operation.options = options();
    operation.inputs = inputs;
    const Status status = operator_room.shape(operation, output);
    REQUIRE_MESSAGE(status.ok(), std::string(status.message()));
  }
  const void* options() const {
    return flatbuffers::GetRoot<std::byte>(builder.GetBufferPointer());
  }
};

void check_close(const std::vector<float>& values, const std::vector<double>& expected,
                 double tolerance, const std::string& what) {
  REQUIRE_MESSAGE(values.size() == expected.size(), what);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double bound = tolerance * std::max(1.0, std::fabs(expected[i]));
    if (std::fabs(double{values[i]} - expected[i]) <= bound) continue;
    FAIL_CHECK(what << "[" << i << "] is " << values[i] << " but should be " << expected[i]);
    return;
  }
}

void run_and_check(const BackwardCase& test, Inputs wanted, bool in_place, Backend backend,
                   pthreadpool* threads, const std::vector<double>& expected_output,
                   const std::vector<float>& output_gradient, const Doubles& expected) {
  Setup setup(test);
  const BackwardRoom& room = setup.room;
  std::vector<float> y(static_cast<std::size_t>(setup.output.elements()), 7.0F);
  setup.output.data = y.data();

  Call call;
  call.operation.options = setup.options();
  call.operation.inputs = setup.inputs;
  call.operation.outputs = {&setup.output, 1};
  call.operation.threads = threads;
  call.loops = &train::loops_of(backend);
  call.batch_statistics = test.batch_statistics;
  const Aligned saved(room.saved_bytes != nullptr ? room.saved_bytes(call) : 0);
  call.saved = saved.memory;
  if (room.forward != nullptr) {
    const Aligned scratch(room.forward_scratch_bytes != nullptr ? room.forward_scratch_bytes(call)
                                                                : 0);
    call.operation.scratch = scratch.memory;
    room.forward(call);
  } else if (setup.operator_room.forward != nullptr) {
    const Aligned scratch(setup.operator_room.scratch_bytes != nullptr
                              ? setup.operator_room.scratch_bytes(call.operation)
                              : 0);
    call.operation.scratch = scratch.memory;
    setup.operator_room.forward(call.operation);
  }
  if (setup.operator_room.memory != ops::Memory::kAlias)
    check_close(y, expected_output, test.tolerance, "the output");

  // Values that are not read are gone.
  const train::Reads reads = room.reads(call, wanted);
  for (std::size_t k = 0; k < setup.inputs.size(); ++k)
    if (!(reads.inputs & train::input_bit(k))) setup.inputs[k].data = nullptr;
  if (!reads.output) setup.output.data = nullptr;

  std::vector<float> dy = output_gradient;
  call.output_gradient = dy.data();
  std::vector<std::vector<float>> gradients(setup.inputs.size());
  std::vector<Tensor> gradient_views = setup.inputs;
  for (std::size_t k = 0; k < setup.inputs.size(); ++k) {
    gradient_views[k].data = nullptr;
    if (!(wanted & train::input_bit(k))) continue;
    gradients[k].assign(static_cast<std::size_t>(setup.inputs[k].elements()),
                        std::numeric_limits<float>::quiet_NaN());
    gradient_views[k].data = k == 0 && in_place ? dy.data() : gradients[k].data();
  }
  call.input_gradients = gradient_views;
  const Aligned scratch(room.scratch_bytes != nullptr ? room.scratch_bytes(call) : 0);
  call.operation.scratch = scratch.memory;

  std::vector<float> by_rows;
  if (room.weight_rows != nullptr && (wanted & train::input_bit(1))) {
    const Tensor& weights = setup.inputs[1];
    const std::int64_t rows = weights.shape[0];
    const std::int64_t row = weights.elements() / rows;
    by_rows.resize(static_cast<std::size_t>(weights.elements()));
    for (std::int64_t first = 0; first < rows; first += 3)
      room.weight_rows(call, first, std::min<std::int64_t>(3, rows - first),
                       by_rows.data() + first * row);
  }
  room.backward(call);
  for (std::size_t k = 0; k < setup.inputs.size(); ++k)
    if (wanted & train::input_bit(k))
      check_close(k == 0 && in_place ? dy : gradients[k], expected[k], test.tolerance,
                  "the gradient of input " + std::to_string(k));
  if (!by_rows.empty())
    check_close(by_rows, expected[1], test.tolerance, "the weights' gradient by rows");
}

}  // namespace

Operand random_operand(std::initializer_list<std::int32_t> extents, std::uint32_t seed, float low,
                       float high) {
  Operand operand;
  for (const std::int32_t extent : extents) operand.shape.dims[operand.shape.rank++] = extent;
  std::mt19937 generator(seed);
  operand.values.resize(static_cast<std::size_t>(operand.shape.elements()));
  for (float& value : operand.values)
    value = low + (high - low) * (static_cast<float>(generator() >> 8) / 16777216.0F);
  return operand;
}

Operand no_operand() {
  Operand operand;
  operand.shape.rank = -1;
  return operand;
}

void check_backward(const BackwardCase& test) {
  Doubles doubles;
  for (const Operand& operand : test.operands)
    doubles.emplace_back(operand.values.begin(), operand.values.end());
  const std::vector<double> output = test.definition(doubles);
  Operand random;
  random = random_operand({static_cast<std::int32_t>(output.size())}, 99);
  const auto loss = [&](const Doubles& operands) {
    const std::vector<double> y = test.definition(operands);
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * double{random.values[i]};
    return sum;
  };

  const BackwardRoom* room = train::kBackwardRooms[static_cast<int>(test.options.type)];
  REQUIRE(room != nullptr);
  Inputs all = train::kNoInputs;
  Doubles expected(doubles.size());
  for (std::size_t k = 0; k < doubles.size(); ++k) {
    if (!(room->differentiable & train::input_bit(k)) || doubles[k].empty()) continue;
    all |= train::input_bit(k);
    for (double& value : doubles[k]) {
      const double kept = value;
      value = kept + kStep;
      const double up = loss(doubles);
      value = kept - kStep;
      const double down = loss(doubles);
      value = kept;
      expected[k].push_back((up - down) / (2 * kStep));
    }
  }
  REQUIRE(all != train::kNoInputs);

  std::vector<Inputs> sets{all};
  for (std::size_t k = 0; k < doubles.size(); ++k)
    if (all & train::input_bit(k)) sets.push_back(train::input_bit(k));
  const test::Threads threads(2);
  for (const Inputs wanted : sets) {
    CAPTURE(wanted);
    for (const Backend backend : {Backend::kPortable, Backend::kXnnpack})
      run_and_check(test, wanted, false, backend, nullptr, output, random.values, expected);
    run_and_check(test, wanted, false, Backend::kXnnpack, threads.get(), output, random.values,
                  expected);
    if (room->in_place && (wanted & train::input_bit(0)) && doubles[0].size() == output.size())
      run_and_check(test, wanted, true, Backend::kPortable, nullptr, output, random.values,
                    expected);
  }
}

}  // namespace figment::testing
