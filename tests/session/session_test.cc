// Sessions as a user meets them: batches, seeds, observers, repeated runs, wrong options.
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "converter/emit/flatbuffer.h"
#include "converter/graph/graph.h"
#include "tests/support/loaded_model.h"

namespace figment::testing {
namespace {

using converter::Graph;
using converter::make_options;
using converter::make_shape;

// x [1, 8] -> dense 8 -> 6 with ReLU -> two readers -> sum; the input, a branch and an in-place
// chain in one.
std::vector<std::byte> branching_model() {
  Graph graph;
  graph.name = "branches";
  graph.any_batch = true;
  const auto x = graph.add_input("x", DataType::kFloat32, make_shape({1, 8}));
  graph.tensor(x).batch_axis = 0;
  std::vector<float> weights(48);
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i] = static_cast<float>(static_cast<int>(i % 7) - 3) / 4;
  const auto w = graph.add_floats("w", make_shape({6, 8}), weights);
  const auto h = graph.add_node("h", make_options(format::DenseT{}), {x, w});
  format::UnaryT relu;
  relu.function = format::UnaryFunction::Relu;
  graph.nodes.back().activation = relu;
  format::UnaryT negate;
  negate.function = format::UnaryFunction::Neg;
  const auto n = graph.add_node("n", make_options(negate), {h});
  format::BinaryT multiply;
  multiply.function = format::BinaryFunction::Mul;
  const auto y = graph.add_node("y", make_options(multiply), {n, h});
  graph.outputs.push_back({"y", y, {}});
  graph.outputs.push_back({"h", h, {}});
  return emit(graph, {});
}

// y = x + noise.
std::vector<std::byte> noisy_model() {
  Graph graph;
  graph.any_batch = true;
  const auto x = graph.add_input("x", DataType::kFloat32, make_shape({1, 16}));
  graph.tensor(x).batch_axis = 0;
  format::RandomNormalT random;
  random.seed = 5;
  const auto noise = graph.add_node("noise", make_options(random), {}, make_shape({1, 16}));
  graph.tensor(noise).batch_axis = 0;
  format::BinaryT add;
  add.function = format::BinaryFunction::Add;
  const auto y = graph.add_node("y", make_options(add), {x, noise});
  graph.outputs.push_back({"y", y, {}});
  return emit(graph, {});
}

}  // namespace

TEST_CASE("branches, in-place steps and two outputs give the right numbers on both backends") {
  const AlignedMemory file = align_bytes(branching_model());
  const auto model = Model::open(file.span());
  REQUIRE_MESSAGE(model.ok(), std::string(model.status().message()));
  for (const Backend backend : {Backend::kPortable, Backend::kXnnpack}) {
    RunningSession running(*model, {.batch = 2, .backend = backend});
    const std::span<float> x = running.session.input(0).values();
    REQUIRE(x.size() == 16);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) - 7;
    for (int round = 0; round < 2; ++round) {  // inputs keep their values over a run
      REQUIRE(running.session.run().ok());
      for (std::size_t row = 0; row < 2; ++row) {
        for (std::size_t j = 0; j < 6; ++j) {
          float h = 0;
          for (std::size_t k = 0; k < 8; ++k)
            h += static_cast<float>(static_cast<int>((j * 8 + k) % 7) - 3) / 4 *
                 (static_cast<float>(row * 8 + k) - 7);
          h = std::max(h, 0.0f);
          CHECK(running.session.output(1).values()[row * 6 + j] == doctest::Approx(h));
          CHECK(running.session.output(0).values()[row * 6 + j] == doctest::Approx(-h * h));
        }
      }
    }
  }
}

TEST_CASE("an output may be a constant of the file") {
  Graph graph;
  graph.any_batch = true;
  const auto x = graph.add_input("x", DataType::kFloat32, make_shape({1, 2}));
  graph.tensor(x).batch_axis = 0;
  format::UnaryT negate;
  negate.function = format::UnaryFunction::Neg;
  graph.outputs.push_back({"y", graph.add_node("y", make_options(negate), {x}), {}});
  graph.outputs.push_back({"shape", graph.add_integers("shape", make_shape({2}), {7, 9}), {}});
  const AlignedMemory file = align_bytes(emit(graph, {}));
  const auto model = Model::open(file.span());
  REQUIRE_MESSAGE(model.ok(), std::string(model.status().message()));
  RunningSession running(*model, {.batch = 3});
  REQUIRE(running.session.run().ok());
  const Tensor shape = running.session.output(1);
  CHECK(shape.constant);
  CHECK(shape.elements() == 2);
  CHECK(shape.integers()[1] == 9);
  CHECK(running.session.output(0).elements() == 6);
}

TEST_CASE("the noise seed decides what a noise operator draws") {
  const AlignedMemory file = align_bytes(noisy_model());
  const auto model = Model::open(file.span());
  REQUIRE_MESSAGE(model.ok(), std::string(model.status().message()));
  RunningSession running(*model, {.noise_seed = 3});
  const auto draw = [&] {
    REQUIRE(running.session.run().ok());
    const std::span<float> y = running.session.output(0).values();
    return std::vector<float>(y.begin(), y.end());
  };
  const auto first = draw();
  CHECK(draw() == first);
  running.session.set_noise_seed(4);
  CHECK(draw() != first);
  running.session.set_noise_seed(3);
  CHECK(draw() == first);
}

TEST_CASE("the observer is told of every operator, in order, before and after") {
  const AlignedMemory file = align_bytes(branching_model());
  const auto model = Model::open(file.span());
  REQUIRE(model.ok());
  for (const Backend backend : {Backend::kPortable, Backend::kXnnpack}) {
    std::vector<std::pair<int, bool>> events;
    Options options{.backend = backend};
    options.observer = [](void* context, const OperatorEvent& event) {
      static_cast<std::vector<std::pair<int, bool>>*>(context)->emplace_back(event.index,
                                                                             event.finished);
    };
    options.observer_context = &events;
    RunningSession running(*model, options);
    REQUIRE(running.session.run().ok());
    const std::vector<std::pair<int, bool>> expected{{0, false}, {0, true},  {1, false},
                                                     {1, true},  {2, false}, {2, true}};
    CHECK(events == expected);
    CHECK(running.session.operator_report(0).kind == "Dense");
    CHECK(running.session.operator_report(0).name == "h");
    CHECK(running.session.operator_report(0).multiply_adds == 48);
    if (backend == Backend::kPortable)
      CHECK(running.session.operator_report(0).lowering == "portable");
  }
}

TEST_CASE("wrong options are refused") {
  const AlignedMemory file = align_bytes(branching_model());
  const auto model = Model::open(file.span());
  REQUIRE(model.ok());
  CHECK(Session::arena_bytes(*model, {.batch = 0}).status().code == ErrorCode::kBadArgument);
  CHECK(Session::arena_bytes(*model, {.batch = -5}).status().code == ErrorCode::kBadArgument);
  CHECK(Session::arena_bytes(*model, {.batch = 1 << 30}).status().code == ErrorCode::kBadArgument);
}

TEST_CASE("two sessions of one model do not disturb each other") {
  const AlignedMemory file = align_bytes(branching_model());
  const auto model = Model::open(file.span());
  REQUIRE(model.ok());
  RunningSession a(*model, {});
  RunningSession b(*model, {});
  fill_normal(a.session.input(0), 1);
  fill_normal(b.session.input(0), 2);
  REQUIRE(a.session.run().ok());
  const std::span<float> y = a.session.output(0).values();
  const std::vector<float> before(y.begin(), y.end());
  REQUIRE(b.session.run().ok());
  CHECK(std::equal(before.begin(), before.end(), y.begin()));
  CHECK_FALSE(std::equal(before.begin(), before.end(), b.session.output(0).values().begin()));
}

}  // namespace figment::testing
