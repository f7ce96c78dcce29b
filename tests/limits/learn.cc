// The least that a program which learns asks of the runtime beside drawing: a VAE trained a step,
// its state kept and what it has learned written. size_test.sh measures it.
#include <figment/train.h>

#include <cstring>

extern "C" bool learn(std::span<const std::byte> decoder, std::span<const std::byte> encoder,
                      std::span<std::byte> arena, std::span<const float> pictures,
                      std::span<std::byte> delta, std::span<std::byte> kept) {
  const auto model = figment::Model::open(decoder);
  const auto partner = figment::Model::open(encoder);
  if (!model.ok() || !partner.ok()) return false;
  figment::TrainOptions options;
  options.task = figment::Task::kVae;
  options.loss = figment::Loss::kBinaryCrossEntropy;
  options.backend = figment::Backend::kPortable;
  auto trainer = figment::Trainer::create({*model, &*partner}, arena, options);
  if (!trainer.ok()) return false;
  std::memcpy(trainer->examples().data, pictures.data(), pictures.size_bytes());
  if (!trainer->step().ok()) return false;
  std::memcpy(kept.data(), trainer->state().data(), kept.size());
  return trainer->write_delta(delta, 1).ok();
}
