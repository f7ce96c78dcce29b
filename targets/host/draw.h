// Draws pictures and texts from a model's prior: what `sample` and `demo` share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "figment/figment.h"
#include "targets/host/picture.h"

namespace figment::host {

// Fills one input from the model's prior: normal or uniform, both as the file says. `truncation`,
// in standard deviations, is for normal priors alone. Element i depends on `seed` and `first + i`
// alone.
void fill_from_prior(const Model& model, const Tensor& tensor, std::uint64_t seed,
                     std::uint64_t first, std::optional<float> truncation = std::nullopt);

struct DrawRequest {
  int count = 16;
  std::uint64_t seed = 42;
  std::optional<float> truncation;
  int batch = 0;  // samples at once; 0: as many as are sensible
  Backend backend = Backend::kXnnpack;
};

// What draw and draw_texts share. Each latent input takes float32 numbers from the prior, or
// VerbError is thrown; the batch is the one asked for, or a sensible one; samples `done` and on are
// drawn, `at_once` of them.
void require_prior(const Model& model);
int choose_batch(const Model& model, const DrawRequest& request);
void fill_latents(const Model& model, const Session& session, const DrawRequest& request, int done,
                  int at_once);

struct Drawing {
  std::vector<Picture> pictures;
  std::size_t arena_bytes = 0;
  double run_ms = 0;  // in the model alone
};

// Picture k depends on the seed and k alone, however many are drawn at once (bit for bit on the
// portable backend). Shows progress when it takes long. Throws VerbError when the model makes no
// pictures or takes more than latents.
Drawing draw(const Model& model, const DrawRequest& request);

// As draw, for a model whose output is text. Control characters become spaces, so that a text is
// one line.
std::vector<std::string> draw_texts(const Model& model, const DrawRequest& request,
                                    float temperature);

}  // namespace figment::host
