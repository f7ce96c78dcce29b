// Latents, numbered as the command line's `sample` numbers them, so that the page draws the same
// pictures.
#pragma once

#include <cstdint>

#include "figment/figment.h"

namespace figment::web {

// Says which latent input holds other numbers than float32, for which there is no prior.
Status check_latents(const Model& model);

// Whether several samples can be computed in one run: they lie one after another in every input and
// in the output, and no noise is drawn inside the model.
bool can_batch(const Model& model);

// Where a uniform prior begins and ends; of no meaning for a normal one.
struct Bounds {
  float low, high;
};
Bounds prior_bounds(const Model& model);

struct Draw {
  std::uint64_t seed = 0;
  std::uint64_t first = 0;  // the number of the run's first sample
  float truncation = 0;     // in standard deviations; 0: none
};

// Fills one input from the prior.
void fill_from_prior(const Model& model, const Tensor& tensor, const Draw& draw);

// The numbers of one latent input that belong to one of the `samples` of a run.
std::span<float> latent_of(const Session& session, int input, std::int32_t samples,
                           std::int32_t sample);

// Fills every latent input for all samples of a run: sample k of a seed depends on the seed and k
// alone.
void draw_latents(const Model& model, const Session& session, std::int32_t samples,
                  const Draw& draw);

}  // namespace figment::web
