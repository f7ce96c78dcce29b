// Recurrent layers on both backends against the definition in double precision, and their refusals.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/ops/recurrent_reference.h"

namespace figment::testing {
namespace {

void check_layer(const Layer& layer) {
  CAPTURE(static_cast<int>(layer.cell));
  CAPTURE(static_cast<int>(layer.direction));
  CAPTURE(layer.size.batch);
  CAPTURE(layer.size.hidden);
  check_operator(options_for(layer), operands_of(layer), output_shape(layer), reference(layer));
}

constexpr RecurrentCell kCells[] = {RecurrentCell::Rnn, RecurrentCell::Gru, RecurrentCell::Lstm};

format::UnaryT unary(UnaryFunction function, float alpha = 0, float beta = 0) {
  format::UnaryT result;
  result.function = function;
  result.alpha = alpha;
  result.beta = beta;
  return result;
}

TEST_CASE("recurrent layers of awkward sizes, in every direction") {
  for (const RecurrentCell cell : kCells)
    for (const int batch : {1, 5})
      for (const int hidden : {1, 7, 24})
        for (const RecurrentDirection direction :
             {RecurrentDirection::Forward, RecurrentDirection::Reverse,
              RecurrentDirection::Bidirectional})
          check_layer(make_layer(cell, {3, batch, hidden == 7 ? 1 : 5, hidden}, direction));
}

TEST_CASE("recurrent layers as wide as real ones") {
  for (const RecurrentCell cell : kCells)
    for (const int batch : {1, 5}) {
      Layer layer = make_layer(cell, {5, batch, 33, 65}, RecurrentDirection::Forward);
      // Weights as small as trained ones, so that gates are not all shut.
      for (TestTensor* weights : {&layer.weights, &layer.state_weights})
        for (float& value : weights->values) value *= 0.25F;
      layer.reset_after = batch == 5;
      check_layer(layer);
    }
}

TEST_CASE("more positions than the input is multiplied at a time") {
  check_layer(make_layer(RecurrentCell::Lstm, {10, 70, 3, 32}));
}

#ifdef FIGMENT_WITH_XNNPACK
TEST_CASE("XNNPACK runs layers whose weights are known") {
  Layer layer = make_layer(RecurrentCell::Gru);
  const auto lowering = [&] {
    return run_operator(options_for(layer), operands_of(layer), {}, Backend::kXnnpack).lowering;
  };
  CHECK(lowering() == "gemm");
  for (TestTensor* operand : {&layer.weights, &layer.state_weights, &layer.bias}) {
    operand->constant = false;
    CHECK(lowering() == "portable");
    operand->constant = true;
  }
}
#endif

TEST_CASE("the sequence alone, without final states") {
  for (const RecurrentCell cell : kCells) {
    Layer layer = make_layer(cell);
    layer.final_states = false;
    check_layer(layer);
  }
}

TEST_CASE("initial states, and no bias") {
  for (const RecurrentCell cell : kCells) {
    Layer layer = make_layer(cell);
    layer.hidden = initial_state(layer, 15);
    if (cell == RecurrentCell::Lstm) layer.memory = initial_state(layer, 16);
    check_layer(layer);
    layer.bias = absent();
    check_layer(layer);
    layer.final_states = false;
    check_layer(layer);
  }
}

TEST_CASE("sequences end where their lengths say, and lengths that lie are cut") {
  for (const RecurrentCell cell : kCells)
    for (const bool reset_after : {false, true}) {
      Layer layer = make_layer(cell, {4, 5, 3, 7});
      layer.reset_after = reset_after;
      layer.hidden = initial_state(layer, 15);
      layer.lengths = lengths_of({4, 1, 0, 2, 3});
      check_layer(layer);
      layer.lengths = lengths_of({2, std::numeric_limits<std::int32_t>::max(), -1,
                                  std::numeric_limits<std::int32_t>::min(), 5});
      check_layer(layer);
    }
}

TEST_CASE("what lies past a sequence's end does not reach it") {
  for (const RecurrentCell cell : kCells) {
    Layer layer = make_layer(cell, {3, 2, 4, 7});
    layer.lengths = lengths_of({1, 3});
    for (int position = 1; position < 3; ++position)
      for (int k = 0; k < 4; ++k)
        layer.x.values[position * 2 * 4 + k] = std::numeric_limits<float>::quiet_NaN();
    check_layer(layer);
  }
}

TEST_CASE("gates are clipped before their activation") {
  for (const RecurrentCell cell : kCells)
    for (const bool reset_after : {false, true}) {
      Layer layer = make_layer(cell);
      layer.clip = 0.3F;
      layer.reset_after = reset_after;
      check_layer(layer);
    }
}

TEST_CASE("the reset gate before and after the state's product") {
  for (const bool reset_after : {false, true}) {
    Layer layer = make_layer(RecurrentCell::Gru, {4, 5, 6, 9});
    layer.reset_after = reset_after;
    layer.hidden = initial_state(layer, 15);
    check_layer(layer);
    layer.bias = absent();
    check_layer(layer);
  }
}

TEST_CASE("peepholes, coupled gates, and both") {
  for (const bool coupled : {false, true})
    for (const bool peepholes : {false, true}) {
      Layer layer = make_layer(RecurrentCell::Lstm);
      layer.couple_gates = coupled;
      layer.memory = initial_state(layer, 16);
      if (peepholes) layer.peepholes = peepholes_of(layer);
      check_layer(layer);
      layer.clip = 0.5F;
      check_layer(layer);
    }
}

TEST_CASE("activations of their own for each direction") {
  const format::UnaryT others[] = {unary(UnaryFunction::HardSigmoid, 0.2F, 0.5F),
                                   unary(UnaryFunction::LeakyRelu, 0.1F),
                                   unary(UnaryFunction::Relu),
                                   unary(UnaryFunction::Sigmoid),
                                   unary(UnaryFunction::Tanh),
                                   unary(UnaryFunction::Sigmoid)};
  for (const RecurrentCell cell : kCells) {
    Layer layer = make_layer(cell);
    layer.activations.assign(others, others + 2 * layer.activation_count());
    check_layer(layer);
  }
}

TEST_CASE("weights in float16") {
  for (const RecurrentCell cell : kCells)
    check_layer(
        make_layer(cell, {3, 5, 6, 9}, RecurrentDirection::Bidirectional, DataType::kFloat16));
}

TEST_CASE("weights in int8") {
  for (const RecurrentCell cell : kCells)
    for (const bool reset_after : {false, true}) {
      Layer layer = make_layer(cell, {3, 5, 6, 9}, RecurrentDirection::Bidirectional);
      layer.reset_after = reset_after;
      layer.hidden = initial_state(layer, 15);
      for (TestTensor* weights : {&layer.weights, &layer.state_weights})
        *weights = rows_as_int8(*weights, weights->shape[0] * weights->shape[1]);
      // Inputs and states are quantized in steps of at most 2/255.
      check_operator(options_for(layer), operands_of(layer), output_shape(layer), reference(layer),
                     0.03);
      layer.state_weights.scales.pop_back();
      check_refused(options_for(layer), operands_of(layer), {}, "scales but must have");
    }
}

TEST_CASE("weights that the model computes") {
  for (const RecurrentCell cell : kCells) {
    Layer layer = make_layer(cell, {2, 2, 3, 5});
    for (TestTensor* weights : {&layer.weights, &layer.state_weights, &layer.bias})
      weights->constant = false;
    check_layer(layer);
  }
}

TEST_CASE("not a number stays in its sequence") {
  Layer layer = make_layer(RecurrentCell::Lstm, {2, 3, 4, 5});
  layer.x.values[4] = std::numeric_limits<float>::quiet_NaN();
  const Run run = run_operator(options_for(layer), operands_of(layer), {}, Backend::kPortable);
  const std::vector<double> expected = reference(layer);
  REQUIRE(run.values.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(std::isnan(run.values[i]) == std::isnan(expected[i]));
}

TEST_CASE("recurrent layers that are refused") {
  const auto refused = [](const Layer& layer, const char* words) {
    check_refused(options_for(layer), operands_of(layer), {}, words);
  };
  const auto with = [](RecurrentCell cell, auto change) {
    Layer layer = make_layer(cell, {2, 3, 4, 5});
    change(layer);
    return layer;
  };
  using enum RecurrentCell;
  refused(with(Gru, [](Layer& l) { l.cell = static_cast<RecurrentCell>(9); }), "is unknown");
  refused(with(Gru, [](Layer& l) { l.direction = static_cast<RecurrentDirection>(3); }),
          "is unknown");
  refused(with(Gru, [](Layer& l) { l.clip = -1; }), "clip must be");
  refused(with(Gru, [](Layer& l) { l.clip = std::numeric_limits<float>::quiet_NaN(); }),
          "clip must be");
  refused(with(Gru, [](Layer& l) { l.clip = std::numeric_limits<float>::infinity(); }),
          "clip must be");
  refused(with(Gru, [](Layer& l) { l.activations.assign(2, unary(UnaryFunction::Tanh)); }),
          "2 activations but must have none or 4");
  refused(
      with(Gru, [](Layer& l) { l.activations.assign(4, unary(static_cast<UnaryFunction>(200))); }),
      "is unknown");
  refused(with(Gru,
               [](Layer& l) {
                 l.activations.assign(
                     4, unary(UnaryFunction::Elu, std::numeric_limits<float>::infinity()));
               }),
          "the parameters of Elu");
  refused(with(Gru, [](Layer& l) { l.x = fixed_input(shape_of({3, 4})); }), "must have 3 axes");
  refused(with(Gru,
               [](Layer& l) {
                 l.state_weights = constant(shape_of({2, 15}));
               }),
          "must have 3 axes");
  refused(with(Gru,
               [](Layer& l) {
                 l.state_weights = constant(shape_of({1, 15, 5}));
               }),
          "2 directions of 3 times 5 rows");
  refused(with(Gru,
               [](Layer& l) {
                 l.state_weights = constant(shape_of({2, 15, 6}));
               }),
          "2 directions of 3 times 6 rows");
  refused(with(Gru,
               [](Layer& l) {
                 l.weights = constant(shape_of({2, 15, 5}));
               }),
          "input 1 has shape 2x15x5 but must have 2x15x4");
  refused(with(Gru,
               [](Layer& l) {
                 l.weights = constant(shape_of({2, 16, 4}));
               }),
          "but must have 2x15x4");
  refused(with(Gru,
               [](Layer& l) {
                 l.bias = constant(shape_of({2, 15}));
               }),
          "input 3 has shape 2x15 but must have 2x30");
  refused(with(Gru, [](Layer& l) { l.bias = constant(shape_of({30})); }),
          "input 3 has shape 30 but must have 2x30");
  refused(with(Gru,
               [](Layer& l) {
                 l.lengths = lengths_of({1, 2});
               }),
          "input 4 has shape 2 but must have 3");
  refused(with(Gru, [](Layer& l) { l.lengths = fixed_input(shape_of({3})); }), "wrong type");
  refused(with(Gru,
               [](Layer& l) {
                 l.hidden = fixed_input(shape_of({2, 1, 5}));
               }),
          "input 5 has shape 2x1x5 but must have 2x3x5");
  refused(with(Lstm,
               [](Layer& l) {
                 l.memory = fixed_input(shape_of({1, 3, 5}));
               }),
          "input 6 has shape 1x3x5 but must have 2x3x5");
  refused(with(Lstm,
               [](Layer& l) {
                 l.peepholes = constant(shape_of({2, 20}));
               }),
          "input 7 has shape 2x20 but must have 2x15");
  refused(with(Gru,
               [](Layer& l) {
                 l.memory = fixed_input(shape_of({2, 3, 5}));
               }),
          "for Lstm alone");
  refused(with(Rnn, [](Layer& l) { l.peepholes = peepholes_of(l); }), "for Lstm alone");
  refused(with(Gru, [](Layer& l) { l.x.constant = true, l.x.type = DataType::kFloat16; }),
          "input 0 must be float32");
  check_refused(options_for(with(Gru, [](Layer&) {})), {fixed_input(shape_of({2, 3, 4}))}, {},
                "3 to 8");
}

}  // namespace
}  // namespace figment::testing
