// A model with each layout of weights, what it has learned, and ways to change its delta.
#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include "converter/emit/flatbuffer.h"
#include "converter/passes/passes.h"
#include "runtime/format/sha256.h"
#include "runtime/math/stored_weights.h"
#include "runtime/model_view.h"
#include "runtime/train/delta.h"
#include "tests/support/running_trainer.h"
#include "tests/support/tuned_model.h"

namespace figment::testing {

using converter::Graph;
using converter::GraphTensor;
using converter::TensorId;
using Narrow = converter::PassResult (*)(Graph& graph);

inline std::vector<float> numbers(std::size_t count, std::uint64_t seed) {
  std::vector<float> values(count);
  Tensor tensor;
  tensor.data = values.data();
  tensor.shape = {{static_cast<std::int32_t>(count)}, 1};
  fill_normal(tensor, seed);
  for (float& value : values) value *= 0.3F;
  return values;
}

// x [N,50] -> Dense to 72 -> [N,3,3,8] -> transposed convolution in two groups -> [N,6,6,4] ->
// convolution -> y [N,6,6,3]: each of the three layouts of weights.
inline Graph make_graph() {
  Graph graph;
  graph.name = "learner";
  graph.any_batch = true;
  const auto floats = [&](const char* name, std::initializer_list<std::int64_t> extents) {
    const Shape shape = converter::make_shape(extents);
    return graph.add_floats(
        name, shape, numbers(static_cast<std::size_t>(shape.elements()), graph.tensors.size()));
  };
  const TensorId x = graph.add_input("x", DataType::kFloat32, {{1, 50}, 2});
  TensorId y = graph.add_node("dense", converter::make_options(format::DenseT{}),
                              {x, floats("dense.weights", {72, 50}), floats("dense.bias", {72})});
  y = graph.add_node("reshape", converter::make_options(format::ReshapeT{}), {y},
                     Shape{{1, 3, 3, 8}, 4});
  format::ConvTranspose2DT up;
  up.stride_height = up.stride_width = 2;
  up.groups = 2;
  y = graph.add_node("up", converter::make_options(up),
                     {y, floats("up.weights", {2, 2, 2, 2, 4}), floats("up.bias", {4})});
  format::Conv2DT convolution;
  convolution.pad_top = convolution.pad_left = convolution.pad_bottom = convolution.pad_right = 1;
  y = graph.add_node("convolution", converter::make_options(convolution),
                     {y, floats("convolution.weights", {3, 3, 3, 4})});
  graph.outputs.push_back({"y", y, {}});
  for (GraphTensor& tensor : graph.tensors)
    if (!tensor.constant()) tensor.batch_axis = 0;
  return graph;
}

inline Graph narrowed(Graph graph, Narrow narrow) {
  if (narrow != nullptr) narrow(graph);
  return graph;
}

inline std::vector<std::byte> file_of(const Graph& graph) {
  converter::ModelFacts facts;
  facts.golden.emplace();
  facts.golden->output_digest = std::make_unique<format::Hash>();
  std::memset(reinterpret_cast<void*>(facts.golden->output_digest.get()), 7, 32);
  return emit(graph, facts);
}

struct OpenModel {
  explicit OpenModel(const std::vector<std::byte>& file)
      : bytes(align_bytes(file)), model(*Model::open(bytes.span())) {}
  AlignedMemory bytes;
  Model model;

  // The tensor of that name.
  int find(const std::string& name) const {
    for (flatbuffers::uoffset_t i = 0; i < model.root().tensors()->size(); ++i)
      if (text(model.root().tensors()->Get(i)->name()) == name) return static_cast<int>(i);
    FAIL("no tensor " << name);
    return -1;
  }
  Tensor view(const std::string& name) const { return tensor_view(model.root(), find(name), 1); }
  std::vector<float> floats(const std::string& name) const {
    const Tensor tensor = view(name);
    std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
    math::widen_constant(tensor, values.data());
    return values;
  }
};

inline TrainOptions options_of(int adapter_rank = 0) {
  TrainOptions options;
  options.batch = 4;
  options.optimizer.learning_rate = 0.02F;
  options.selection.adapter_rank = adapter_rank;
  return options;
}

inline converter::PassResult to_int4(Graph& graph) {
  converter::quantize_dense(graph);
  return converter::quantize_weights(graph);
}

// A learned delta, as an object to change.
inline std::vector<std::byte> repack(const AlignedMemory& delta,
                                     const std::function<void(format::DeltaT&)>& change) {
  format::DeltaT object;
  format::GetDelta(delta.span().data())->UnPackTo(&object);
  change(object);
  if (object.content_hash) object.content_hash = std::make_unique<format::Hash>();
  flatbuffers::FlatBufferBuilder builder;
  format::FinishDeltaBuffer(builder, format::Delta::Pack(builder, &object));
  const auto* begin = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
  std::vector<std::byte> bytes(begin, begin + builder.GetSize());
  auto* hash = const_cast<format::Hash*>(format::GetDelta(bytes.data())->content_hash());
  if (hash == nullptr) return bytes;
  const format::Digest digest = format::hash_around(bytes, hash);
  std::memcpy(hash, digest.data(), digest.size());
  return bytes;
}

// A model and what it has learned.
struct Learned {
  explicit Learned(Narrow narrow = nullptr, int adapter_rank = 0)
      : base(file_of(narrowed(make_graph(), narrow))),
        running({base.model}, options_of(adapter_rank)) {
    running.learn(2);
  }
  OpenModel base;
  RunningTrainer running;
};

// Applying is refused with these words, and the model stays as it is.
inline void check_refused(const std::vector<std::byte>& model, std::span<const std::byte> delta,
                          ErrorCode code, const std::string& words) {
  const AlignedMemory bytes = align_bytes(model);
  const Status status = apply_delta(bytes.span(), delta);
  CAPTURE(std::string(status.message()));
  CHECK(status.code == code);
  CHECK(std::string(status.message()).find(words) != std::string::npos);
  CHECK(std::equal(model.begin(), model.end(), bytes.span().begin()));
}

}  // namespace figment::testing
