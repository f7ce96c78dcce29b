// A text, on a line of its own.
#include "figment/figment.h"
#include "targets/cortex_m/board.h"
#include "targets/cortex_m/draw.h"

namespace figment::board {

Status draw(const Model& model, Session& session, std::uint64_t seed, std::uint64_t number) {
  std::int32_t symbols[64];
  char letters[256];
  fill_latents(model, session, seed, number);
  FIG_TRY(draw_text(model, session, {.seed = seed, .first = number}, symbols));
  const Result<std::size_t> length = spell_text(
      model, std::span(symbols).first(static_cast<std::size_t>(model.text().length)), letters);
  FIG_TRY(length.status());
  write({letters, *length});
  write("\n");
  return {};
}

}  // namespace figment::board
