// Fills latents, runs, reads pictures, batch by batch.
#include "targets/host/draw.h"

#include <algorithm>
#include <string>

#include "figment/format/model_generated.h"
#include "targets/host/exit_code.h"
#include "targets/host/ports.h"
#include "targets/host/process.h"
#include "targets/host/progress.h"
#include "targets/host/session_memory.h"

namespace figment::host {
namespace {

void require_generator(const Model& model) {
  if (model.image().height == 0)
    throw VerbError(ExitCode::kBadArgument,
                    "the model does not say how its output is a picture; convert it again with "
                    "--image HxWxC and "
                    "--range LOW..HIGH, or use figment run");
  if (model.input_count() == 0 && model.operator_count() == 0)
    throw VerbError(ExitCode::kBadArgument, "the model has nothing to draw from");
  require_prior(model);
}

bool has_noise_operator(const Model& model) {
  for (const format::Operator* node : *model.root().operators())
    if (node->options_type() == format::OperatorOptions::RandomNormal) return true;
  return false;
}

// A batch can be drawn in pieces where samples lie one after another in every input and in the
// output. Noise inside the model is drawn by the run, so there each run makes one sample under a
// seed of its own.
bool can_batch(const Model& model) {
  if (!model.any_batch() || has_noise_operator(model)) return false;
  for (int index = 0; index < model.input_count(); ++index)
    if (model.is_latent(index) && model.input(index).batch_axis > 0) return false;
  return model.output(0).batch_axis == 0;
}

}  // namespace

void require_prior(const Model& model) {
  for (int index = 0; index < model.input_count(); ++index)
    if (const Port port = model.input(index);
        model.is_latent(index) && port.type != DataType::kFloat32)
      throw VerbError(ExitCode::kBadArgument,
                      "input '" + std::string(port.name) + "' takes numbers of type " +
                          type_name(port.type) +
                          ", which have no prior to be drawn from; use figment run");
}

int choose_batch(const Model& model, const DrawRequest& request) {
  constexpr int kSensibleBatch = 16;
  if (request.batch > 1 && !can_batch(model))
    throw VerbError(ExitCode::kBadArgument,
                    "this model draws one batch of its own at a time; use --batch 1");
  if (request.batch > 0) return request.batch;
  return can_batch(model) ? std::min(request.count, kSensibleBatch) : 1;
}

void fill_latents(const Model& model, const Session& session, const DrawRequest& request, int done,
                  int at_once) {
  for (int index = 0; index < model.input_count(); ++index) {
    if (!model.is_latent(index)) continue;
    const Tensor input = session.input(index);
    // An input that does not grow with the batch is the same for every sample.
    const bool shared = at_once > 1 && model.any_batch() && model.input(index).batch_axis < 0;
    const std::uint64_t each = static_cast<std::uint64_t>(input.elements() / at_once);
    fill_from_prior(model, input, request.seed + static_cast<std::uint64_t>(index),
                    shared ? 0 : each * static_cast<std::uint64_t>(done), request.truncation);
  }
}

void fill_from_prior(const Model& model, const Tensor& tensor, std::uint64_t seed,
                     std::uint64_t first, std::optional<float> truncation) {
  if (model.prior() == Distribution::kUniform) {
    if (truncation)
      throw VerbError(ExitCode::kBadArgument,
                      "--truncation is for normal priors; this model's is uniform");
    const format::Prior& prior = *model.root().prior();
    fill_uniform(tensor, seed, prior.low(), prior.high(), first);
  } else if (truncation) {
    fill_truncated_normal(tensor, seed, *truncation, first);
  } else {
    fill_normal(tensor, seed, first);
  }
}

Drawing draw(const Model& model, const DrawRequest& request) {
  require_generator(model);
  Options options;
  options.backend = request.backend;
  options.batch = choose_batch(model, request);
  SessionMemory memory(model, options);
  Session& session = memory.session;

  const ImageReading reading = model.image();
  const std::int64_t picture_elements =
      std::int64_t{reading.height} * reading.width * reading.channels;
  const auto at_once = static_cast<int>(session.output(0).elements() / picture_elements);
  if (at_once == 0) load_pictures(session.output(0), reading);  // throws: the shapes do not fit

  Drawing drawing;
  drawing.arena_bytes = memory.arena_bytes;
  Progress progress("samples", request.count);
  for (int done = 0; done < request.count; done += at_once) {
    fill_latents(model, session, request, done, at_once);
    session.set_noise_seed(request.seed + static_cast<std::uint64_t>(done));
    const double begun = now_ms();
    require(session.run());
    drawing.run_ms += now_ms() - begun;
    for (Picture& picture : load_pictures(session.output(0), reading))
      if (static_cast<int>(drawing.pictures.size()) < request.count)
        drawing.pictures.push_back(std::move(picture));
    progress.set(done + at_once);
  }
  return drawing;
}

}  // namespace figment::host
