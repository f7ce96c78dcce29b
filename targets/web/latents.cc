// Fills latents from the prior; targets/host/draw.cc does the same for the command line.
#include "targets/web/latents.h"

#include "figment/format/model_generated.h"
#include "runtime/base/error.h"

namespace figment::web {
namespace {

bool has_noise_operator(const Model& model) {
  for (const format::Operator* node : *model.root().operators())
    if (node->options_type() == format::OperatorOptions::RandomNormal) return true;
  return false;
}

}  // namespace

Status check_latents(const Model& model) {
  for (int index = 0; index < model.input_count(); ++index)
    if (const Port port = model.input(index);
        model.is_latent(index) && port.type != DataType::kFloat32)
      return bad_argument(
          {"input '", port.name, "' takes numbers that have no prior to be drawn from"});
  return {};
}

bool can_batch(const Model& model) {
  if (!model.any_batch() || has_noise_operator(model)) return false;
  for (int index = 0; index < model.input_count(); ++index)
    if (model.is_latent(index) && model.input(index).batch_axis != 0) return false;
  return model.output(0).batch_axis == 0;
}

Bounds prior_bounds(const Model& model) {
  const format::Prior* prior = model.root().prior();
  return prior == nullptr ? Bounds{-1, 1} : Bounds{prior->low(), prior->high()};
}

void fill_from_prior(const Model& model, const Tensor& tensor, const Draw& draw) {
  if (model.prior() == Distribution::kUniform) {
    const Bounds bounds = prior_bounds(model);
    fill_uniform(tensor, draw.seed, bounds.low, bounds.high, draw.first);
  } else if (draw.truncation > 0) {
    fill_truncated_normal(tensor, draw.seed, draw.truncation, draw.first);
  } else {
    fill_normal(tensor, draw.seed, draw.first);
  }
}

std::span<float> latent_of(const Session& session, int input, std::int32_t samples,
                           std::int32_t sample) {
  const std::span<float> all = session.input(input).values();
  const std::size_t each = all.size() / static_cast<std::size_t>(samples);
  return all.subspan(each * static_cast<std::size_t>(sample), each);
}

void draw_latents(const Model& model, const Session& session, std::int32_t samples,
                  const Draw& draw) {
  for (int index = 0; index < model.input_count(); ++index) {
    if (!model.is_latent(index)) continue;
    const Tensor input = session.input(index);
    const std::uint64_t each = static_cast<std::uint64_t>(input.elements() / samples);
    // An input that never grows with the batch is the same for every sample.
    const bool shared = model.any_batch() && model.input(index).batch_axis < 0;
    fill_from_prior(model, input,
                    {draw.seed + static_cast<std::uint64_t>(index), shared ? 0 : each * draw.first,
                     draw.truncation});
  }
}

}  // namespace figment::web
