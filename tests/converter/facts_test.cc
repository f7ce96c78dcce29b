// What a model is, guessed from shapes, the last activation and the name; the user's word counts
// more.
#include "converter/facts.h"

#include <doctest/doctest.h>

using namespace figment::converter;
namespace format = figment::format;
using format::UnaryFunction;

namespace {

// An input of one shape that is made into an output of another, then a function.
Graph model(const std::string& name, const std::vector<std::int64_t>& from,
            const std::vector<std::int64_t>& to, UnaryFunction function, float alpha = 0,
            float beta = 0) {
  Graph graph;
  graph.name = name;
  const TensorId x = graph.add_input("x", figment::DataType::kFloat32, make_shape(from));
  const figment::Shape shape = make_shape(to);
  const std::int64_t inputs = make_shape(from).elements();
  const TensorId weights = graph.add_floats(
      "weights", make_shape({shape.elements(), inputs}),
      std::vector<float>(static_cast<std::size_t>(shape.elements() * inputs), 0.5f));
  const TensorId flat =
      graph.add_node("flat", make_options(format::ReshapeT{}), {x}, make_shape({1, inputs}));
  const TensorId y =
      graph.add_node("dense", make_options(format::DenseT{}), {flat, weights, kAbsent});
  const TensorId z =
      graph.add_node("function", make_options(format::UnaryT{{}, function, alpha, beta}), {y});
  graph.outputs.push_back(
      {"y", graph.add_node("shape", make_options(format::ReshapeT{}), {z}, shape), {}});
  return graph;
}

}  // namespace

TEST_CASE("a generator draws pictures from -1 to 1 out of a normal latent") {
  const ModelFacts facts =
      describe_model(model("model", {1, 1, 1, 20}, {1, 8, 9, 3}, UnaryFunction::Tanh), {});
  CHECK(facts.kind == format::ModelKind::Generator);
  REQUIRE(facts.prior.has_value());
  CHECK(facts.prior->distribution == format::Distribution::Normal);
  CHECK(facts.prior->size == 20);
  REQUIRE(facts.output_reading.AsImage() != nullptr);
  CHECK(facts.output_reading.AsImage()->height == 8);
  CHECK(facts.output_reading.AsImage()->width == 9);
  CHECK(facts.output_reading.AsImage()->channels == 3);
  CHECK(facts.output_reading.AsImage()->low == -1.0f);
}

TEST_CASE("a decoder may give flat square pictures") {
  const ModelFacts facts =
      describe_model(model("model", {1, 20}, {1, 144}, UnaryFunction::Sigmoid), {});
  CHECK(facts.kind == format::ModelKind::Decoder);
  REQUIRE(facts.output_reading.AsImage() != nullptr);
  CHECK(facts.output_reading.AsImage()->height == 12);
  CHECK(facts.output_reading.AsImage()->low == 0.0f);
  CHECK(facts.output_reading.AsImage()->high == 1.0f);
  // Without a bound they might be anything.
  CHECK(describe_model(model("model", {1, 20}, {1, 144}, UnaryFunction::Abs), {})
            .output_reading.AsImage() == nullptr);
}

TEST_CASE("the range comes from a Clip too") {
  const ModelFacts facts =
      describe_model(model("decoder", {1, 4}, {1, 8, 8, 1}, UnaryFunction::Clip, -0.5f, 0.5f), {});
  REQUIRE(facts.output_reading.AsImage() != nullptr);
  CHECK(facts.output_reading.AsImage()->high == 0.5f);
}

TEST_CASE("encoders and discriminators draw nothing and show no picture") {
  const ModelFacts encoder =
      describe_model(model("model", {1, 8, 8, 1}, {1, 16}, UnaryFunction::Abs), {});
  CHECK(encoder.kind == format::ModelKind::Encoder);
  CHECK_FALSE(encoder.prior.has_value());
  CHECK(describe_model(model("model", {1, 8, 8, 1}, {1, 1}, UnaryFunction::Sigmoid), {}).kind ==
        format::ModelKind::Discriminator);
  CHECK(describe_model(model("encoder", {1, 4}, {1, 8, 8, 1}, UnaryFunction::Tanh), {})
            .output_reading.AsImage() == nullptr);
}

TEST_CASE("the user's word counts more") {
  ConvertOptions options;
  options.kind = format::ModelKind::Decoder;
  options.prior = format::PriorT{{}, format::Distribution::Uniform, 5, -2.0f, 2.0f};
  options.image = format::ImageT{{}, 4, 4, 1, -3.0f, 3.0f};
  options.licence = "CC0";
  const ModelFacts facts =
      describe_model(model("encoder", {1, 20}, {1, 16}, UnaryFunction::Tanh), options);
  CHECK(facts.kind == format::ModelKind::Decoder);
  CHECK(facts.prior->distribution == format::Distribution::Uniform);
  CHECK(facts.output_reading.AsImage()->low == -3.0f);
  CHECK(facts.licence == "CC0");
}

TEST_CASE("a picture that becomes a larger one is drawn from no latent") {
  const ModelFacts facts =
      describe_model(model("upscaler", {1, 6, 6, 3}, {1, 12, 12, 3}, UnaryFunction::Sigmoid), {});
  CHECK(facts.kind == format::ModelKind::Other);
  CHECK(!facts.prior.has_value());
  REQUIRE(facts.output_reading.AsImage() != nullptr);
  CHECK(facts.output_reading.AsImage()->height == 12);
  // A decoder that says so keeps its latent, whatever its shape.
  CHECK(describe_model(model("decoder", {1, 6, 6, 3}, {1, 12, 12, 3}, UnaryFunction::Sigmoid), {})
            .prior.has_value());
}
