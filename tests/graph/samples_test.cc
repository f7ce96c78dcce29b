// Which graphs keep the samples of a batch apart, and which may run them in parts.
#include <doctest/doctest.h>

#include "converter/graph/samples.h"

namespace figment::converter {
namespace {

// A graph of one input [1, 4, 6], whose batch is `axis`.
struct Sequences {
  Graph graph;
  TensorId x;
  explicit Sequences(int axis = 0) {
    graph.any_batch = true;
    std::vector<std::int64_t> extents{4, 4, 6};
    extents[static_cast<std::size_t>(axis)] = 1;
    x = graph.add_input("x", DataType::kFloat32, make_shape(extents));
    graph.tensor(x).batch_axis = axis;
  }
  // Appends a node of x, whose output is the graph's.
  template <typename Options>
  Graph& then(Options options, std::vector<TensorId> further = {}) {
    std::vector<TensorId> inputs{x};
    inputs.insert(inputs.end(), further.begin(), further.end());
    graph.outputs = {{"y", graph.add_node("y", make_options(std::move(options)), inputs), {}}};
    return graph;
  }
};

template <typename Options>
Options along(int axis) {
  Options options;
  options.axis = axis;
  return options;
}

}  // namespace

TEST_CASE("an operator along the samples' axis lets them meet, along another it does not") {
  CHECK(widest_sample(Sequences().then(along<format::SoftmaxT>(2))) > 0);
  CHECK(widest_sample(Sequences().then(along<format::SoftmaxT>(0))) == 0);
  CHECK(widest_sample(Sequences().then(along<format::LogSoftmaxT>(1))) > 0);
  CHECK(widest_sample(Sequences().then(along<format::LogSoftmaxT>(0))) == 0);
  CHECK(widest_sample(Sequences().then(along<format::CumulativeSumT>(1))) > 0);
  CHECK(widest_sample(Sequences().then(along<format::CumulativeSumT>(0))) == 0);
}

TEST_CASE("the widest operator counts what grows with the batch, read and written") {
  Sequences sequences;
  const auto constant = sequences.graph.add_floats("c", make_shape({6}), std::vector<float>(6, 1));
  format::BinaryT multiply;
  multiply.function = format::BinaryFunction::Mul;
  CHECK(widest_sample(sequences.then(multiply, {constant})) == 2 * 24 * sizeof(float));
  format::ReduceT over;
  over.axes = {1, 2};
  CHECK(widest_sample(Sequences().then(over)) == (24 + 1) * sizeof(float));
}

TEST_CASE("a mean over the samples lets them meet") {
  format::ReduceT over;
  over.keep_axes = true;
  over.axes = {1, 2};
  CHECK(widest_sample(Sequences().then(over)) > 0);
  over.axes = {0};
  CHECK(widest_sample(Sequences().then(over)) == 0);
  over.axes = {};  // all
  CHECK(widest_sample(Sequences().then(over)) == 0);
}

TEST_CASE("attention lets positions meet, not sequences") {
  Sequences by_sequence;
  CHECK(widest_sample(by_sequence.then(format::AttentionT{}, {by_sequence.x, by_sequence.x})) > 0);
  Sequences by_position(1);
  Graph& graph = by_position.then(format::AttentionT{}, {by_position.x, by_position.x});
  CHECK_FALSE(keeps_samples_apart(graph));
}

TEST_CASE("samples that do not stand one after another stay together") {
  format::UnaryT negate;
  negate.function = format::UnaryFunction::Neg;
  Sequences inner(1);
  CHECK(keeps_samples_apart(inner.then(negate)));
  CHECK(widest_sample(inner.graph) == 0);
  Sequences outer;
  CHECK(widest_sample(outer.then(negate)) > 0);
  outer.graph.any_batch = false;
  CHECK(widest_sample(outer.graph) == 0);
}

TEST_CASE("noise that all samples share keeps them together") {
  for (const bool shared : {false, true}) {
    Sequences sequences;
    Graph& graph = sequences.graph;
    const TensorId noise =
        graph.add_node("noise", make_options(format::RandomNormalT{}), {}, make_shape({1, 4, 6}));
    graph.tensor(noise).batch_axis = shared ? -1 : 0;
    CHECK((widest_sample(sequences.then(format::BinaryT{}, {noise})) > 0) == !shared);
  }
}

}  // namespace figment::converter
