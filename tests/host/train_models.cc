// Builds the graphs by the converter's own means; weights are small and all different.
#include "tests/host/train_models.h"

#include <cmath>
#include <memory>

#include "converter/emit/flatbuffer.h"

namespace figment::testing {
namespace {

using namespace converter;

TensorId dense(Graph& graph, const std::string& name, TensorId input, int outputs, int inputs,
               const format::DenseT& options = {}) {
  std::vector<float> weights(static_cast<std::size_t>(outputs * inputs));
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i] = 0.3F * std::sin(static_cast<float>(3 * i + weights.size()));
  const TensorId w = graph.add_floats(name + ".weight", make_shape({outputs, inputs}), weights);
  const TensorId b = graph.add_floats(name + ".bias", make_shape({outputs}),
                                      std::vector<float>(static_cast<std::size_t>(outputs)));
  return graph.add_node(name, make_options(options), {input, w, b});
}

std::vector<std::byte> write(Graph& graph, const std::string& output, TensorId tensor,
                             const ModelFacts& facts) {
  graph.any_batch = true;
  graph.outputs.push_back({output, tensor, {}});
  for (GraphTensor& each : graph.tensors)
    if (!each.constant()) each.batch_axis = 0;
  return emit(graph, facts);
}

}  // namespace

std::vector<std::byte> small_decoder() {
  Graph graph;
  graph.name = "small decoder";
  const TensorId z = graph.add_input("z", DataType::kFloat32, make_shape({1, 2}));
  const TensorId logits = dense(graph, "up", z, 16, 2);
  format::UnaryT sigmoid;
  sigmoid.function = format::UnaryFunction::Sigmoid;
  const TensorId picture = graph.add_node("squash", make_options(sigmoid), {logits});
  ModelFacts facts;
  facts.kind = format::ModelKind::Decoder;
  facts.prior = format::PriorT{};
  format::ImageT image;
  image.height = image.width = 4;
  image.channels = 1;
  image.low = 0;
  image.high = 1;
  facts.output_reading.Set(image);
  return write(graph, "picture", picture, facts);
}

std::vector<std::byte> small_encoder() {
  Graph graph;
  graph.name = "small encoder";
  const TensorId x = graph.add_input("picture", DataType::kFloat32, make_shape({1, 16}));
  return write(graph, "latent", dense(graph, "down", x, 4, 16), {});
}

std::vector<std::byte> small_classifier() {
  Graph graph;
  graph.name = "small classifier";
  const TensorId x = graph.add_input("x", DataType::kFloat32, make_shape({1, 4}));
  return write(graph, "logits", dense(graph, "judge", x, 3, 4), {});
}

std::vector<std::byte> small_text_model() {
  Graph graph;
  graph.name = "small text";
  const TensorId symbols = graph.add_input("symbols", DataType::kInt32, make_shape({1, 4}));
  const TensorId table = graph.add_floats("table", make_shape({4, 4}),
                                          {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1});
  const TensorId found = graph.add_node("found", make_options(format::GatherT{}), {table, symbols});
  const TensorId logits = dense(graph, "next", found, 4, 4);
  ModelFacts facts;
  format::TextT text;
  text.vocabulary = {"", "a", "b", "c"};
  text.start = 0;
  text.end = 0;
  text.length = 4;
  facts.output_reading.Set(std::move(text));
  return write(graph, "logits", logits, facts);
}

}  // namespace figment::testing
