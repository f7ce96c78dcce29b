// Text: the symbols that logits make likely, the same for a seed everywhere, and how they are
// spelled.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/loaded_model.h"
#include "tests/support/text_model.h"

namespace figment::testing {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// A model, a session of it and room for its texts.
struct Writer {
  explicit Writer(const std::vector<std::byte>& bytes, const Options& options = {})
      : file(align_bytes(bytes)),
        model(open(file)),
        running(model, options),
        symbols(static_cast<std::size_t>(options.batch * model.text().length), 99) {}

  static Model open(const AlignedMemory& file) {
    const Result<Model> model = Model::open(file.span());
    REQUIRE_MESSAGE(model.ok(), std::string(model.status().message()));
    return *model;
  }
  // Fills every latent with zeros.
  Writer& clear() {
    for (int i = 0; i < model.input_count(); ++i)
      if (model.is_latent(i))
        for (float& value : running.session.input(i).values()) value = 0;
    return *this;
  }
  const std::vector<std::int32_t>& draw(const TextOptions& options) {
    const Status status = draw_text(model, running.session, options, symbols);
    REQUIRE_MESSAGE(status.ok(), std::string(status.message()));
    return symbols;
  }
  std::string spell(std::size_t text = 0) const {
    const auto length = static_cast<std::size_t>(model.text().length);
    std::string letters(64, '#');
    const auto bytes =
        spell_text(model, std::span(symbols).subspan(text * length, length), letters);
    REQUIRE(bytes.ok());
    CHECK(letters[*bytes] == '#');
    letters.resize(*bytes);
    return letters;
  }

  AlignedMemory file;
  Model model;
  RunningSession running;
  std::vector<std::int32_t> symbols;
};

// Texts of whole_model whose four places all have these logits.
Writer same_logits(const std::vector<float>& logits, std::int32_t batch) {
  Writer writer(whole_model(), {.batch = batch, .backend = Backend::kPortable});
  const std::span<float> values = writer.running.session.input(0).values();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = logits[i % 3];
  return writer;
}

}  // namespace

TEST_CASE("a model says how its text is read") {
  const Writer step(step_model());
  const TextReading reading = step.model.text();
  CHECK(reading.vocabulary == 5);
  CHECK(reading.length == 6);
  CHECK(reading.start == 0);
  CHECK(reading.end == 0);
  CHECK(reading.symbol_input == 1);
  CHECK(step.model.symbol(3) == "\xc3\xa9");
  CHECK(step.model.symbol(0).empty());
  CHECK(step.model.symbol(5).empty());
  CHECK(step.model.symbol(-1).empty());
  CHECK(step.model.is_latent(0));
  CHECK_FALSE(step.model.is_latent(1));
  CHECK_FALSE(step.model.is_latent(2));
  CHECK(step.model.image().height == 0);
  const Writer whole(whole_model());
  CHECK(whole.model.text().symbol_input == -1);
  CHECK(whole.model.text().start == -1);
  CHECK(whole.model.text().end == 1);
  CHECK(whole.model.is_latent(0));
  const AlignedMemory digits = read_aligned(shipped_models().front());
  const auto other = Model::open(digits.span());
  REQUIRE(other.ok());
  CHECK(other->text().vocabulary == 0);
  CHECK(other->symbol(0).empty());
  CHECK(other->is_latent(0));
}

TEST_CASE("at temperature 0 the likeliest symbols follow each other until the end") {
  for (const Backend backend : {Backend::kPortable, Backend::kXnnpack}) {
    CAPTURE(name_of(backend));
    Writer writer(step_model(), {.batch = 1, .backend = backend});
    // States start from zero each time, whatever a text before has left.
    for (const std::uint64_t seed : {1, 2}) {
      writer.clear().draw({.temperature = 0, .seed = seed});
      CHECK(writer.symbols == std::vector<std::int32_t>{1, 2, 3, 4, -1, -1});
      CHECK(writer.spell() ==
            "ab\xc3\xa9"
            "dd");
    }
  }
}

TEST_CASE("a text that never ends is cut at its length, and the latent counts") {
  Writer writer(step_model(), {.batch = 2, .backend = Backend::kPortable});
  writer.clear();
  const std::span<float> latent = writer.running.session.input(0).values();
  latent[0] = -100;      // the first text may not end
  latent[5 + 4] = 3.6F;  // the second likes dd best
  writer.draw({.temperature = 0});
  CHECK(writer.symbols == std::vector<std::int32_t>{1, 2, 3, 4, 1, 2, 4, 4, 4, 4, -1, -1});
  CHECK(writer.spell(0) ==
        "ab\xc3\xa9"
        "ddab");
  CHECK(writer.spell(1) == "dddddddd");
}

TEST_CASE("an axis of one step changes nothing") {
  const auto with_axis = [](converter::Graph& graph, format::TextT&) {
    graph.tensor(graph.outputs[0].tensor).shape = converter::make_shape({1, 5});
    const auto wide = graph.add_node("wide", converter::make_options(format::ReshapeT{}),
                                     {graph.outputs[0].tensor}, converter::make_shape({1, 1, 5}));
    graph.tensor(wide).batch_axis = 0;
    graph.outputs[0].tensor = wide;
  };
  Writer flat(step_model(), {.batch = 3, .backend = Backend::kPortable});
  Writer wide(step_model(with_axis), {.batch = 3, .backend = Backend::kPortable});
  REQUIRE(wide.running.session.output(0).shape.rank == 3);
  CHECK(flat.clear().draw({.seed = 8}) == wide.clear().draw({.seed = 8}));
}

TEST_CASE("a text depends on the seed and its number, not on what is drawn beside it") {
  constexpr std::int32_t kTexts = 5;
  Writer together(step_model(), {.batch = kTexts, .backend = Backend::kPortable});
  Writer alone(step_model(), {.batch = 1, .backend = Backend::kPortable});
  together.clear().draw({.seed = 3, .first = 10});
  std::vector<std::int32_t> pieces;
  for (std::uint64_t text = 0; text < kTexts; ++text) {
    alone.clear().draw({.seed = 3, .first = 10 + text});
    pieces.insert(pieces.end(), alone.symbols.begin(), alone.symbols.end());
  }
  CHECK(together.symbols == pieces);
  const std::vector<std::int32_t> before = together.symbols;
  CHECK(together.clear().draw({.seed = 4, .first = 10}) != before);
  CHECK(together.clear().draw({.seed = 3, .first = 11}) != before);
  CHECK(together.clear().draw({.seed = 3, .first = 10}) == before);
  // Far along, past 32 bits.
  CHECK(together.draw({.seed = 3, .first = 10 + (std::uint64_t{1} << 32)}) != before);
}

// These symbols are a promise to every user who wrote a seed down: they may never change.
TEST_CASE("known symbols") {
  Writer writer = same_logits({0.3F, -1.0F, 0.1F}, 6);
  writer.draw({.temperature = 0.8F, .seed = 42});
  const std::vector<std::int32_t> expected = {0, 2, 0,  2,  0, 2, 0, 0, 2, 0, 0, 0,
                                              0, 0, -1, -1, 0, 0, 2, 2, 0, 0, 0, 2};
  CHECK(writer.symbols == expected);
}

TEST_CASE("symbols come as often as the temperature says") {
  const std::vector<float> logits = {1.0F, -kInfinity, -0.5F};
  constexpr std::int32_t kTexts = 5000;
  Writer writer = same_logits(logits, kTexts);
  for (const float temperature : {0.25F, 1.0F, 3.0F}) {
    writer.draw({.temperature = temperature, .seed = 1});
    const double draws = 4.0 * kTexts;
    const double share = 1 / (1 + std::exp(-1.5 / static_cast<double>(temperature)));
    const auto first =
        static_cast<double>(std::count(writer.symbols.begin(), writer.symbols.end(), 0));
    CHECK(std::count(writer.symbols.begin(), writer.symbols.end(), -1) == 0);
    CHECK(std::abs(first / draws - share) < 4 * std::sqrt(share * (1 - share) / draws));
  }
}

TEST_CASE("logits that are no numbers neither hang nor are drawn") {
  for (const float temperature : {0.0F, 1e-30F, 1.0F, 50.0F}) {
    CAPTURE(temperature);
    const auto only = [&](const std::vector<float>& logits) {
      Writer writer = same_logits(logits, 3);
      return writer.draw({.temperature = temperature, .seed = 5});
    };
    CHECK(only({kNaN, kNaN, 0}) == std::vector<std::int32_t>(12, 2));
    CHECK(only({kNaN, kNaN, -kInfinity}) == std::vector<std::int32_t>(12, 2));
    CHECK(only({kInfinity, 1e30F, kNaN}) == std::vector<std::int32_t>(12, 0));
    CHECK(only({kNaN, kNaN, kNaN}) == std::vector<std::int32_t>(12, -1));
    CHECK(only({-3e38F, -kInfinity, 3e38F}) == std::vector<std::int32_t>(12, 2));
  }
  Writer step(step_model(), {.batch = 1});
  step.running.session.input(0).values()[0] = kNaN;
  for (std::size_t i = 1; i < 5; ++i) step.running.session.input(0).values()[i] = kNaN;
  CHECK(step.draw({}) == std::vector<std::int32_t>(6, -1));
}

TEST_CASE("what cannot be drawn is refused with a sentence") {
  Writer writer(step_model(), {.batch = 2});
  const auto refused = [](const Status& status, const char* words) {
    CAPTURE(std::string(status.message()));
    CHECK(status.code == ErrorCode::kBadArgument);
    CHECK(status.message().find(words) != std::string_view::npos);
  };
  Session& session = writer.running.session;
  for (const float temperature : {-1.0F, kNaN, kInfinity})
    refused(draw_text(writer.model, session, {.temperature = temperature}, writer.symbols),
            "temperature");
  refused(draw_text(writer.model, session, {}, std::span(writer.symbols).first(11)),
          "up to 12 symbols");
  const AlignedMemory digits = read_aligned(shipped_models().front());
  const auto other = Model::open(digits.span());
  REQUIRE(other.ok());
  RunningSession pictures(*other, {});
  refused(draw_text(*other, pictures.session, {}, writer.symbols), "a text");
}

TEST_CASE("spelling ends at -1, fits exactly or says what it takes") {
  const Writer writer(step_model());
  const std::vector<std::int32_t> symbols = {4, 3, 0, 77, 1, -1, 2};
  std::string letters(5, '#');
  const auto exact = spell_text(writer.model, symbols, letters);
  REQUIRE(exact.ok());
  CHECK(*exact == 5);
  CHECK(letters ==
        "dd\xc3\xa9"
        "a");
  std::string small(4, '#');
  const auto refused = spell_text(writer.model, symbols, small);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.status().bytes_needed == 5);
  const auto none = spell_text(writer.model, {}, {});
  REQUIRE(none.ok());
  CHECK(*none == 0);
}

}  // namespace figment::testing
