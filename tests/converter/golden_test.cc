// Goldens say what the portable backend gives; a file that the runtime refuses is a ConvertError.
#include "converter/golden.h"

#include <doctest/doctest.h>

#include <cstring>

#include "converter/emit/flatbuffer.h"
#include "runtime/format/sha256.h"

using namespace figment::converter;
namespace format = figment::format;
using figment::DataType;

namespace {

// Shows its inputs: the first twice as large, the second as it is.
Graph two_inputs() {
  Graph graph;
  const TensorId a = graph.add_input("a", DataType::kFloat32, make_shape({1, 20}));
  const TensorId b = graph.add_input("b", DataType::kFloat32, make_shape({1, 3}));
  const TensorId twice = graph.add_node(
      "twice", make_options(format::BinaryT{{}, format::BinaryFunction::Add}), {a, a});
  const TensorId same = graph.add_node("same", make_options(format::UnaryT{}), {b});
  graph.outputs.push_back({"twice", twice, {}});
  graph.outputs.push_back({"same", same, {}});
  return graph;
}

figment::Tensor view(std::vector<float>& values) {
  figment::Tensor tensor;
  tensor.data = values.data();
  tensor.shape.rank = 1;
  tensor.shape[0] = static_cast<std::int32_t>(values.size());
  return tensor;
}

}  // namespace

TEST_CASE("inputs are drawn in order, the digest is over all outputs") {
  ModelFacts facts;
  std::vector<float> a(20), b(3);
  SUBCASE("normal") {
    figment::fill_normal(view(a), 5);
    figment::fill_normal(view(b), 6);
  }
  SUBCASE("uniform") {
    facts.prior = format::PriorT{{}, format::Distribution::Uniform, 20, -3.0f, 2.0f};
    figment::fill_uniform(view(a), 5, -3.0f, 2.0f);
    figment::fill_uniform(view(b), 6, -3.0f, 2.0f);
  }
  const AlignedBytes file(emit(two_inputs(), facts));
  const format::GoldenT golden = make_golden(open_model(file.span()), 5);
  CHECK(golden.seed == 5);
  for (float& value : a) value += value;
  format::Sha256 hash;
  hash.update(std::as_bytes(std::span(a)));
  hash.update(std::as_bytes(std::span(b)));
  const format::Digest digest = hash.finish();
  CHECK(std::memcmp(golden.output_digest.get(), digest.data(), digest.size()) == 0);
  REQUIRE(golden.values.size() == 8);
  for (std::size_t i = 0; i < 8; ++i) CHECK(golden.values[i] == a[i * 20 / 8]);
}

TEST_CASE("what the runtime refuses is said with its sentence and the node's name") {
  Graph graph = two_inputs();
  graph.tensor(graph.nodes[1].output).shape = make_shape({1, 4});
  const AlignedBytes file(emit(graph, {}));
  CHECK_THROWS_WITH_AS(open_model(file.span()), doctest::Contains("node 'same' (Unary): "),
                       ConvertError);
  CHECK_THROWS_WITH_AS(open_model(file.span()), doctest::Contains("1x3"), ConvertError);
}

TEST_CASE("the arena's size is that of batch 1") {
  const AlignedBytes file(emit(two_inputs(), {}));
  CHECK(arena_bytes(open_model(file.span()), figment::Backend::kPortable) >= 4 * (20 + 3 + 20 + 3));
}
