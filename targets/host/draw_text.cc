// Fills latents, draws symbols and spells them, batch by batch.
#include <algorithm>

#include "targets/host/draw.h"
#include "targets/host/exit_code.h"
#include "targets/host/progress.h"
#include "targets/host/session_memory.h"

namespace figment::host {
namespace {

std::string spell(const Model& model, std::span<const std::int32_t> symbols) {
  const Result<std::size_t> none = spell_text(model, symbols, {});
  std::string text(none.ok() ? *none : none.status().bytes_needed, '\0');
  const Result<std::size_t> spelled = spell_text(model, symbols, text);
  require(spelled.status());
  for (char& letter : text)
    if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) letter = ' ';
  return text;
}

}  // namespace

std::vector<std::string> draw_texts(const Model& model, const DrawRequest& request,
                                    float temperature) {
  require_prior(model);
  Options options;
  options.backend = request.backend;
  options.batch = choose_batch(model, request);
  SessionMemory memory(model, options);
  Session& session = memory.session;

  const auto length = static_cast<std::size_t>(model.text().length);
  const int at_once = session.output(0).shape[0];
  std::vector<std::int32_t> symbols(static_cast<std::size_t>(at_once) * length);
  std::vector<std::string> texts;
  Progress progress("texts", request.count);
  for (int done = 0; done < request.count; done += at_once) {
    fill_latents(model, session, request, done, at_once);
    session.set_noise_seed(request.seed + static_cast<std::uint64_t>(done));
    const TextOptions text_options{.temperature = temperature,
                                   .seed = request.seed,
                                   .first = static_cast<std::uint64_t>(done)};
    require(draw_text(model, session, text_options, symbols));
    const int wanted = std::min(at_once, request.count - done);
    for (int text = 0; text < wanted; ++text)
      texts.push_back(spell(
          model, std::span(symbols).subspan(static_cast<std::size_t>(text) * length, length)));
    progress.set(done + at_once);
  }
  return texts;
}

}  // namespace figment::host
