// The shortest program that trains: a VAE's last steps against the installed runtime. Fails unless
// the loss falls.
#include <figment/train.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace {

std::span<std::byte> allocate(std::size_t size) {
  return {static_cast<std::byte*>(std::aligned_alloc(64, (size + 63) / 64 * 64)), size};
}

std::span<std::byte> read(const char* path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto bytes = allocate(static_cast<std::size_t>(file.tellg()));
  file.seekg(0).read(reinterpret_cast<char*>(bytes.data()),
                     static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

int fail(const figment::Status& status) {
  std::puts(status.text);
  return 1;
}

}  // namespace

int main(int, char** arguments) {
  auto decoder = figment::Model::open(read(arguments[1]));
  if (!decoder.ok()) return fail(decoder.status());
  auto encoder = figment::Model::open(read(arguments[2]));
  if (!encoder.ok()) return fail(encoder.status());
  const figment::TrainedModels models{*decoder, &*encoder};
  figment::TrainOptions options;
  options.task = figment::Task::kVae;
  options.loss = figment::Loss::kBinaryCrossEntropy;
  auto need = figment::Trainer::arena_bytes(models, options);
  if (!need.ok()) return fail(need.status());
  auto trainer = figment::Trainer::create(models, allocate(*need), options);
  if (!trainer.ok()) return fail(trainer.status());
  float first = 0;
  for (int step = 0; step < 20; ++step) {
    figment::fill_uniform(trainer->examples(), 1, 0, 1);
    if (auto status = trainer->step(); !status.ok()) return fail(status);
    if (step == 0) first = trainer->report().loss;
  }
  std::printf("%d tensors learned in %lld updates: the loss fell from %g to %g\n",
              trainer->learned_count(), static_cast<long long>(trainer->report().updates), first,
              trainer->report().loss);
  return trainer->report().loss < first ? 0 : 1;
}
