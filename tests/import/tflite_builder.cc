// Puts tables together, packs them, and runs what is imported.
#include "tests/import/tflite_builder.h"

#include <cmath>
#include <cstring>
#include <random>

#include "runtime/math/half.h"
#include "tests/import/run_graph.h"

namespace figment::testing::lite {

TfliteBuilder::TfliteBuilder() {
  model_.version = 3;
  model_.subgraphs.push_back(std::make_unique<tflite::SubGraphT>());
  model_.buffers.push_back(std::make_unique<tflite::BufferT>());  // that of tensors without data
}

int TfliteBuilder::tensor(const Extents& extents, TensorType type, const Quantized& quantized,
                          const std::string& name) {
  auto added = std::make_unique<tflite::TensorT>();
  bool open = false;
  for (const std::int64_t extent : extents) {
    open = open || extent < 0;
    added->shape.push_back(static_cast<std::int32_t>(extent < 0 ? 1 : extent));
  }
  if (open)
    for (const std::int64_t extent : extents)
      added->shape_signature.push_back(static_cast<std::int32_t>(extent));
  added->type = type;
  added->name = name.empty() ? "t" + std::to_string(graph().tensors.size()) : name;
  if (!quantized.scales.empty()) {
    added->quantization = std::make_unique<tflite::QuantizationParametersT>();
    added->quantization->scale = quantized.scales;
    added->quantization->zero_point = quantized.zero_points;
    added->quantization->quantized_dimension = quantized.axis;
  }
  graph().tensors.push_back(std::move(added));
  return static_cast<int>(graph().tensors.size()) - 1;
}

int TfliteBuilder::input(const Extents& extents, TensorType type, const Quantized& quantized,
                         const std::string& name) {
  const int index = tensor(extents, type, quantized, name);
  graph().inputs.push_back(index);
  return index;
}

int TfliteBuilder::add_constant(const Extents& extents, TensorType type, const void* data,
                                std::size_t size, const Quantized& quantized) {
  auto buffer = std::make_unique<tflite::BufferT>();
  buffer->data.resize(size);
  if (size > 0) std::memcpy(buffer->data.data(), data, size);
  model_.buffers.push_back(std::move(buffer));
  const int index = tensor(extents, type, quantized);
  graph().tensors.back()->buffer = static_cast<std::uint32_t>(model_.buffers.size()) - 1;
  return index;
}

int TfliteBuilder::floats(const Extents& extents, const std::vector<float>& values) {
  return add_constant(extents, TensorType::FLOAT32, values.data(), values.size() * 4);
}

int TfliteBuilder::integers(const Extents& extents, const std::vector<std::int32_t>& values) {
  return add_constant(extents, TensorType::INT32, values.data(), values.size() * 4);
}

int TfliteBuilder::halves(const Extents& extents, const std::vector<float>& values) {
  std::vector<std::uint16_t> halves;
  halves.reserve(values.size());
  for (const float value : values) halves.push_back(math::narrow_to_half(value));
  return add_constant(extents, TensorType::FLOAT16, halves.data(), halves.size() * 2);
}

int TfliteBuilder::bytes(const Extents& extents, const std::vector<int>& values,
                         const Quantized& quantized, TensorType type) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(values.size());
  for (const int value : values) bytes.push_back(static_cast<std::uint8_t>(value));
  return add_constant(extents, type, bytes.data(), bytes.size(), quantized);
}

TfliteBuilder& TfliteBuilder::node(BuiltinOperator kind, const std::vector<int>& inputs,
                                   const std::vector<int>& outputs,
                                   const tflite::BuiltinOptionsUnion& options) {
  auto code = std::make_unique<tflite::OperatorCodeT>();
  code->builtin_code = kind;
  code->deprecated_builtin_code = static_cast<std::int8_t>(std::min(static_cast<int>(kind), 127));
  model_.operator_codes.push_back(std::move(code));
  auto added = std::make_unique<tflite::OperatorT>();
  added->opcode_index = static_cast<std::uint32_t>(model_.operator_codes.size()) - 1;
  added->inputs.assign(inputs.begin(), inputs.end());
  added->outputs.assign(outputs.begin(), outputs.end());
  added->builtin_options = options;
  graph().operators.push_back(std::move(added));
  return *this;
}

TfliteBuilder& TfliteBuilder::output(int index) {
  graph().outputs.push_back(index);
  return *this;
}

std::string TfliteBuilder::file() const {
  flatbuffers::FlatBufferBuilder packed;
  packed.Finish(tflite::Model::Pack(packed, &model_), tflite::ModelIdentifier());
  return {reinterpret_cast<const char*>(packed.GetBufferPointer()), packed.GetSize()};
}

std::filesystem::path TfliteBuilder::save() const {
  const std::string path = folder_ / "model.tflite";
  write_text(path, file());
  return path;
}

converter::Graph TfliteBuilder::import(const converter::ImportOptions& options) const {
  return converter::import_file(save(), options);
}

converter::Graph TfliteBuilder::import_with_batch(const converter::ImportOptions& options) const {
  return converter::import_with_batch(save(), options);
}

std::string TfliteBuilder::refusal(const converter::ImportOptions& options) const {
  try {
    import(options);
  } catch (const converter::ConvertError& error) {
    return error.what();
  }
  return {};
}

int TfliteBuilder::count(format::OperatorOptions kind) const {
  int found = 0;
  for (const converter::Node& node : import().nodes) found += node.kind() == kind ? 1 : 0;
  return found;
}

std::vector<float> random_numbers(std::int64_t count, unsigned seed, float low, float high) {
  std::mt19937 random(seed);
  std::vector<float> values;
  for (std::int64_t at = 0; at < count; ++at)
    values.push_back(low + (high - low) * static_cast<float>(random() % 4096) / 4095.0F);
  return values;
}

std::vector<int> random_int8(std::int64_t count, unsigned seed, int low, int high) {
  std::mt19937 random(seed);
  std::vector<int> values;
  for (std::int64_t at = 0; at < count; ++at)
    values.push_back(low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1)));
  return values;
}

std::vector<double> run_model(const TfliteBuilder& builder,
                              const std::vector<std::vector<float>>& inputs) {
  return run_graph(builder.import(), inputs).values.at(0);
}

void check_model(const TfliteBuilder& builder, const std::vector<std::vector<float>>& inputs,
                 const Extents& shape, const std::vector<double>& expected, double tolerance) {
  const GraphRun run = run_graph(builder.import(), inputs);
  REQUIRE(run.shapes.size() == 1);
  CHECK(converter::describe(run.shapes[0]) == converter::describe(converter::make_shape(shape)));
  REQUIRE(run.values[0].size() == expected.size());
  for (std::size_t at = 0; at < expected.size(); ++at) {
    CAPTURE(at);
    CAPTURE(run.values[0][at]);
    CAPTURE(expected[at]);
    CHECK(std::fabs(run.values[0][at] - expected[at]) <=
          tolerance * std::fmax(1, std::fabs(expected[at])));
  }
}

void check_operator(BuiltinOperator kind, const Extents& x_shape, const std::vector<float>& x,
                    const std::vector<std::pair<Extents, std::vector<std::int32_t>>>& integers,
                    const tflite::BuiltinOptionsUnion& options, const Extents& shape,
                    const std::vector<double>& expected) {
  CAPTURE(tflite::EnumNameBuiltinOperator(kind));
  TfliteBuilder builder;
  std::vector<int> inputs = {builder.input(x_shape)};
  for (const auto& [extents, values] : integers)
    inputs.push_back(builder.integers(extents, values));
  const int y = builder.tensor(shape);
  builder.node(kind, inputs, {y}, options).output(y);
  check_model(builder, {x}, shape, expected);
}

}  // namespace figment::testing::lite
