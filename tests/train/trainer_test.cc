// What a trainer selects, how much memory it takes, how it goes on, and what it refuses.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tests/train/models.h"

namespace figment::testing {
namespace {

using format::UnaryFunction;

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

TEST_CASE("functions computed again take less memory and give the same bits") {
  ModelBuilder builder("m", shape_of({1, 8, 8, 4}), 7);
  for (int i = 0; i < 3; ++i)
    builder.convolution(16, 1)
        .unary(UnaryFunction::Swish)
        .convolution(16, 1)
        .activation(UnaryFunction::Gelu);
  const TestModel model(builder.convolution(2, 1).bytes());
  TrainOptions options;
  options.batch = 4;
  TestTrainer kept({model.model}, options);
  options.recompute = true;
  TestTrainer again({model.model}, options);
  CHECK(again.trainer.activation_bytes() < kept.trainer.activation_bytes() * 9 / 10);
  for (int i = 0; i < 2; ++i)
    for (Trainer* trainer : {&kept.trainer, &again.trainer}) {
      fill_supervised(*trainer);
      REQUIRE(trainer->step().ok());
    }
  CHECK(learned_values(again.trainer) == learned_values(kept.trainer));
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
