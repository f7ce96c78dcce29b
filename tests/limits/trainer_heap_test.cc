// Nothing from the heap from Trainer::create on, whatever learns and however: counted while
// trainers are created, step, evaluate, and write what they have learned.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "figment/train.h"
#include "tests/limits/heap_watch.h"
#include "tests/support/loaded_model.h"

namespace figment::testing {
namespace {

struct ShippedModel {
  explicit ShippedModel(const char* path)
      : file(read_aligned(std::string(FIGMENT_SOURCE_DIR "/models/") + path)),
        model(*Model::open(file.span())) {}
  AlignedMemory file;
  Model model;
};

// Creates a trainer and lets it do all that it can, watched, on both backends.
void check_heap(const ShippedModel& model, const ShippedModel& partner, TrainOptions options) {
  const TrainedModels models{model.model, &partner.model};
  for (const Backend backend : {Backend::kPortable, Backend::kXnnpack}) {
    CAPTURE(name_of(backend));
    options.backend = backend;
    const auto need = Trainer::arena_bytes(models, options);
    REQUIRE_MESSAGE(need.ok(), std::string(need.status().message()));
    const AlignedMemory arena(*need);

    HeapWatch watch_create;
    auto trainer = Trainer::create(models, arena.span(), options);
    const long calls_to_create = watch_create.stop();
    REQUIRE_MESSAGE(trainer.ok(), std::string(trainer.status().message()));
    CHECK(calls_to_create == 0);

    HeapWatch watch_learning;
    bool learned = true;
    for (std::uint64_t step = 0; step < 4; ++step) {
      fill_uniform(trainer->examples(), step, 0, 1);
      learned = trainer->step().ok() && learned;
    }
    fill_uniform(trainer->examples(), 9, 0, 1);
    const bool evaluated = trainer->evaluate(9).ok();
    const bool is_number = std::isfinite(trainer->report().loss);
    const long calls_to_learn = watch_learning.stop();
    CHECK(calls_to_learn == 0);
    CHECK(learned);
    CHECK(evaluated);
    CHECK(is_number);

    // What it has learned: shown, kept, written, and applied to a copy of the file.
    const std::size_t delta_bytes = trainer->write_delta({}, 1).status().bytes_needed;
    REQUIRE(delta_bytes > 0);
    const AlignedMemory delta(delta_bytes);
    const AlignedMemory kept(trainer->state_bytes());
    const AlignedMemory copy(model.file.span().size());
    std::memcpy(copy.span().data(), model.file.span().data(), copy.span().size());
    HeapWatch watch_result;
    float sum = 0;
    for (int i = 0; i < trainer->learned_count(); ++i)
      for (const float value : trainer->learned(i).values) sum += value;
    std::memcpy(kept.span().data(), trainer->state().data(), kept.span().size());
    const bool wrote = trainer->write_delta(delta.span(), 1).ok();
    const bool applied = apply_delta(copy.span(), delta.span()).ok();
    const long calls_for_result = watch_result.stop();
    CHECK(calls_for_result == 0);
    CHECK(std::isfinite(sum));
    CHECK(wrote);
    CHECK(applied);

    // A step that is refused: the error's words are the trainer's own.
    for (std::int64_t i = 0; i < trainer->examples().elements(); ++i)
      trainer->examples().floats()[i] = std::numeric_limits<float>::quiet_NaN();
    HeapWatch watch_refusal;
    const bool refused = !trainer->step().ok();
    const long calls_to_refuse = watch_refusal.stop();
    CHECK(calls_to_refuse == 0);
    CHECK(refused);
  }
}

TrainOptions options_of(Task task) {
  TrainOptions options;
  options.task = task;
  if (task == Task::kVae) options.loss = Loss::kBinaryCrossEntropy;
  options.batch = 2;
  return options;
}

// Gradients kept over two steps, shortened, and an average of what learns.
TrainOptions with_all_that_keeps(TrainOptions options) {
  options.accumulation = 2;
  options.clip_norm = 1;
  options.average_decay = 0.99F;
  options.schedule = Schedule::kCosine;
  options.updates = 10;
  return options;
}

TEST_CASE("a VAE learns without the heap") {
  const ShippedModel decoder("digits_vae/decoder.fgm");
  const ShippedModel encoder("digits_vae/encoder.fgm");
  check_heap(decoder, encoder, options_of(Task::kVae));
  check_heap(decoder, encoder, with_all_that_keeps(options_of(Task::kVae)));
}

TEST_CASE("adapters beside int8 weights learn without the heap") {
  const ShippedModel decoder("digits_vae/decoder_int8.fgm");
  const ShippedModel encoder("digits_vae/encoder.fgm");
  TrainOptions options = with_all_that_keeps(options_of(Task::kVae));
  options.selection.adapter_rank = 4;
  options.partner_selection.learns = Learns::kNothing;
  check_heap(decoder, encoder, options);
}

TEST_CASE("a GAN learns without the heap") {
  const ShippedModel generator("digits_gan/generator.fgm");
  const ShippedModel discriminator("digits_gan/discriminator.fgm");
  TrainOptions options = options_of(Task::kGan);
  check_heap(generator, discriminator, options);
  options = with_all_that_keeps(options);
  options.spectral_normalization = true;
  check_heap(generator, discriminator, options);
  options.selection.adapter_rank = 2;
  check_heap(generator, discriminator, options);
}

}  // namespace
}  // namespace figment::testing
