// The trainer's gradients against differences of its own loss.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tests/train/models.h"

namespace figment::testing {
namespace {

using format::UnaryFunction;

// The noise of step 0 with seed 0, for evaluate().
constexpr std::uint64_t kFirstKey = 0x9e3779b97f4a7c15U;

// One SGD step of rate 1 moves by the gradient g. The loss along g must fall as |g|^2 says: central
// differences of the loss, which evaluate() gives with the same noise.
template <typename Fill, typename Loss>
void check_gradient(const TrainedModels& models, TrainOptions options, const Fill& fill_inputs,
                    const Loss& loss, int model = -1, double tolerance = 2e-2) {
  options.optimizer = {.kind = Optimizer::kSgd, .learning_rate = 1};
  options.batch_statistics = false;
  for (const Backend backend : {Backend::kPortable, Backend::kXnnpack}) {
    options.backend = backend;
    TestTrainer moved(models, options);
    const std::vector<float> before = learned_values(moved.trainer, model);
    REQUIRE(!before.empty());
    fill_inputs(moved.trainer);
    const Status status = moved.trainer.step();
    REQUIRE_MESSAGE(status.ok(), std::string(status.message()));
    const std::vector<float> after = learned_values(moved.trainer, model);
    std::vector<double> gradient;
    double square = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
      gradient.push_back(double{before[i]} - double{after[i]});
      square += gradient.back() * gradient.back();
    }
    REQUIRE(square > 1e-8);
    TestTrainer measured(models, options);
    const double step = 0.01 / std::sqrt(square);
    double losses[2] = {};
    for (const int side : {0, 1}) {
      std::vector<float> values = before;
      for (std::size_t i = 0; i < values.size(); ++i)
        values[i] += static_cast<float>((side == 0 ? step : -step) * gradient[i]);
      set_learned(measured.trainer, values, model);
      fill_inputs(measured.trainer);
      const Status evaluated = measured.trainer.evaluate(kFirstKey);
      REQUIRE_MESSAGE(evaluated.ok(), std::string(evaluated.message()));
      losses[side] = loss(measured.trainer.report());
    }
    const double slope = (losses[0] - losses[1]) / (2 * step);
    CHECK(slope == doctest::Approx(square).epsilon(tolerance));
  }
}

double whole_loss(const TrainReport& report) { return report.loss; }

TEST_CASE("gradients of a small network for each loss") {
  const TestModel model(ModelBuilder("m", shape_of({1, 7}), 1)
                            .dense(9)
                            .activation(UnaryFunction::LeakyRelu, 0.2F)
                            .dense(5)
                            .unary(UnaryFunction::Tanh)
                            .dense(4)
                            .activation(UnaryFunction::Sigmoid)
                            .bytes());
  TrainOptions options;
  options.batch = 6;
  for (const Loss loss : {Loss::kMeanSquaredError, Loss::kBinaryCrossEntropy}) {
    options.loss = loss;
    check_gradient({model.model}, options, fill_supervised, whole_loss);
  }
  options.loss = Loss::kCrossEntropy;
  check_gradient(
      {model.model}, options,
      [](Trainer& trainer) {
        fill(trainer.examples(), 1);
        for (int i = 0; i < 6; ++i) trainer.targets().integers()[i] = i % 5 - 1;
      },
      whole_loss);
}

TEST_CASE("gradients through convolutions, branches and in-place functions") {
  ModelBuilder builder("m", shape_of({1, 6, 6, 3}), 3);
  builder.convolution(4, 1).activation(UnaryFunction::Elu, 1.0F);
  const converter::TensorId skip = builder.last();
  builder.convolution(4, 1).batch_normalization().activation(UnaryFunction::Relu);
  builder.add(skip).unary(UnaryFunction::Swish);
  builder.transposed_convolution(2).activation(UnaryFunction::Tanh);
  const TestModel model(builder.bytes());
  TrainOptions options;
  options.batch = 3;
  check_gradient({model.model}, options, fill_supervised, whole_loss);
  // All gradients at once, in parts, and kept from step to step: the same.
  options.batch_statistics = false;
  for (const int accumulation : {1, 3}) {
    options.accumulation = 1;
    options.optimizer = {.kind = Optimizer::kSgd, .learning_rate = 0.5F};
    TestTrainer plain({model.model}, options);
    options.accumulation = accumulation;
    options.clip_norm = 1e6F;
    TestTrainer kept({model.model}, options);
    fill_supervised(plain.trainer);
    REQUIRE(plain.trainer.step().ok());
    for (int i = 0; i < accumulation; ++i) {
      fill_supervised(kept.trainer);
      REQUIRE(kept.trainer.step().ok());
    }
    const std::vector<float> one = learned_values(plain.trainer);
    const std::vector<float> other = learned_values(kept.trainer);
    for (std::size_t i = 0; i < one.size(); ++i)
      REQUIRE(std::fabs(one[i] - other[i]) <= 1e-5F * std::max(1.0F, std::fabs(one[i])));
    options.clip_norm = 0;
  }
}

TEST_CASE("gradients of a VAE, through the draw and the divergence") {
  const TestModel decoder = vae_decoder();
  TrainOptions options;
  options.task = Task::kVae;
  options.loss = Loss::kBinaryCrossEntropy;
  options.batch = 5;
  options.beta = 0.7F;
  for (const bool two : {true, false}) {
    const TestModel encoder = vae_encoder(two);
    const auto fill_pictures = [](Trainer& trainer) { fill(trainer.examples(), 1, 0, 1); };
    check_gradient({decoder.model, &encoder.model}, options, fill_pictures, whole_loss);
    // Only one of the two learns.
    options.partner_selection.learns = Learns::kNothing;
    check_gradient({decoder.model, &encoder.model}, options, fill_pictures, whole_loss);
    options.partner_selection.learns = Learns::kAll;
    options.selection.learns = Learns::kNothing;
    check_gradient({decoder.model, &encoder.model}, options, fill_pictures, whole_loss);
    options.selection.learns = Learns::kAll;
  }
}

TEST_CASE("gradients of both sides of a GAN, for each loss") {
  const TestModel generator(ModelBuilder("generator", shape_of({1, 4}), 11)
                                .dense(8)
                                .activation(UnaryFunction::Relu)
                                .dense(6)
                                .activation(UnaryFunction::Tanh)
                                .bytes());
  const TestModel discriminator(ModelBuilder("discriminator", shape_of({1, 6}), 12)
                                    .dense(8)
                                    .activation(UnaryFunction::LeakyRelu, 0.2F)
                                    .dense(1)
                                    .bytes());
  TrainOptions options;
  options.task = Task::kGan;
  options.batch = 8;
  options.clip_weights = 100;
  for (const AdversarialLoss loss :
       {AdversarialLoss::kMinimax, AdversarialLoss::kNonSaturating, AdversarialLoss::kLeastSquares,
        AdversarialLoss::kHinge, AdversarialLoss::kWasserstein}) {
    options.adversarial = loss;
    const auto fill_pictures = [](Trainer& trainer) { fill(trainer.examples(), 1); };
    options.selection.learns = Learns::kNothing;
    options.partner_selection.learns = Learns::kAll;
    check_gradient({generator.model, &discriminator.model}, options, fill_pictures,
                   [](const TrainReport& report) { return double{report.partner_loss}; });
    options.selection.learns = Learns::kAll;
    options.partner_selection.learns = Learns::kNothing;
    check_gradient({generator.model, &discriminator.model}, options, fill_pictures, whole_loss);
  }
  options.selection.learns = Learns::kNothing;
  options.partner_selection.learns = Learns::kAll;
  options.spectral_normalization = true;
  // The power iteration of the step is not that of the evaluation, so the singular value lags.
  check_gradient(
      {generator.model, &discriminator.model}, options,
      [](Trainer& trainer) { fill(trainer.examples(), 1); },
      [](const TrainReport& report) { return double{report.partner_loss}; }, -1, 0.2);
}

TEST_CASE("adapters: gradients, and nothing else moves") {
  const TestModel model(ModelBuilder("m", shape_of({1, 6, 6, 3}), 21)
                            .narrow()
                            .convolution(4, 1)
                            .activation(UnaryFunction::Relu)
                            .transposed_convolution(2)
                            .bytes());
  TrainOptions options;
  options.batch = 2;
  options.selection.adapter_rank = 2;
  TestTrainer fresh({model.model}, options);
  REQUIRE(fresh.trainer.learned_count() == 2);
  CHECK(fresh.trainer.learned(0).rank == 2);
  CHECK(fresh.trainer.learned(0).values.empty());
  check_gradient({model.model}, options, fill_supervised, whole_loss);

  // Dense layers are never formed: their stored weights are widened as they are multiplied.
  const TestModel dense(ModelBuilder("m", shape_of({1, 40}), 22)
                            .narrow()
                            .dense(70)
                            .activation(UnaryFunction::LeakyRelu, 0.2F)
                            .dense(33)
                            .bytes());
  for (const float clip_norm : {0.0F, 1e6F}) {
    options.clip_norm = clip_norm;
    check_gradient({dense.model}, options, fill_supervised, whole_loss);
  }
  options.clip_norm = 0;
  // Frozen weights of float16 let gradients through to biases before them.
  options.selection = {.learns = Learns::kBiasesAndScales};
  check_gradient({dense.model}, options, fill_supervised, whole_loss);
  check_gradient({model.model}, options, fill_supervised, whole_loss);
}

}  // namespace
}  // namespace figment::testing
