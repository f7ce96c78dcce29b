// Small untrained models for the trainer's tests, and trainers with memory of their own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "converter/graph/graph.h"
#include "figment/train.h"
#include "tests/support/loaded_model.h"

namespace figment::testing {

// Builds a model layer by layer; weights are random, the same for the same seed.
class ModelBuilder {
 public:
  // The first input, [1, ...] at batch 1.
  ModelBuilder(std::string name, const Shape& input, std::uint32_t seed);

  ModelBuilder& dense(int outputs);
  // 3x3, padding 1.
  ModelBuilder& convolution(int outputs, int stride);
  // 4x4, stride 2, padding 1: twice the size.
  ModelBuilder& transposed_convolution(int outputs);
  ModelBuilder& batch_normalization();
  ModelBuilder& activation(format::UnaryFunction function, float alpha = 0);  // carried
  ModelBuilder& unary(format::UnaryFunction function);                        // by itself
  ModelBuilder& reshape(const Shape& shape);
  ModelBuilder& layer(format::OperatorOptionsUnion options);  // any, of one input
  // The numbers so far are added to `other`'s, both the results of layers of this model.
  ModelBuilder& add(converter::TensorId other);
  converter::TensorId last() const { return last_; }
  // A second input, a class's number, as a vector of `classes` or int32; appended to the numbers so
  // far.
  ModelBuilder& label(int classes);
  // Weights of the layers that follow are float16.
  ModelBuilder& narrow();
  // Splits the last axis into two outputs.
  ModelBuilder& two_outputs();
  std::vector<std::byte> bytes();

 private:
  converter::TensorId weights(const std::string& name, std::initializer_list<std::int32_t> extents,
                              float size);
  void append(format::OperatorOptionsUnion options, std::vector<converter::TensorId> inputs,
              std::optional<Shape> declared = {});
  const Shape& shape() const { return graph_.tensor(last_).shape; }

  converter::Graph graph_;
  converter::TensorId last_;
  std::vector<converter::TensorId> outputs_;
  std::uint32_t seed_;
  bool narrow_ = false;
};

struct TestModel {
  explicit TestModel(const std::vector<std::byte>& bytes);
  AlignedMemory memory;
  Model model;
};

// In an arena of just the size that arena_bytes names.
struct TestTrainer {
  TestTrainer(const TrainedModels& models, const TrainOptions& options);
  AlignedMemory arena;
  Trainer trainer;
};

Shape shape_of(std::initializer_list<std::int32_t> extents);

// Fills with numbers in [low, high) that depend on `seed` alone.
void fill(const Tensor& tensor, std::uint64_t seed, float low = -1, float high = 1);

// Examples and targets of supervised learning.
void fill_supervised(Trainer& trainer);

// Everything that has been learned, one tensor after another; of one model, or of both (-1).
std::vector<float> learned_values(const Trainer& trainer, int model = -1);
void set_learned(Trainer& trainer, const std::vector<float>& values, int model = -1);

// 8 numbers to a mean and a logarithm of the variance of 3, as two outputs or one, and back.
TestModel vae_encoder(bool two);
TestModel vae_decoder();

}  // namespace figment::testing
