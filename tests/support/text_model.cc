// Builds the graphs and writes them with the converter's own means.
#include "tests/support/text_model.h"

namespace figment::testing {
namespace {

using namespace converter;

std::vector<std::byte> write(Graph& graph, format::TextT& text, const TextChange& change) {
  graph.any_batch = true;
  for (GraphTensor& tensor : graph.tensors)
    if (!tensor.constant()) tensor.batch_axis = 0;
  if (change) change(graph, text);
  ModelFacts facts;
  facts.kind = format::ModelKind::Decoder;
  facts.prior = format::PriorT{};
  facts.output_reading.Set(std::move(text));
  return emit(graph, facts);
}

TensorId add(Graph& graph, const char* name, TensorId a, TensorId b) {
  format::BinaryT options;
  options.function = format::BinaryFunction::Add;
  return graph.add_node(name, make_options(options), {a, b});
}

}  // namespace

std::vector<std::byte> step_model(const TextChange& change) {
  Graph graph;
  graph.name = "step";
  const TensorId latent = graph.add_input("latent", DataType::kFloat32, make_shape({1, 5}));
  const TensorId previous = graph.add_input("previous", DataType::kInt32, make_shape({1}));
  const TensorId count = graph.add_input("count", DataType::kFloat32, make_shape({1, 1}));
  const TensorId follows = graph.add_floats("follows", make_shape({5, 5}),
                                            {
                                                0, 3.5F, 0,    0,    0,     // after the start
                                                0, 0,    3.5F, 0,    0,     // after a
                                                0, 0,    0,    3.5F, 0,     // after b
                                                0, 0,    0,    0,    3.5F,  // after é
                                                0, 3.5F, 0,    0,    0,     // after dd
                                            });
  const TensorId found =
      graph.add_node("found", make_options(format::GatherT{}), {follows, previous});
  const TensorId spread = graph.add_floats("spread", make_shape({5, 1}), {1, 0, 0, 0, 0});
  const TensorId end = graph.add_node("end", make_options(format::DenseT{}), {count, spread});
  const TensorId sum = add(graph, "sum", found, end);
  const TensorId logits = add(graph, "logits", sum, latent);
  const TensorId one = graph.add_floats("one", make_shape({1}), {1});
  const TensorId next = add(graph, "next", count, one);
  graph.outputs.push_back({"logits", logits, {}});
  graph.outputs.push_back({"next_count", next, {}});

  format::TextT text;
  text.vocabulary = {"", "a", "b", "\xc3\xa9", "dd"};
  text.start = 0;
  text.end = 0;
  text.length = 6;
  text.symbol_input = 1;
  text.states.push_back(std::make_unique<format::TextStateT>());
  text.states[0]->input = 2;
  text.states[0]->output = 1;
  return write(graph, text, change);
}

std::vector<std::byte> whole_model(const TextChange& change) {
  Graph graph;
  graph.name = "whole";
  const TensorId logits = graph.add_input("logits", DataType::kFloat32, make_shape({1, 4, 3}));
  // -(-x): the same bits, NaN and infinity too.
  format::UnaryT negate;
  negate.function = format::UnaryFunction::Neg;
  const TensorId negative = graph.add_node("negative", make_options(negate), {logits});
  const TensorId copy = graph.add_node("copy", make_options(negate), {negative});
  graph.outputs.push_back({"copy", copy, {}});
  format::TextT text;
  text.vocabulary = {"x", "y", "z"};
  text.end = 1;
  text.length = 4;
  return write(graph, text, change);
}

}  // namespace figment::testing
