// Times training steps and says how much memory each takes, for the models that ship:
//
//   train_bench [--models FOLDER] [--case WORDS] [--seconds S] [--threads N] [--json]
//
// train_torch.py times PyTorch's steps of the same models in the same units.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

#include "figment/train.h"
#include "targets/host/model_file.h"
#include "targets/host/process.h"
#include "targets/host/statistics.h"
#include "targets/host/thread_pool.h"
#include "tests/bench/program.h"

namespace {

using namespace figment;
using Json = nlohmann::ordered_json;

struct Case {
  const char* name;
  const char* model;
  const char* partner;
  TrainOptions options;
};

template <typename T>
T value_of(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(std::string(result.status().message()));
  return std::move(*result);
}

std::vector<Case> cases() {
  TrainOptions vae;
  vae.task = Task::kVae;
  vae.loss = Loss::kBinaryCrossEntropy;
  vae.batch = 64;
  TrainOptions small = vae;
  small.batch = 16;
  TrainOptions last = small;
  last.batch = 4;
  last.selection = {.learns = Learns::kLastLayers, .layers = 2, .adapter_rank = 4};
  last.partner_selection.learns = Learns::kNothing;
  TrainOptions gan;
  gan.task = Task::kGan;
  gan.batch = 64;
  gan.optimizer.beta1 = 0.5F;
  TrainOptions biases = gan;
  biases.batch = 2;
  biases.selection.learns = Learns::kBiasesAndScales;
  biases.partner_selection.learns = Learns::kNothing;
  return {
      {"digits VAE, batch 64", "digits_vae/decoder.fgm", "digits_vae/encoder.fgm", vae},
      {"digits VAE, batch 16", "digits_vae/decoder.fgm", "digits_vae/encoder.fgm", small},
      {"digits VAE, int8 decoder, adapters, batch 4", "digits_vae/decoder_int8.fgm",
       "digits_vae/encoder.fgm", last},
      {"digits GAN, batch 64", "digits_gan/generator.fgm", "digits_gan/discriminator.fgm", gan},
      {"digits GAN, generator's biases, batch 2", "digits_gan/generator.fgm",
       "digits_gan/discriminator.fgm", biases},
  };
}

Json measure(const Case& test, const std::filesystem::path& folder, double seconds,
             pthreadpool* threads) {
  const host::ModelFile model_file((folder / test.model).string());
  const host::ModelFile partner_file((folder / test.partner).string());
  const Model& model = model_file.model;
  const Model& partner = partner_file.model;
  TrainOptions options = test.options;
  options.threads = threads;
  const TrainedModels models{model, &partner};
  const std::size_t needed = value_of(Trainer::arena_bytes(models, options));
  const host::AlignedMemory arena = host::allocate_aligned(needed);
  Trainer trainer = value_of(Trainer::create(models, {arena.get(), needed}, options));
  const auto step = [&] {
    fill_uniform(trainer.examples(), 1, 0, 1);
    const double begun = host::now_ms();
    const Status status = trainer.step();
    if (!status.ok()) throw std::runtime_error(std::string(status.message()));
    return host::now_ms() - begun;
  };
  for (int i = 0; i < 3; ++i) step();
  std::vector<double> milliseconds;
  for (double spent = 0; spent < seconds * 1000;) {
    milliseconds.push_back(step());
    spent += milliseconds.back();
  }
  return {{"name", test.name},
          {"step_ms", host::summarize(milliseconds).median},
          {"arena_bytes", needed},
          {"state_bytes", trainer.state_bytes()},
          {"activation_bytes", trainer.activation_bytes()},
          {"weight_bytes", model.weight_bytes() + partner.weight_bytes()},
          {"loss", trainer.report().loss}};
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App app("Times training steps and says how much memory they take.", "train_bench");
  std::filesystem::path folder = "models";
  double seconds = 2;
  int thread_count = 1;
  bool json = false;
  app.add_option("--models", folder, "The folder of the models that ship");
  std::string words;
  app.add_option("--case", words, "Only the cases whose names hold these words");
  app.add_option("--seconds", seconds, "How long each case runs");
  app.add_option("--threads", thread_count, "Threads");
  app.add_flag("--json", json, "One object on standard output");
  return bench::run_program(app, count, arguments, [&] {
    const host::ThreadPool pool = host::make_thread_pool(thread_count);
    Json results = Json::array();
    for (const Case& test : cases()) {
      if (std::string_view(test.name).find(words) == std::string_view::npos) continue;
      const Json result = measure(test, folder, seconds, pool.get());
      results.push_back(result);
      if (!json)
        std::printf(
            "%-46s %8.3f ms  arena %9zu (state %9zu, short-lived %9zu) of files %zu\n", test.name,
            result["step_ms"].get<double>(), result["arena_bytes"].get<std::size_t>(),
            result["state_bytes"].get<std::size_t>(), result["activation_bytes"].get<std::size_t>(),
            result["weight_bytes"].get<std::size_t>());
    }
    if (json) std::printf("%s\n", results.dump(2).c_str());
    return 0;
  });
}
