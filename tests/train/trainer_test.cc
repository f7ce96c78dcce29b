// The trainer's gradients against differences of its own loss, its updates, its memory.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tests/train/models.h"

namespace figment::testing {
namespace {

using format::UnaryFunction;

std::vector<float> learned_values(const Trainer& trainer, int model = -1) {
  std::vector<float> values;
  for (int i = 0; i < trainer.learned_count(); ++i) {
    const LearnedTensor tensor = trainer.learned(i);
    if (model >= 0 && tensor.model != model) continue;
    for (const auto part : {tensor.values, tensor.left, tensor.right})
      values.insert(values.end(), part.begin(), part.end());
  }
  return values;
}

void set_learned(Trainer& trainer, const std::vector<float>& values, int model = -1) {
  std::size_t at = 0;
  for (int i = 0; i < trainer.learned_count(); ++i) {
    const LearnedTensor tensor = trainer.learned(i);
    if (model >= 0 && tensor.model != model) continue;
    for (const auto part : {tensor.values, tensor.left, tensor.right})
      for (const float& value : part) const_cast<float&>(value) = values[at++];
  }
}

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

void fill_supervised(Trainer& trainer) {
  fill(trainer.examples(), 1);
  fill(trainer.targets(), 2, 0, 1);
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

TestModel vae_encoder(bool two) {
  ModelBuilder builder("encoder", shape_of({1, 8}), 5);
  builder.dense(10).activation(UnaryFunction::Relu).dense(6);
  if (two) builder.two_outputs();
  return TestModel(builder.bytes());
}
TestModel vae_decoder() {
  return TestModel(ModelBuilder("decoder", shape_of({1, 3}), 9)
                       .dense(10)
                       .activation(UnaryFunction::LeakyRelu, 0.2F)
                       .dense(8)
                       .activation(UnaryFunction::Sigmoid)
                       .bytes());
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

TEST_CASE("selections select what they say") {
  const TestModel model(ModelBuilder("m", shape_of({1, 6}), 31)
                            .dense(5)
                            .activation(UnaryFunction::Relu)
                            .dense(4)
                            .activation(UnaryFunction::Relu)
                            .dense(3)
                            .bytes());
  const auto names = [&](const Selection& selection) {
    TrainOptions options;
    options.selection = selection;
    TestTrainer built({model.model}, options);
    std::string result;
    for (int i = 0; i < built.trainer.learned_count(); ++i)
      result += std::string(built.trainer.learned(i).name) + " ";
    return result;
  };
  CHECK(names({.learns = Learns::kAll}) ==
        "dense0.weight dense0.bias dense1.weight dense1.bias dense2.weight dense2.bias ");
  CHECK(names({.learns = Learns::kLastLayers, .layers = 2}) ==
        "dense1.weight dense1.bias dense2.weight dense2.bias ");
  CHECK(names({.learns = Learns::kBiasesAndScales}) == "dense0.bias dense1.bias dense2.bias ");
  CHECK(names({.learns = Learns::kNamed, .pattern = "dense?.w*"}) ==
        "dense0.weight dense1.weight dense2.weight ");
  CHECK(names({.learns = Learns::kNamed, .pattern = "layer1"}) == "dense1.weight dense1.bias ");
  TrainOptions options;
  options.selection = {.learns = Learns::kNamed, .pattern = "encoder*"};
  CHECK(Trainer::arena_bytes({model.model}, options).status().code == ErrorCode::kBadArgument);
}

TEST_CASE("fewer layers that learn take less memory") {
  const TestModel model(ModelBuilder("m", shape_of({1, 64}), 31)
                            .dense(256)
                            .activation(UnaryFunction::Relu)
                            .dense(256)
                            .activation(UnaryFunction::Relu)
                            .dense(32)
                            .bytes());
  TrainOptions options;
  const auto bytes = [&] { return *Trainer::arena_bytes({model.model}, options); };
  const std::size_t all = bytes();
  options.selection = {.learns = Learns::kLastLayers, .layers = 1};
  const std::size_t last = bytes();
  options.selection = {.learns = Learns::kBiasesAndScales};
  const std::size_t biases = bytes();
  CHECK(all > std::size_t{3 * 4 * (64 * 256 + 256 * 256 + 256 * 32)});
  CHECK(last < all / 4);
  CHECK(biases < all / 4);
  options.selection = {};
  options.clip_norm = 1;
  CHECK(bytes() > all);
}

TEST_CASE("the arena's size is exact, and one byte less is refused with the number") {
  const TestModel decoder = vae_decoder();
  const TestModel encoder = vae_encoder(true);
  TrainOptions options;
  options.task = Task::kVae;
  const TrainedModels models{decoder.model, &encoder.model};
  const std::size_t needed = *Trainer::arena_bytes(models, options);
  const AlignedMemory arena(needed);
  CHECK(Trainer::create(models, arena.span(), options).ok());
  const Result<Trainer> refused = Trainer::create(models, arena.span().first(needed - 1), options);
  REQUIRE(!refused.ok());
  CHECK(refused.status().code == ErrorCode::kArenaTooSmall);
  CHECK(refused.status().bytes_needed == needed);
  // Measured in a workspace: the same.
  CHECK(*Trainer::arena_bytes(models, options, arena.span()) == needed);
}

TEST_CASE("a run goes on from its state bit for bit") {
  const TestModel decoder = vae_decoder();
  const TestModel encoder = vae_encoder(true);
  TrainOptions options;
  options.task = Task::kVae;
  const TrainedModels models{decoder.model, &encoder.model};
  TestTrainer whole(models, options);
  TestTrainer first(models, options);
  std::vector<std::byte> state;
  for (std::uint64_t i = 0; i < 6; ++i) {
    fill(whole.trainer.examples(), i, 0, 1);
    REQUIRE(whole.trainer.step().ok());
    if (i >= 3) continue;
    fill(first.trainer.examples(), i, 0, 1);
    REQUIRE(first.trainer.step().ok());
    state.assign(first.trainer.state().begin(), first.trainer.state().end());
  }
  TestTrainer second(models, options);
  REQUIRE(second.trainer.state().size() == state.size());
  std::memcpy(second.trainer.state().data(), state.data(), state.size());
  for (std::uint64_t i = 3; i < 6; ++i) {
    fill(second.trainer.examples(), i, 0, 1);
    REQUIRE(second.trainer.step().ok());
  }
  CHECK(learned_values(second.trainer) == learned_values(whole.trainer));
  CHECK(second.trainer.report().loss == whole.trainer.report().loss);
  CHECK(second.trainer.report().updates == 6);
}

TEST_CASE("an average of the weights lags behind them") {
  const TestModel model(ModelBuilder("m", shape_of({1, 7}), 1).dense(3).bytes());
  TrainOptions options;
  options.optimizer = {.kind = Optimizer::kSgd, .learning_rate = 0.1F};
  options.average_decay = 0.5F;
  TestTrainer averaged({model.model}, options);
  options.average_decay = 0;
  TestTrainer plain({model.model}, options);
  std::vector<float> expected = learned_values(plain.trainer);
  for (int update = 1; update <= 12; ++update) {
    for (Trainer* trainer : {&averaged.trainer, &plain.trainer}) {
      fill_supervised(*trainer);
      REQUIRE(trainer->step().ok());
    }
    const std::vector<float> now = learned_values(plain.trainer);
    const float decay =
        std::min(0.5F, static_cast<float>(update) / static_cast<float>(update + 10));
    for (std::size_t i = 0; i < now.size(); ++i)
      expected[i] += (1 - decay) * (now[i] - expected[i]);
  }
  const std::vector<float> average = learned_values(averaged.trainer);
  for (std::size_t i = 0; i < average.size(); ++i)
    REQUIRE(average[i] == doctest::Approx(expected[i]).epsilon(1e-5));
}

TEST_CASE("a loss that is no number moves nothing and names the operator") {
  const TestModel model(
      ModelBuilder("m", shape_of({1, 6}), 31).dense(5).unary(UnaryFunction::Log).dense(3).bytes());
  TestTrainer built({model.model}, {});
  const std::vector<float> before = learned_values(built.trainer);
  fill_supervised(built.trainer);
  const Status status = built.trainer.step();
  REQUIRE(!status.ok());
  CHECK(status.operator_index == 1);
  CHECK(std::string(status.message()).find("Unary 'layer1'") != std::string::npos);
  CHECK(learned_values(built.trainer) == before);
  fill_supervised(built.trainer);
  built.trainer.examples().floats()[0] = NAN;
  const Status bad = built.trainer.step();
  REQUIRE(!bad.ok());
  CHECK(std::string(bad.message()).find("examples") != std::string::npos);
}

TEST_CASE("operators without a backward are named") {
  format::ArgReduceT arg_max;
  arg_max.axis = 1;
  arg_max.keep_axis = true;
  format::CastT cast;
  cast.to = format::DataType::Float32;
  const TestModel model(ModelBuilder("m", shape_of({1, 6}), 31)
                            .dense(5)
                            .layer(converter::make_options(arg_max))
                            .layer(converter::make_options(cast))
                            .dense(3)
                            .bytes());
  TestTrainer built({model.model}, {});
  CHECK(built.trainer.learned_count() == 2);
  REQUIRE(built.trainer.blocking_count() >= 1);
  CHECK(built.trainer.blocking(0).kind == "Cast");
  TrainOptions options;
  options.selection = {.learns = Learns::kNamed, .pattern = "dense0*"};
  const Result<std::size_t> refused = Trainer::arena_bytes({model.model}, options);
  REQUIRE(!refused.ok());
  CHECK(std::string(refused.status().message()).find("Cast 'layer2'") != std::string::npos);
}

TEST_CASE("models that do not go together are refused") {
  const TestModel decoder = vae_decoder();
  const TestModel encoder = vae_encoder(true);
  TrainOptions options;
  const auto refusal = [&](const TrainedModels& models) {
    const Result<std::size_t> result = Trainer::arena_bytes(models, options);
    return result.ok() ? std::string() : std::string(result.status().message());
  };
  options.task = Task::kVae;
  CHECK(refusal({decoder.model}).find("encoder") != std::string::npos);
  CHECK(refusal({encoder.model, &decoder.model}).find("numbers an example") != std::string::npos);
  options.task = Task::kGan;
  CHECK(refusal({decoder.model, &encoder.model}).find("a logit") != std::string::npos);
  options = {};
  options.optimizer.learning_rate = 0;
  CHECK(refusal({decoder.model}).find("learning rate") != std::string::npos);
}

}  // namespace
}  // namespace figment::testing
