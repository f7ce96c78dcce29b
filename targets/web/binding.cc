// The runtime behind a C interface that JavaScript can call: one instance of the module holds one
// model.
//
// The page owns the memory: it allocates the model's bytes, the arena and one buffer for what goes
// in and out, once a model. A function that can fail returns 0 then, and figment_error() says why.
#include <emscripten/emscripten.h>

#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "runtime/base/error.h"
#include "targets/web/golden.h"
#include "targets/web/latents.h"

#define FIGMENT_EXPORT extern "C" EMSCRIPTEN_KEEPALIVE

namespace figment::web {
namespace {

// Everything this instance knows.
struct Instance {
  std::optional<Model> model;
  std::optional<Session> session;
  std::int32_t samples = 0;  // that one run of the session gives
  char error[Status::kMessageBytes + 1] = {};
};

constinit Instance instance;

bool succeed(const Status& status) {
  if (status.ok()) return true;
  std::memcpy(instance.error, status.text, status.text_length);
  instance.error[status.text_length] = 0;
  return false;
}

Options options_for(std::int32_t batch) {
  Options options;
  options.batch = batch;
  options.backend = Backend::kPortable;
  return options;
}

// How many samples lie in the session's output; an error when they are neither pictures nor texts.
Result<std::int32_t> count_samples() {
  const Tensor output = instance.session->output(0);
  if (instance.model->text().vocabulary > 0) return output.shape[0];
  const ImageReading image = instance.model->image();
  if (image.height == 0)
    return bad_argument({"the model does not say that its output is a picture or a text"});
  const std::int64_t elements = std::int64_t{image.height} * image.width * image.channels;
  const std::int64_t samples = output.elements() / elements;
  if (samples == 0)
    return bad_argument(
        {"the model's output of shape ", output.shape, " is smaller than a picture"});
  return static_cast<std::int32_t>(samples);
}

Status prepare(std::span<std::byte> arena, std::int32_t batch) {
  instance.session.reset();
  FIG_TRY(check_latents(*instance.model));
  Result<Session> session = Session::create(*instance.model, arena, options_for(batch));
  if (!session.ok()) return session.status();
  instance.session.emplace(std::move(*session));
  const Result<std::int32_t> samples = count_samples();
  if (!samples.ok()) return samples.status();
  instance.samples = *samples;
  return {};
}

template <typename Visit>
void for_each_latent(std::int32_t sample, Visit visit) {
  for (int input = 0; input < instance.model->input_count(); ++input)
    if (instance.model->is_latent(input))
      visit(latent_of(*instance.session, input, instance.samples, sample));
}

}  // namespace

// ---- Memory and errors ------------------------------------------------------------------------

// A block that begins at a multiple of 64, as the runtime wants models and arenas; 0 when there is
// none.
FIGMENT_EXPORT void* figment_allocate(std::size_t bytes) {
  const std::size_t whole = (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
  return whole < bytes ? nullptr : std::aligned_alloc(kArenaAlignment, whole);
}

// Why the last function that returned 0 did so: one sentence, UTF-8, ended by 0.
FIGMENT_EXPORT const char* figment_error() { return instance.error; }

FIGMENT_EXPORT const char* figment_version() { return kVersion.data(); }

// ---- The model --------------------------------------------------------------------------------

// Verifies a model's bytes, which stay where they are for good.
FIGMENT_EXPORT int figment_open(const std::byte* bytes, std::size_t length) {
  Result<Model> model = Model::open({bytes, length});
  if (!succeed(model.status())) return 0;
  instance.model.emplace(*model);
  return 1;
}

// The names are ended by 0, as all strings of a FlatBuffer are.
FIGMENT_EXPORT const char* figment_name() { return instance.model->name().data(); }

FIGMENT_EXPORT int figment_operator_count() { return instance.model->operator_count(); }

// 1 when several samples can be computed in one run.
FIGMENT_EXPORT int figment_can_batch() { return can_batch(*instance.model) ? 1 : 0; }

// 0: the prior is normal; 1: uniform, and there is nothing to truncate.
FIGMENT_EXPORT int figment_prior() { return static_cast<int>(instance.model->prior()); }

// Where a uniform prior begins and ends.
FIGMENT_EXPORT float figment_prior_low() { return prior_bounds(*instance.model).low; }
FIGMENT_EXPORT float figment_prior_high() { return prior_bounds(*instance.model).high; }

// The picture's size; 0 when the output is no picture.
FIGMENT_EXPORT int figment_image_height() { return instance.model->image().height; }
FIGMENT_EXPORT int figment_image_width() { return instance.model->image().width; }

// Most symbols in a text; 0 when the output is no text.
FIGMENT_EXPORT int figment_text_length() { return instance.model->text().length; }

// 1 when the file is as it was converted and computes here, bit for bit, what its golden says.
// Takes the arena for itself: figment_prepare comes after it.
FIGMENT_EXPORT int figment_check(std::byte* arena, std::size_t bytes) {
  instance.session.reset();
  return succeed(check_golden(*instance.model, {arena, bytes})) ? 1 : 0;
}

// ---- The session ------------------------------------------------------------------------------

// The exact size of the arena for this batch.
FIGMENT_EXPORT std::size_t figment_arena_bytes(std::int32_t batch) {
  const Result<std::size_t> bytes = Session::arena_bytes(*instance.model, options_for(batch));
  return succeed(bytes.status()) ? *bytes : 0;
}

// Lays a session of this batch out in the arena, which may have held another; returns how many
// samples a run gives. Takes microseconds.
FIGMENT_EXPORT int figment_prepare(std::byte* arena, std::size_t bytes, std::int32_t batch) {
  return succeed(prepare({arena, bytes}, batch)) ? instance.samples : 0;
}

// How many numbers one sample starts from: those of all inputs that are latents, one after another.
FIGMENT_EXPORT std::size_t figment_latent_size() {
  std::size_t size = 0;
  for_each_latent(0, [&](std::span<float> part) { size += part.size(); });
  return size;
}

// Fills the latents of samples `first` and on under `seed`, as `figment sample` does: sample k
// depends on the seed and k alone. `truncation` in standard deviations; 0: none.
FIGMENT_EXPORT void figment_draw_latents(std::uint64_t seed, std::uint64_t first,
                                         float truncation) {
  draw_latents(*instance.model, *instance.session, instance.samples, {seed, first, truncation});
}

// One sample's latent, out of the session and into it.
FIGMENT_EXPORT void figment_read_latent(std::int32_t sample, float* numbers) {
  for_each_latent(sample, [&](std::span<float> part) {
    for (const float number : part) *numbers++ = number;
  });
}
FIGMENT_EXPORT void figment_write_latent(std::int32_t sample, const float* numbers) {
  for_each_latent(sample, [&](std::span<float> part) {
    for (float& number : part) number = *numbers++;
  });
}

// Computes the samples; `noise_seed` is for noise inside the model.
FIGMENT_EXPORT int figment_run(std::uint64_t noise_seed) {
  instance.session->set_noise_seed(noise_seed);
  return succeed(instance.session->run()) ? 1 : 0;
}

// Writes one computed picture as height * width * 4 bytes of red, green, blue and an opaque alpha.
FIGMENT_EXPORT int figment_read_picture(std::int32_t sample, std::uint8_t* rgba) {
  const ImageReading image = instance.model->image();
  const std::size_t points =
      static_cast<std::size_t>(image.height) * static_cast<std::size_t>(image.width);
  if (!succeed(to_rgb8(instance.session->output(0), image, {rgba, 3 * points}, sample))) return 0;
  // From three bytes a point to four, in place: from the last point, so that none is written over
  // unread.
  for (std::size_t point = points; point-- > 0;) {
    const std::uint8_t red = rgba[3 * point], green = rgba[3 * point + 1],
                       blue = rgba[3 * point + 2];
    rgba[4 * point] = red;
    rgba[4 * point + 1] = green;
    rgba[4 * point + 2] = blue;
    rgba[4 * point + 3] = 255;
  }
  return 1;
}

// Draws one text a sample from the latents; `first` is the number of the first. `symbols` gets
// samples * length numbers.
FIGMENT_EXPORT int figment_draw_text(std::uint64_t seed, std::uint64_t first, float temperature,
                                     std::int32_t* symbols) {
  const std::size_t count = static_cast<std::size_t>(instance.samples) *
                            static_cast<std::size_t>(instance.model->text().length);
  const TextOptions options{.temperature = temperature, .seed = seed, .first = first};
  return succeed(draw_text(*instance.model, *instance.session, options, {symbols, count})) ? 1 : 0;
}

// Writes one text's symbols as UTF-8; returns the number of bytes, which may pass `room`: then
// nothing is complete.
FIGMENT_EXPORT std::size_t figment_spell_text(const std::int32_t* symbols, char* letters,
                                              std::size_t room) {
  const std::size_t length = static_cast<std::size_t>(instance.model->text().length);
  const Result<std::size_t> bytes = spell_text(*instance.model, {symbols, length}, {letters, room});
  return bytes.ok() ? *bytes : bytes.status().bytes_needed;
}

}  // namespace figment::web
