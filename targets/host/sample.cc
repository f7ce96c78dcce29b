// figment sample: pictures from random latents, as one PNG grid.
#include <memory>

#include "targets/host/arguments.h"
#include "targets/host/draw.h"
#include "targets/host/grid.h"
#include "targets/host/model_file.h"
#include "targets/host/output_file.h"
#include "targets/host/png.h"
#include "targets/host/verb.h"

namespace figment::host {
namespace {

struct Arguments {
  std::string model, output, backend = "xnnpack";
  std::optional<float> truncation;
  DrawRequest request;
};

ExitCode sample(const Arguments& arguments) {
  DrawRequest request = arguments.request;
  request.backend = parse_backend(arguments.backend);
  request.truncation = arguments.truncation;
  const ModelFile file(arguments.model);
  OutputFile output(arguments.output);
  output.commit(write_png(make_grid(draw(file.model, request).pictures)));
  return ExitCode::kSuccess;
}

std::function<ExitCode()> declare(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  app.add_option("model", arguments->model, "The model, an .fgm file")->required();
  app.add_option("-o,--output", arguments->output, "The picture to write (PNG)")->required();
  app.add_option("--count", arguments->request.count, "How many samples to draw")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_option("--seed", arguments->request.seed, "The same seed draws the same pictures")
      ->capture_default_str();
  app.add_option("--truncation", arguments->truncation,
                 "Draw latents again that lie beyond this many standard deviations: fewer "
                 "oddities, less variety")
      ->check(CLI::Range(0.01F, 100.0F));
  app.add_option("--batch", arguments->request.batch,
                 "Samples computed at once (default: up to 16)")
      ->check(CLI::Range(1, 1 << 16));
  app.add_option("--backend", arguments->backend,
                 "xnnpack: fast; portable: the same bits on every machine")
      ->capture_default_str();
  return [arguments] { return sample(*arguments); };
}

}  // namespace

const Verb kSample{"sample", "draw pictures from random latents into one PNG",
                   "figment sample models/digits_vae/decoder.fgm --count 64 --seed 7 -o digits.png",
                   declare};

}  // namespace figment::host
