// Models built in memory through the converter's own graph and writer.
#include "tests/train/models.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "converter/emit/flatbuffer.h"
#include "runtime/math/half.h"

namespace figment::testing {

using converter::make_options;

Shape shape_of(std::initializer_list<std::int32_t> extents) {
  Shape shape;
  for (const std::int32_t extent : extents) shape.dims[shape.rank++] = extent;
  return shape;
}

ModelBuilder::ModelBuilder(std::string name, const Shape& input, std::uint32_t seed) : seed_(seed) {
  graph_.name = std::move(name);
  graph_.any_batch = true;
  last_ = graph_.add_input("x", DataType::kFloat32, input);
  graph_.tensor(last_).batch_axis = 0;
}

converter::TensorId ModelBuilder::weights(const std::string& name,
                                          std::initializer_list<std::int32_t> extents, float size) {
  const Shape shape = shape_of(extents);
  std::mt19937 generator(++seed_);
  std::vector<float> values(static_cast<std::size_t>(shape.elements()));
  for (float& value : values)
    value = size * (static_cast<float>(generator() >> 8) / 8388608.0F - 1.0F);
  if (!narrow_ || shape.rank < 2) return graph_.add_floats(name, shape, values);
  std::vector<std::byte> halves(values.size() * 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t half = math::narrow_to_half(values[i]);
    std::memcpy(halves.data() + 2 * i, &half, 2);
  }
  return graph_.add_constant(name, DataType::kFloat16, shape, std::move(halves));
}

void ModelBuilder::append(format::OperatorOptionsUnion options,
                          std::vector<converter::TensorId> inputs, std::optional<Shape> declared) {
  last_ = graph_.add_node("layer" + std::to_string(graph_.nodes.size()), std::move(options),
                          std::move(inputs), declared);
}

ModelBuilder& ModelBuilder::dense(int outputs) {
  const int inputs = shape()[shape().rank - 1];
  const std::string name = "dense" + std::to_string(graph_.nodes.size());
  const float size = 1 / std::sqrt(static_cast<float>(inputs));
  append(make_options(format::DenseT{}), {last_, weights(name + ".weight", {outputs, inputs}, size),
                                          weights(name + ".bias", {outputs}, 0.1F)});
  return *this;
}

ModelBuilder& ModelBuilder::convolution(int outputs, int stride) {
  const int channels = shape()[3];
  const std::string name = "conv" + std::to_string(graph_.nodes.size());
  format::Conv2DT options;
  options.stride_height = options.stride_width = stride;
  options.pad_top = options.pad_bottom = options.pad_left = options.pad_right = 1;
  append(make_options(options), {last_,
                                 weights(name + ".weight", {outputs, 3, 3, channels},
                                         1 / std::sqrt(9 * static_cast<float>(channels))),
                                 weights(name + ".bias", {outputs}, 0.1F)});
  return *this;
}

ModelBuilder& ModelBuilder::transposed_convolution(int outputs) {
  const int channels = shape()[3];
  const std::string name = "up" + std::to_string(graph_.nodes.size());
  format::ConvTranspose2DT options;
  options.stride_height = options.stride_width = 2;
  options.pad_top = options.pad_bottom = options.pad_left = options.pad_right = 1;
  append(make_options(options), {last_,
                                 weights(name + ".weight", {1, 4, 4, outputs, channels},
                                         1 / std::sqrt(4 * static_cast<float>(channels))),
                                 weights(name + ".bias", {outputs}, 0.1F)});
  return *this;
}

ModelBuilder& ModelBuilder::batch_normalization() {
  const int channels = shape()[shape().rank - 1];
  const std::string name = "norm" + std::to_string(graph_.nodes.size());
  const Shape vector = shape_of({channels});
  const auto count = static_cast<std::size_t>(channels);
  append(make_options(format::BatchNormalizationT{}),
         {last_, graph_.add_floats(name + ".weight", vector, std::vector<float>(count, 1.0F)),
          weights(name + ".bias", {channels}, 0.1F),
          graph_.add_floats(name + ".mean", vector, std::vector<float>(count, 0.0F)),
          graph_.add_floats(name + ".variance", vector, std::vector<float>(count, 1.0F))});
  return *this;
}

ModelBuilder& ModelBuilder::activation(format::UnaryFunction function, float alpha) {
  format::UnaryT activation;
  activation.function = function;
  activation.alpha = alpha;
  graph_.nodes.back().activation = activation;
  return *this;
}

ModelBuilder& ModelBuilder::unary(format::UnaryFunction function) {
  format::UnaryT options;
  options.function = function;
  append(make_options(options), {last_});
  return *this;
}

ModelBuilder& ModelBuilder::reshape(const Shape& to) {
  append(make_options(format::ReshapeT{}), {last_}, to);
  return *this;
}

ModelBuilder& ModelBuilder::layer(format::OperatorOptionsUnion options) {
  append(std::move(options), {last_});
  return *this;
}

ModelBuilder& ModelBuilder::add(converter::TensorId other) {
  append(make_options(format::BinaryT{}), {last_, other});
  return *this;
}

ModelBuilder& ModelBuilder::label(int classes) {
  const converter::TensorId label =
      graph_.add_input("label", DataType::kFloat32, shape_of({1, classes}));
  graph_.tensor(label).batch_axis = 0;
  format::ConcatT options;
  options.axis = 1;
  append(make_options(options), {last_, label});
  return *this;
}

ModelBuilder& ModelBuilder::narrow() {
  narrow_ = true;
  return *this;
}

ModelBuilder& ModelBuilder::two_outputs() {
  const int width = shape()[shape().rank - 1] / 2;
  const converter::TensorId whole = last_;
  for (const int half : {0, 1}) {
    format::SliceT options;
    options.starts = {0, half * width};
    options.sizes = {-1, width};
    options.steps = {1, 1};
    append(make_options(options), {whole});
    outputs_.push_back(last_);
  }
  return *this;
}

std::vector<std::byte> ModelBuilder::bytes() {
  if (outputs_.empty()) outputs_.push_back(last_);
  for (const converter::TensorId output : outputs_)
    graph_.outputs.push_back({"y" + std::to_string(graph_.outputs.size()), output, {}});
  return converter::emit(graph_, {});
}

TestModel::TestModel(const std::vector<std::byte>& bytes)
    : memory(align_bytes(bytes)), model([&] {
        Result<Model> opened = Model::open(memory.span());
        REQUIRE_MESSAGE(opened.ok(), std::string(opened.status().message()));
        return *opened;
      }()) {}

TestTrainer::TestTrainer(const TrainedModels& models, const TrainOptions& options)
    : arena([&] {
        const Result<std::size_t> needed = Trainer::arena_bytes(models, options);
        REQUIRE_MESSAGE(needed.ok(), std::string(needed.status().message()));
        return *needed;
      }()),
      trainer([&] {
        std::memset(arena.span().data(), 0x7f, arena.span().size());
        Result<Trainer> created = Trainer::create(models, arena.span(), options);
        REQUIRE_MESSAGE(created.ok(), std::string(created.status().message()));
        return std::move(*created);
      }()) {}

void fill(const Tensor& tensor, std::uint64_t seed, float low, float high) {
  fill_uniform(tensor, seed, low, high);
}

std::vector<float> learned_values(const Trainer& trainer, int model) {
  std::vector<float> values;
  for (int i = 0; i < trainer.learned_count(); ++i) {
    const LearnedTensor tensor = trainer.learned(i);
    if (model >= 0 && tensor.model != model) continue;
    for (const auto part : {tensor.values, tensor.left, tensor.right})
      values.insert(values.end(), part.begin(), part.end());
  }
  return values;
}

void set_learned(Trainer& trainer, const std::vector<float>& values, int model) {
  std::size_t at = 0;
  for (int i = 0; i < trainer.learned_count(); ++i) {
    const LearnedTensor tensor = trainer.learned(i);
    if (model >= 0 && tensor.model != model) continue;
    for (const auto part : {tensor.values, tensor.left, tensor.right})
      for (const float& value : part) const_cast<float&>(value) = values[at++];
  }
}

void fill_supervised(Trainer& trainer) {
  fill(trainer.examples(), 1);
  fill(trainer.targets(), 2, 0, 1);
}
TestModel vae_encoder(bool two) {
  ModelBuilder builder("encoder", shape_of({1, 8}), 5);
  builder.dense(10).activation(format::UnaryFunction::Relu).dense(6);
  if (two) builder.two_outputs();
  return TestModel(builder.bytes());
}
TestModel vae_decoder() {
  return TestModel(ModelBuilder("decoder", shape_of({1, 3}), 9)
                       .dense(10)
                       .activation(format::UnaryFunction::LeakyRelu, 0.2F)
                       .dense(8)
                       .activation(format::UnaryFunction::Sigmoid)
                       .bytes());
}

}  // namespace figment::testing
