// How a text is made, by the names of the source's inputs and outputs.
#include "converter/text.h"

#include <doctest/doctest.h>

#include "converter/convert.h"
#include "converter/facts.h"
#include "tests/support/text_model.h"

using namespace figment::converter;
namespace format = figment::format;

namespace {

// The graph of step_model as it stands before it is written.
Graph step_graph() {
  Graph graph;
  figment::testing::step_model([&](const Graph& built, const format::TextT&) {
    graph.inputs = built.inputs;
    graph.outputs = built.outputs;
    graph.tensors = built.tensors;
  });
  return graph;
}

TextDescription description() {
  TextDescription text;
  text.vocabulary = {"", "a", "b", "c", "d"};
  text.start = 0;
  text.end = 0;
  text.length = 6;
  text.symbol = "previous";
  text.states = {{"count", "next_count"}};
  return text;
}

void check_refused(const TextDescription& text, const std::string& words) {
  std::string sentence;
  try {
    resolve_text(step_graph(), text);
  } catch (const ConvertError& error) {
    sentence = error.what();
  }
  CAPTURE(sentence);
  CHECK(sentence.find(words) != std::string::npos);
}

}  // namespace

TEST_CASE("names become indices") {
  const format::TextT text = resolve_text(step_graph(), description());
  CHECK(text.vocabulary.size() == 5);
  CHECK(text.start == 0);
  CHECK(text.end == 0);
  CHECK(text.length == 6);
  CHECK(text.symbol_input == 1);
  REQUIRE(text.states.size() == 1);
  CHECK(text.states[0]->input == 2);
  CHECK(text.states[0]->output == 1);
  TextDescription whole = description();
  whole.symbol.clear();
  whole.states.clear();
  CHECK(resolve_text(step_graph(), whole).symbol_input == -1);
}

TEST_CASE("a name that the model does not have is refused with those that it has") {
  TextDescription text = description();
  text.symbol = "before";
  check_refused(text, "the input 'before', but the model has: latent, previous, count");
  text = description();
  text.states = {{"hidden", "next_count"}};
  check_refused(text, "the input 'hidden'");
  text.states = {{"count", "next"}};
  check_refused(text, "the output 'next', but the model has: logits, next_count");
}

TEST_CASE("a text model draws from the inputs that are neither symbol nor state") {
  ConvertOptions options;
  options.text = description();
  options.licence = "CC0";
  const ModelFacts facts = describe_model(step_graph(), options);
  CHECK(facts.kind == format::ModelKind::Decoder);
  REQUIRE(facts.prior.has_value());
  CHECK(facts.prior->distribution == format::Distribution::Normal);
  CHECK(facts.prior->size == 5);
  CHECK(facts.licence == "CC0");
  REQUIRE(facts.output_reading.AsText() != nullptr);
  CHECK(facts.output_reading.AsText()->symbol_input == 1);
  options.kind = format::ModelKind::Generator;
  options.prior = format::PriorT{{}, format::Distribution::Uniform, 3, -2.0F, 2.0F};
  const ModelFacts told = describe_model(step_graph(), options);
  CHECK(told.kind == format::ModelKind::Generator);
  CHECK(told.prior->size == 3);
}
