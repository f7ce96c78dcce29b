// Runs one operator as a user's model would.
#include "tests/ops/operator_harness.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>

#include "converter/emit/flatbuffer.h"
#include "converter/graph/graph.h"
#include "runtime/math/half.h"
#include "tests/support/int4.h"
#ifdef FIGMENT_WITH_XNNPACK
#include "runtime/simd/kernels.h"
#endif

namespace figment::testing {
namespace {

// Memory that begins at a multiple of 64, as a mapped file and an arena do.
class AlignedBytes {
 public:
  explicit AlignedBytes(std::size_t size)
      : size_(size),
        memory_(static_cast<std::byte*>(::operator new (size + 1, std::align_val_t{64}))) {}
  ~AlignedBytes() { ::operator delete (memory_, std::align_val_t{64}); }
  AlignedBytes(const AlignedBytes&) = delete;
  AlignedBytes& operator=(const AlignedBytes&) = delete;
  std::span<std::byte> bytes() const { return {memory_, size_}; }

 private:
  std::size_t size_;
  std::byte* memory_;
};

template <typename T>
std::vector<std::byte> bytes_of(const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::vector<std::byte> bytes_of(const TestTensor& tensor) {
  switch (tensor.type) {
    case DataType::kInt32:
      return bytes_of(tensor.integers);
    case DataType::kFloat16: {
      std::vector<std::uint16_t> halves;
      for (float value : tensor.values) halves.push_back(math::narrow_to_half(value));
      return bytes_of(halves);
    }
    case DataType::kInt8:
      return bytes_of(std::vector<std::int8_t>(tensor.integers.begin(), tensor.integers.end()));
    case DataType::kInt4:
      return pack_int4(tensor.integers, tensor.scales,
                       static_cast<std::size_t>(tensor.shape[tensor.shape.rank - 1]));
    case DataType::kUInt8: {
      std::vector<std::uint8_t> small;
      for (float value : tensor.values) small.push_back(static_cast<std::uint8_t>(value));
      return bytes_of(small);
    }
    default:
      return bytes_of(tensor.values);
  }
}

converter::GraphTensor& append(converter::Graph& graph, std::string name, DataType type,
                               const Shape& shape) {
  converter::GraphTensor& tensor = graph.tensors.emplace_back();
  tensor.name = std::move(name);
  tensor.type = type;
  tensor.shape = shape;
  return tensor;
}

bool declares_output(const format::OperatorOptionsUnion& options) {
  return options.type == format::OperatorOptions::Reshape ||
         options.type == format::OperatorOptions::Tile ||
         options.type == format::OperatorOptions::RandomNormal;
}

// The whole batch of the operands; 0 when none is batched.
int whole_batch(const std::vector<TestTensor>& inputs) {
  for (const TestTensor& input : inputs)
    if (input.batched) return input.shape[0];
  return 0;
}

// The model's graph at batch 1.
converter::Graph build(const format::OperatorOptionsUnion& options,
                       const std::vector<TestTensor>& inputs, std::optional<Shape> declared,
                       const std::optional<format::UnaryT>& activation) {
  const int batch = whole_batch(inputs);
  converter::Graph graph;
  graph.name = "one operator";
  graph.any_batch = batch > 0;
  converter::Node node;
  node.name = "node";
  node.options = options;
  node.activation = activation;
  for (const TestTensor& input : inputs) {
    if (input.shape.rank < 0) {
      node.inputs.push_back(converter::kAbsent);
      continue;
    }
    const int id = static_cast<int>(graph.tensors.size());
    node.inputs.push_back(id);
    converter::GraphTensor& tensor =
        append(graph, std::string("x").append(std::to_string(id)), input.type, input.shape);
    if (input.batched) {
      tensor.shape[0] = 1;
      tensor.batch_axis = 0;
    }
    if (input.type != DataType::kInt4) tensor.scales = input.scales;
    if (input.constant)
      tensor.data = bytes_of(input);
    else
      graph.inputs.push_back({tensor.name, id, {}});
  }

  node.output = static_cast<int>(graph.tensors.size());
  Shape none;
  none.rank = -1;
  converter::GraphTensor& output = append(graph, "y", DataType::kFloat32, declared.value_or(none));
  if (declared && batch > 0 && declared->rank > 0) {
    output.shape[0] /= batch;
    output.batch_axis = 0;
  }
  const converter::GraphTensor one = converter::infer(graph, node, 1);
  graph.tensor(node.output).type = one.type;
  graph.tensor(node.output).shape = one.shape;
  if (batch > 0 && !declared) {
    const converter::GraphTensor two = converter::infer(graph, node, 2);
    for (int axis = 0; axis < one.shape.rank; ++axis)
      if (two.shape[axis] != one.shape[axis]) graph.tensor(node.output).batch_axis = axis;
  }
  graph.outputs.push_back({"y", node.output, {}});
  graph.nodes.push_back(std::move(node));
  return graph;
}

void fill(const Tensor& tensor, const TestTensor& values) {
  const std::vector<std::byte> bytes = bytes_of(values);
  if (!bytes.empty()) std::memcpy(tensor.data, bytes.data(), bytes.size());
}

void read(const Tensor& tensor, Run& run) {
  run.shape = tensor.shape;
  run.type = tensor.type;
  const std::size_t count = static_cast<std::size_t>(tensor.elements());
  if (tensor.type == DataType::kFloat32) {
    run.values.assign(tensor.floats(), tensor.floats() + count);
    return;
  }
  for (std::size_t index = 0; index < count; ++index) {
    if (tensor.type == DataType::kUInt8)
      run.integers.push_back(static_cast<const std::uint8_t*>(tensor.data)[index]);
    else if (tensor.type == DataType::kInt8)
      run.integers.push_back(static_cast<const std::int8_t*>(tensor.data)[index]);
    else
      run.integers.push_back(tensor.integers()[index]);
  }
  for (std::int32_t value : run.integers) run.values.push_back(static_cast<float>(value));
}

Run refused(const Status& status) {
  Run run;
  run.error = std::string(status.message());
  if (run.error.empty()) run.error = "an error without a sentence";
  return run;
}

Run refused(std::string sentence) {
  Run run;
  run.error = std::move(sentence);
  return run;
}

}  // namespace

TestTensor absent() {
  TestTensor tensor;
  tensor.shape.rank = -1;
  return tensor;
}

Shape shape_of(std::initializer_list<std::int32_t> extents) {
  Shape shape;
  for (std::int32_t extent : extents) shape.dims[shape.rank++] = extent;
  return shape;
}

std::vector<float> random_values(std::int64_t count, std::uint32_t seed, float low, float high) {
  std::mt19937 generator(seed);  // its numbers are the same everywhere; std's distributions are not
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values)
    value = low + (high - low) * (static_cast<float>(generator() >> 8) / 16777216.0F);
  return values;
}

Run run_operator(const format::OperatorOptionsUnion& options, const std::vector<TestTensor>& inputs,
                 std::optional<Shape> declared_output, Backend backend,
                 std::optional<format::UnaryT> activation, const std::string& lowering) {
  std::vector<std::byte> file;
  try {
    converter::Graph graph = build(options, inputs, declared_output, activation);
    graph.nodes.back().lowering = lowering;
    file = converter::emit(graph, {});
  } catch (const converter::ConvertError& error) {
    return refused(error.what());
  }
  const AlignedBytes bytes(file.size());
  std::copy(file.begin(), file.end(), bytes.bytes().begin());
  const Result<Model> model = Model::open(bytes.bytes());
  if (!model.ok()) return refused(model.status());

  Options session_options;
  session_options.backend = backend;
  session_options.batch = std::max(1, whole_batch(inputs));
  const Result<std::size_t> need = Session::arena_bytes(*model, session_options);
  if (!need.ok()) return refused(need.status());
  const AlignedBytes arena(*need);
  // What an operator forgets to write must not pass for a zero.
  std::fill(arena.bytes().begin(), arena.bytes().end(), std::byte{0xA5});
  Result<Session> session = Session::create(*model, arena.bytes(), session_options);
  if (!session.ok()) return refused(session.status());

  int port = 0;
  for (const TestTensor& input : inputs)
    if (!input.constant && input.shape.rank >= 0) fill(session->input(port++), input);
  const Status status = session->run();
  if (!status.ok()) return refused(status);
  Run run;
  read(session->output(0), run);
  run.lowering = std::string(session->operator_report(0).lowering);
  return run;
}

void check_operator_on(Backend backend, const format::OperatorOptionsUnion& options,
                       const std::vector<TestTensor>& inputs, const Shape& expected_shape,
                       const std::vector<double>& expected, double tolerance,
                       std::optional<format::UnaryT> activation, const std::string& lowering) {
  CAPTURE(backend == Backend::kPortable ? "portable" : "xnnpack");
  const std::optional<Shape> declared =
      declares_output(options) ? std::optional(expected_shape) : std::nullopt;
  const Run run = run_operator(options, inputs, declared, backend, activation, lowering);
  REQUIRE_MESSAGE(run.error.empty(), run.error);
  REQUIRE(converter::describe(run.shape) == converter::describe(expected_shape));
  REQUIRE(run.values.size() == expected.size());
  std::size_t wrong = 0;
  for (std::size_t index = 0; index < expected.size(); ++index) {
    const double b = expected[index];
    const double a = run.integers.empty() ? double{run.values[index]} : double(run.integers[index]);
    const bool same = (std::isnan(a) && std::isnan(b)) || a == b ||
                      std::fabs(a - b) <= tolerance * std::max(1.0, std::fabs(b));
    if (same) continue;
    if (++wrong <= 3)
      MESSAGE("element ", index, " is ", a, " but must be ", b, " (", run.lowering, ")");
  }
  CHECK(wrong == 0);
}

void check_ways([[maybe_unused]] const std::vector<std::string>& lowerings,
                const format::OperatorOptionsUnion& options, const std::vector<TestTensor>& inputs,
                const Shape& expected_shape, const std::vector<double>& expected, double tolerance,
                std::optional<format::UnaryT> activation) {
#ifdef FIGMENT_WITH_XNNPACK
  for (const simd::Kernels* table : simd::tables()) {
    const char* kernels = table->name;
    if (!simd::cap_kernels(kernels)) continue;
    CAPTURE(kernels);
    for (const std::string& lowering : lowerings) {
      CAPTURE(lowering);
      check_operator_on(Backend::kXnnpack, options, inputs, expected_shape, expected, tolerance,
                        activation, lowering);
    }
  }
  simd::cap_kernels(nullptr);
#else
  check_operator_on(Backend::kXnnpack, options, inputs, expected_shape, expected, tolerance,
                    activation);
#endif
}

void check_same_bits([[maybe_unused]] const std::string& lowering,
                     [[maybe_unused]] const format::OperatorOptionsUnion& options,
                     [[maybe_unused]] const std::vector<TestTensor>& inputs,
                     [[maybe_unused]] const Shape& output_shape) {
#ifdef FIGMENT_WITH_XNNPACK
  const std::optional<Shape> declared =
      declares_output(options) ? std::optional(output_shape) : std::nullopt;
  const Run portable = run_operator(options, inputs, declared, Backend::kPortable);
  REQUIRE_MESSAGE(portable.error.empty(), portable.error);
  for (const simd::Kernels* table : simd::tables()) {
    const char* kernels = table->name;
    if (!simd::cap_kernels(kernels)) continue;
    CAPTURE(kernels);
    CAPTURE(lowering);
    const Run fast = run_operator(options, inputs, declared, Backend::kXnnpack, {}, lowering);
    REQUIRE_MESSAGE(fast.error.empty(), fast.error);
    if (fast.lowering == lowering) CHECK(fast.values == portable.values);
  }
  simd::cap_kernels(nullptr);
#endif
}

void check_operator(const format::OperatorOptionsUnion& options,
                    const std::vector<TestTensor>& inputs, const Shape& expected_shape,
                    const std::vector<double>& expected, double tolerance,
                    std::optional<format::UnaryT> activation) {
  check_operator_on(Backend::kPortable, options, inputs, expected_shape, expected, tolerance,
                    activation);
  check_operator_on(Backend::kXnnpack, options, inputs, expected_shape, expected, tolerance,
                    activation);
}

void check_refused(const format::OperatorOptionsUnion& options,
                   const std::vector<TestTensor>& inputs, std::optional<Shape> declared,
                   const char* words) {
  const Run run = run_operator(options, inputs, declared, Backend::kPortable);
  CAPTURE(run.error);
  REQUIRE_FALSE(run.error.empty());
  CHECK_MESSAGE(run.error.find(words) != std::string::npos, "the sentence lacks: ", words);
}

}  // namespace figment::testing
