// How an output is read as text, checked at the border: every number that a file could lie about.
#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <string>

#include "tests/support/loaded_model.h"
#include "tests/support/text_model.h"

namespace figment::testing {
namespace {

using converter::Graph;
using converter::make_options;
using converter::make_shape;
using format::TextT;

void check_opens(const std::vector<std::byte>& bytes) {
  const AlignedMemory file = align_bytes(bytes);
  const auto model = Model::open(file.span());
  CHECK_MESSAGE(model.ok(), std::string(model.status().message()));
}

void check_refused(const std::vector<std::byte>& bytes, const char* words) {
  const AlignedMemory file = align_bytes(bytes);
  const auto model = Model::open(file.span());
  REQUIRE_FALSE(model.ok());
  CAPTURE(std::string(model.status().message()));
  CHECK(model.status().code == ErrorCode::kBadFile);
  CHECK(model.status().message().find(words) != std::string_view::npos);
}

void check_step_refused(const TextChange& change, const char* words) {
  check_refused(step_model(change), words);
}

}  // namespace

TEST_CASE("sound texts open") {
  check_opens(step_model());
  check_opens(whole_model());
  check_opens(whole_model([](Graph&, TextT& text) { text.length = 1; }));
  check_opens(step_model([](Graph&, TextT& text) { text.end = -1; }));
  check_opens(step_model([](Graph&, TextT& text) { text.length = 1 << 16; }));
  // A source that fixed the batch.
  check_opens(step_model([](Graph& graph, TextT&) {
    graph.any_batch = false;
    for (auto& tensor : graph.tensors) tensor.batch_axis = -1;
  }));
}

TEST_CASE("a vocabulary, start, end and length that cannot be are refused") {
  check_step_refused([](Graph&, TextT& text) { text.vocabulary.clear(); }, "no vocabulary");
  check_step_refused([](Graph&, TextT& text) { text.vocabulary.pop_back(); }, "has 4 symbols");
  check_step_refused([](Graph&, TextT& text) { text.vocabulary.emplace_back("z"); },
                     "has 6 symbols");
  check_step_refused([](Graph&, TextT& text) { text.start = 5; }, "symbol 5 of 5");
  check_step_refused([](Graph&, TextT& text) { text.end = 5; }, "symbol 5 of 5");
  check_step_refused([](Graph&, TextT& text) { text.end = -2; }, "symbol -2 of 5");
  check_step_refused([](Graph&, TextT& text) { text.start = -1; }, "no symbol starts");
  for (const std::int32_t length : {0, -1, (1 << 16) + 1})
    check_step_refused([&](Graph&, TextT& text) { text.length = length; }, "symbols long");
  check_refused(whole_model([](Graph&, TextT& text) { text.length = 5; }), "gives 4");
}

TEST_CASE("an output that is no logits is refused") {
  check_step_refused([](Graph& graph, TextT&) { std::swap(graph.outputs[0], graph.outputs[1]); },
                     "has 5 symbols, but the first output gives 1");
  // All of a text at once, and yet symbol by symbol.
  check_refused(whole_model([](Graph& graph, TextT& text) {
                  const auto previous =
                      graph.add_input("previous", DataType::kInt32, make_shape({1}));
                  graph.tensor(previous).batch_axis = 0;
                  text.symbol_input = 1;
                  text.start = 0;
                }),
                "gives 4 at once");
  check_refused(whole_model([](Graph& graph, TextT&) {
                  const auto flat =
                      graph.add_node("flat", make_options(format::ReshapeT{}),
                                     {graph.outputs[0].tensor}, make_shape({1, 12, 1, 1}));
                  graph.tensor(flat).batch_axis = 0;
                  graph.outputs[0].tensor = flat;
                }),
                "no logits");
  // Texts that are not one after another.
  check_refused(whole_model([](Graph& graph, TextT&) {
                  for (auto& tensor : graph.tensors) tensor.batch_axis = 1;
                }),
                "no logits");
}

TEST_CASE("symbols and states that do not fit are refused") {
  check_step_refused([](Graph&, TextT& text) { text.symbol_input = 3; }, "input 3");
  check_step_refused([](Graph&, TextT& text) { text.symbol_input = -2; }, "input -2");
  check_step_refused([](Graph&, TextT& text) { text.symbol_input = 0; }, "must be int32");
  check_step_refused([](Graph&, TextT& text) { text.symbol_input = -1; }, "has states");
  check_step_refused([](Graph&, TextT& text) { text.states[0]->input = 3; }, "does not exist");
  check_step_refused([](Graph&, TextT& text) { text.states[0]->input = -1; }, "does not exist");
  check_step_refused([](Graph&, TextT& text) { text.states[0]->output = 2; }, "does not exist");
  check_step_refused([](Graph&, TextT& text) { text.states[0]->output = -1; }, "does not exist");
  check_step_refused([](Graph&, TextT& text) { text.states[0]->output = 0; },
                     "takes, of shape 1x1");
  check_step_refused([](Graph&, TextT& text) { text.states[0]->input = 1; }, "takes, of shape");
  check_step_refused(
      [](Graph&, TextT& text) {
        text.states.push_back(std::make_unique<format::TextStateT>(*text.states[0]));
      },
      "two states");
  check_step_refused(
      [](Graph&, TextT& text) {
        for (int i = 0; i < 64; ++i)
          text.states.push_back(std::make_unique<format::TextStateT>(*text.states[0]));
      },
      "65 states");
  // One axis order for what comes out and what goes in again.
  check_step_refused(
      [](Graph& graph, TextT&) {
        graph.outputs[1].source_axes = {1, 0};
      },
      "takes, of shape");
  check_step_refused([](Graph& graph, TextT&) { graph.outputs[1].tensor = graph.inputs[2].tensor; },
                     "is an input");
}

// A file may be changed anywhere: whatever still opens must draw without harm (the sanitizers look
// on).
TEST_CASE("a text with flipped bits is refused or drawn") {
  const std::vector<std::byte> bytes = step_model();
  std::mt19937 random(2);
  int drawn = 0;
  int refused = 0;
  for (int round = 0; round < 4000; ++round) {
    const AlignedMemory changed = align_bytes(bytes);
    for (unsigned flips = 1 + random() % 3; flips > 0; --flips)
      changed.span()[random() % bytes.size()] ^= static_cast<std::byte>(1u << random() % 8);
    const auto model = Model::open(changed.span());
    if (!model.ok()) {
      ++refused;
      continue;
    }
    for (int symbol = -1; symbol <= model->text().vocabulary; ++symbol)
      CHECK(model->symbol(symbol).size() < bytes.size());
    const Options options{.batch = model->any_batch() ? 2 : 1, .backend = Backend::kPortable};
    const auto need = Session::arena_bytes(*model, options);
    if (!need.ok() || *need > (std::size_t{64} << 20)) continue;
    const AlignedMemory arena(*need);
    auto session = Session::create(*model, arena.span(), options);
    if (!session.ok() || model->text().vocabulary == 0) continue;
    for (int i = 0; i < model->input_count(); ++i)
      std::memset(session->input(i).data, 0,
                  static_cast<std::size_t>(session->input(i).elements()) * 4);
    std::vector<std::int32_t> symbols(2 * static_cast<std::size_t>(model->text().length));
    CHECK(draw_text(*model, *session, {.seed = 1}, symbols).ok());
    char letters[64];
    (void)spell_text(*model, symbols, letters).ok();
    ++drawn;
  }
  CHECK(drawn > 100);
  CHECK(refused > 100);
}

}  // namespace figment::testing
