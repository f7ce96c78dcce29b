// figment sample: pictures from random latents, as one PNG grid, or texts, one a line.
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
  std::optional<float> truncation, temperature;
  DrawRequest request;
};

ExitCode sample_texts(const Model& model, const Arguments& arguments, const DrawRequest& request) {
  OutputFile output(arguments.output.empty() ? "-" : arguments.output);
  std::string lines;
  for (const std::string& text : draw_texts(model, request, arguments.temperature.value_or(1)))
    lines += text + "\n";
  output.commit(lines);
  return ExitCode::kSuccess;
}

ExitCode sample(const Arguments& arguments) {
  DrawRequest request = arguments.request;
  request.backend = parse_backend(arguments.backend);
  request.truncation = arguments.truncation;
  const ModelFile file(arguments.model);
  if (file.model.text().vocabulary > 0) return sample_texts(file.model, arguments, request);
  if (arguments.temperature)
    throw VerbError(ExitCode::kBadArgument,
                    "--temperature is for models that give text; this one does not");
  if (arguments.output.empty())
    throw VerbError(ExitCode::kUsage, "a picture needs a place: give --output FILE");
  OutputFile output(arguments.output);
  output.commit(write_png(make_grid(draw(file.model, request).pictures)));
  return ExitCode::kSuccess;
}

std::function<ExitCode()> declare(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  app.add_option("model", arguments->model, "The model, an .fgm file")->required();
  app.add_option(
      "-o,--output", arguments->output,
      "The picture to write (PNG); where a text goes, - (the default) being standard output");
  app.add_option("--count", arguments->request.count, "How many samples to draw")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_option("--seed", arguments->request.seed, "The same seed draws the same samples")
      ->capture_default_str();
  app.add_option("--truncation", arguments->truncation,
                 "Draw latents again that lie beyond this many standard deviations: fewer "
                 "oddities, less variety")
      ->check(CLI::Range(0.01F, 100.0F));
  app.add_option("--temperature", arguments->temperature,
                 "For text: below 1 the likely becomes likelier, 0 takes the likeliest symbol "
                 "always (default: 1)")
      ->check(CLI::Range(0.0F, 100.0F));
  app.add_option("--batch", arguments->request.batch,
                 "Samples computed at once (default: up to 16)")
      ->check(CLI::Range(1, 1 << 16));
  app.add_option("--backend", arguments->backend,
                 "xnnpack: fast; portable: the same bits on every machine")
      ->capture_default_str();
  return [arguments] { return sample(*arguments); };
}

}  // namespace

const Verb kSample{"sample", "draw pictures from random latents into one PNG, or texts",
                   "figment sample models/digits_vae/decoder.fgm --count 64 --seed 7 -o digits.png",
                   declare};

}  // namespace figment::host
