// Text: draws symbols from the logits that a model gives, one after another, and spells them.
#include "figment/figment.h"

#include <cmath>
#include <cstring>

#include "runtime/math/elementary.h"
#include "runtime/math/noise.h"
#include "runtime/model_view.h"

namespace figment {
namespace {

constexpr std::int32_t kNothing = -1;

// What the logits of one symbol say.
struct Logits {
  const float* values;
  std::int32_t count;
};

// The likeliest symbol, of equal ones the first; kNothing when every logit is NaN.
std::int32_t likeliest(const Logits& logits) {
  std::int32_t best = kNothing;
  for (std::int32_t i = 0; i < logits.count; ++i)
    if (!std::isnan(logits.values[i]) &&
        (best == kNothing || logits.values[i] > logits.values[best]))
      best = i;
  return best;
}

// A symbol's share of the whole, up to a factor that all share: exp((logit - largest) /
// temperature). The largest itself counts 1 also when it is infinite.
float weight_of(float logit, float largest, float temperature) {
  if (std::isnan(logit)) return 0;
  if (logit == largest) return 1;
  return math::exp((logit - largest) / temperature);
}

// The first symbol whose weight and those before it exceed `fraction` of all, in [0, 1). Sums are
// taken in one order and in double precision, so that every target draws the same.
std::int32_t draw_symbol(const Logits& logits, float temperature, double fraction) {
  const std::int32_t best = likeliest(logits);
  if (temperature == 0 || best == kNothing) return best;
  const float largest = logits.values[best];
  double total = 0;
  for (std::int32_t i = 0; i < logits.count; ++i)
    total += double{weight_of(logits.values[i], largest, temperature)};
  const double aim = fraction * total;
  double sum = 0;
  for (std::int32_t i = 0; i < logits.count; ++i) {
    sum += double{weight_of(logits.values[i], largest, temperature)};
    if (sum > aim) return i;
  }
  return best;  // rounding made the aim the total
}

// In [0, 1), a multiple of 2^-53: number `step` of text `text` under `seed`.
double symbol_fraction(std::uint64_t seed, std::uint64_t text, std::uint32_t step) {
  const math::Block block = math::draw_block(seed, math::Stream::kSymbol, text, step);
  const std::uint64_t bits = std::uint64_t{block.words[0]} << 32 | block.words[1];
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

void set_zero(const Tensor& tensor) { std::memset(tensor.data, 0, tensor_bytes(tensor)); }

void begin_states(const format::Text& reading, const Session& session) {
  if (reading.states() == nullptr) return;
  for (const format::TextState* state : *reading.states()) set_zero(session.input(state->input()));
}

void carry_states(const format::Text& reading, const Session& session) {
  if (reading.states() == nullptr) return;
  for (const format::TextState* state : *reading.states()) {
    const Tensor input = session.input(state->input());
    std::memcpy(input.data, session.output(state->output()).data, tensor_bytes(input));
  }
}

Status check(const Model& model, const Tensor& logits, const TextOptions& options,
             std::size_t room) {
  const TextReading reading = model.text();
  if (reading.vocabulary == 0)
    return bad_argument({"the model does not say that its output is a text"});
  if (!(options.temperature >= 0) || !std::isfinite(options.temperature))
    return bad_argument({"the temperature must be 0 or a positive number"});
  const std::size_t need =
      static_cast<std::size_t>(logits.shape[0]) * static_cast<std::size_t>(reading.length);
  if (room < need)
    return bad_argument({"the texts have up to ", need, " symbols but there is room for ", room});
  return {};
}

}  // namespace

Status draw_text(const Model& model, Session& session, const TextOptions& options,
                 std::span<std::int32_t> symbols) {
  const Tensor logits = session.output(0);
  FIG_TRY(check(model, logits, options, symbols.size()));
  const TextReading reading = model.text();
  const format::Text& file = *model.root().output_reading_as_Text();
  const std::int32_t texts = logits.shape[0];
  const bool by_steps = reading.symbol_input >= 0;
  const std::int64_t steps_at_once = by_steps || logits.shape.rank == 2 ? 1 : logits.shape[1];
  std::int32_t* before = by_steps ? session.input(reading.symbol_input).integers() : nullptr;

  const auto symbol_at = [&](std::int32_t text, std::int32_t step) -> std::int32_t& {
    return symbols[static_cast<std::size_t>(text) * static_cast<std::size_t>(reading.length) +
                   static_cast<std::size_t>(step)];
  };
  begin_states(file, session);
  for (std::int32_t text = 0; by_steps && text < texts; ++text) before[text] = reading.start;
  bool any_open = true;
  for (std::int32_t step = 0; step < reading.length; ++step) {
    if (any_open && (by_steps || step == 0)) FIG_TRY(session.run());
    any_open = false;
    for (std::int32_t text = 0; text < texts; ++text) {
      std::int32_t& symbol = symbol_at(text, step);
      symbol = kNothing;
      if (step > 0 && symbol_at(text, step - 1) == kNothing) continue;
      const std::int64_t row = text * steps_at_once + (by_steps ? 0 : step);
      const std::int32_t drawn = draw_symbol(
          {logits.floats() + row * reading.vocabulary, reading.vocabulary}, options.temperature,
          symbol_fraction(options.seed, options.first + static_cast<std::uint64_t>(text),
                          static_cast<std::uint32_t>(step)));
      if (drawn == kNothing || drawn == reading.end) continue;
      symbol = drawn;
      any_open = true;
      if (by_steps) before[text] = drawn;
    }
    if (by_steps && any_open) carry_states(file, session);
  }
  return {};
}

Result<std::size_t> spell_text(const Model& model, std::span<const std::int32_t> symbols,
                               std::span<char> bytes) {
  std::size_t need = 0;
  for (const std::int32_t symbol : symbols) {
    if (symbol < 0) break;
    const std::string_view spelling = model.symbol(symbol);
    if (need + spelling.size() <= bytes.size() && !spelling.empty())
      std::memcpy(bytes.data() + need, spelling.data(), spelling.size());
    need += spelling.size();
  }
  if (need <= bytes.size()) return need;
  Status status =
      bad_argument({"the text takes ", need, " bytes but there is room for ", bytes.size()});
  status.bytes_needed = need;
  return status;
}

}  // namespace figment
