// Attention as exporters write it becomes one operator, and what only looks like it does not.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "converter/passes/passes.h"
#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;
using format::BinaryFunction;

namespace {

TensorId product(Graph& graph, TensorId a, TensorId b) {
  return graph.add_node("product", make_options(format::MatMulT{}), {a, b});
}

TensorId softmax(Graph& graph, TensorId x, int axis) {
  return graph.add_node("softmax", make_options(format::SoftmaxT{{}, axis}), {x});
}

TensorId times(Graph& graph, TensorId x, float number) {
  return binary(graph, x, add_number(graph, number), BinaryFunction::Mul);
}

// Inputs [1,2,5,3], [1,2,7,3] and [1,2,7,4].
struct Sources {
  explicit Sources(Graph& graph)
      : query(add_batch_input(graph, "query", {1, 2, 5, 3})),
        key(add_batch_input(graph, "key", {1, 2, 7, 3})),
        value(add_batch_input(graph, "value", {1, 2, 7, 4})) {}
  TensorId query, key, value;
};

TensorId turned(Graph& graph, TensorId key) { return transpose(graph, key, {0, 1, 3, 2}); }

// Makes one Attention with this scale of `before`, and nothing else but `others` more nodes.
Graph check_recognised(const Graph& before, float scale, std::size_t others = 0) {
  Graph after = before;
  CHECK(recognise_attention(after).changes == 1);
  CHECK(after.nodes.size() == 1 + others);
  REQUIRE(count<format::AttentionT>(after) == 1);
  for (const Node& node : after.nodes)
    if (node.kind() == format::OperatorOptions::Attention)
      CHECK(node.as<format::AttentionT>().scale == doctest::Approx(scale));
  CHECK(difference(before, after) < 1e-5);
  CHECK(recognise_attention(after).changes == 0);
  return after;
}

void check_left_alone(const Graph& before) {
  Graph after = before;
  CHECK(recognise_attention(after).changes == 0);
  CHECK(count<format::AttentionT>(after) == 0);
  CHECK(after.nodes.size() == before.nodes.size());
}

}  // namespace

TEST_CASE("with the scale wherever it stands") {
  Graph before;
  const Sources from(before);
  float scale = 0.25F;
  TensorId query = from.query, key = from.key;
  SUBCASE("nowhere") { scale = 1; }
  SUBCASE("on the query") { query = times(before, query, scale); }
  SUBCASE("on the key") { key = times(before, key, scale); }
  SUBCASE("on both, as square roots") {
    query = times(before, query, 0.5F);
    key = times(before, key, 0.5F);
  }
  TensorId key_turned = turned(before, key);
  SUBCASE("on the transposed key") { key_turned = times(before, key_turned, scale); }
  TensorId scores = product(before, query, key_turned);
  SUBCASE("on the scores") { scores = times(before, scores, scale); }
  SUBCASE("on the scores, from the left") {
    scores = binary(before, add_number(before, scale), scores, BinaryFunction::Mul);
  }
  SUBCASE("as a divisor") {
    scores = binary(before, scores, add_number(before, 4), BinaryFunction::Div);
  }
  SUBCASE("twice") {
    scale = 0.75F;
    scores = times(before, binary(before, scores, add_number(before, 4), BinaryFunction::Div), 3);
  }
  add_output(before, product(before, softmax(before, scores, 3), from.value));
  check_recognised(before, scale);
}

TEST_CASE("with a mask that is added, on either side") {
  for (const std::vector<std::int64_t>& shape :
       std::vector<std::vector<std::int64_t>>{{5, 7}, {7}, {1, 2, 1, 7}, {5, 1}, {2, 5, 7}}) {
    for (const bool left : {false, true}) {
      Graph before;
      const Sources from(before);
      const TensorId scores =
          times(before, product(before, from.query, turned(before, from.key)), 0.5F);
      const TensorId mask = add_some(before, shape, 3);
      const TensorId sum =
          binary(before, left ? mask : scores, left ? scores : mask, BinaryFunction::Add);
      add_output(before, product(before, softmax(before, sum, 3), from.value));
      const Graph after = check_recognised(before, 0.5F);
      CHECK(after.nodes[0].inputs.size() == 4);
    }
  }
}

TEST_CASE("with a computed mask that has the batch") {
  Graph before;
  const Sources from(before);
  const TensorId mask = add_batch_input(before, "mask", {1, 1, 5, 7});
  const TensorId scores = binary(before, product(before, from.query, turned(before, from.key)),
                                 mask, BinaryFunction::Add);
  add_output(before, product(before, softmax(before, scores, 3), from.value));
  check_recognised(before, 1);
}

TEST_CASE("with scores that a Select replaces") {
  for (const float number :
       {-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::lowest(), -1e9F}) {
    for (const bool keeps : {false, true}) {
      Graph before;
      const Sources from(before);
      const TensorId scores = product(before, from.query, turned(before, from.key));
      std::vector<std::int32_t> condition;
      for (int row = 0; row < 5; ++row)
        for (int key = 0; key < 7; ++key) condition.push_back((key <= row) == keeps ? 1 : 0);
      const TensorId chosen = before.add_integers("condition", make_shape({5, 7}), condition);
      const TensorId far = add_number(before, number);
      const TensorId masked = before.add_node("masked", make_options(format::SelectT{}),
                                              {chosen, keeps ? scores : far, keeps ? far : scores});
      add_output(before, product(before, softmax(before, masked, 3), from.value));
      check_recognised(before, 1);
    }
  }
}

TEST_CASE("with a condition that is computed: the Select works on the condition's shape") {
  Graph before;
  const Sources from(before);
  const TensorId lengths = add_batch_input(before, "lengths", {1, 1, 1, 7});
  const TensorId condition = before.add_node(
      "condition", make_options(format::CompareT{{}, format::CompareFunction::Less}),
      {lengths, add_number(before, 0.25F)});
  const TensorId scores = product(before, from.query, turned(before, from.key));
  const TensorId masked = before.add_node("masked", make_options(format::SelectT{}),
                                          {condition, add_number(before, -1e9F), scores});
  add_output(before, product(before, softmax(before, masked, 3), from.value));
  check_recognised(before, 1, 2);
}

TEST_CASE("with heads that are split by Transposes: that of the key is taken back") {
  Graph before;
  const TensorId x = add_batch_input(before, "x", {1, 5, 6});
  const auto heads = [&](int seed, const std::vector<std::int32_t>& permutation) {
    return transpose(before, reshape(before, dense(before, x, 6, seed), {1, 5, 2, 3}), permutation);
  };
  const TensorId query = heads(1, {0, 2, 1, 3});
  const TensorId key = heads(2, {0, 2, 3, 1});
  const TensorId value = heads(3, {0, 2, 1, 3});
  const TensorId scores = times(before, product(before, query, key), 0.5F);
  add_output(before, product(before, softmax(before, scores, 3), value));
  const std::size_t around = before.nodes.size() - 4;
  const Graph after = check_recognised(before, 0.5F, around);
  CHECK(count<format::TransposeT>(after) == 3);
}

TEST_CASE("with a key that comes transposed") {
  Graph before;
  const TensorId query = add_batch_input(before, "query", {1, 5, 3});
  const TensorId key = add_batch_input(before, "key", {1, 3, 7});
  const TensorId value = add_batch_input(before, "value", {1, 7, 4});
  add_output(before, product(before, softmax(before, product(before, query, key), 2), value));
  const Graph after = check_recognised(before, 1, 1);
  CHECK(count<format::TransposeT>(after) == 1);
}

TEST_CASE("every one of a model, with what follows") {
  Graph before;
  const Sources from(before);
  TensorId x = from.query;
  for (int block = 0; block < 3; ++block) {
    const TensorId scores = product(before, x, turned(before, x));
    x = unary(before, product(before, softmax(before, scores, 3), x), format::UnaryFunction::Tanh);
  }
  add_output(before, x);
  Graph after = before;
  CHECK(recognise_attention(after).changes == 3);
  CHECK(after.nodes.size() == 6);
  CHECK(difference(before, after) < 1e-5);
}

TEST_CASE("left alone: what somebody else reads, and other products") {
  Graph before;
  const Sources from(before);
  TensorId scores = product(before, from.query, turned(before, from.key));
  SUBCASE("softmax over another axis") {
    add_output(before, product(before, softmax(before, scores, 2), from.value));
  }
  SUBCASE("the weights are an output") {
    const TensorId weights = softmax(before, scores, 3);
    add_output(before, product(before, weights, from.value));
    add_output(before, weights);
  }
  SUBCASE("the scores are an output") {
    add_output(before, product(before, softmax(before, scores, 3), from.value));
    add_output(before, scores);
  }
  SUBCASE("the scaled scores are read twice") {
    scores = times(before, scores, 0.5F);
    add_output(before, product(before, softmax(before, scores, 3), from.value));
    add_output(before, unary(before, scores, format::UnaryFunction::Tanh));
  }
  SUBCASE("the weights stand on the right") {
    const TensorId other = add_batch_input(before, "other", {1, 2, 4, 5});
    add_output(before, product(before, other, softmax(before, scores, 3)));
  }
  SUBCASE("a value for all heads") {
    const TensorId value = add_batch_input(before, "one", {1, 1, 7, 4});
    add_output(before, product(before, softmax(before, scores, 3), value));
  }
  SUBCASE("a value without the batch") {
    const TensorId value = add_some(before, {1, 2, 7, 4}, 5);
    add_output(before, product(before, softmax(before, scores, 3), value));
  }
  SUBCASE("a factor for each key") {
    scores = binary(before, scores, add_some(before, {7}, 4), BinaryFunction::Mul);
    add_output(before, product(before, softmax(before, scores, 3), from.value));
  }
  SUBCASE("a scale after the mask") {
    scores = binary(before, scores, add_some(before, {7}, 4), BinaryFunction::Add);
    add_output(before,
               product(before, softmax(before, times(before, scores, 0.5F), 3), from.value));
  }
  SUBCASE("a Select of a number that still counts") {
    std::vector<std::int32_t> condition(35, 0);
    condition[3] = 1;
    const TensorId chosen = before.add_integers("condition", make_shape({5, 7}), condition);
    scores = before.add_node("masked", make_options(format::SelectT{}),
                             {chosen, add_number(before, -10), scores});
    add_output(before, product(before, softmax(before, scores, 3), from.value));
  }
  SUBCASE("an activation between") {
    scores = unary(before, scores, format::UnaryFunction::Tanh);
    add_output(before, product(before, softmax(before, scores, 3), from.value));
  }
  check_left_alone(before);
}

TEST_CASE("left alone: a division of a number by the scores") {
  Graph before;
  const Sources from(before);
  const TensorId scores =
      binary(before, add_number(before, 2), product(before, from.query, turned(before, from.key)),
             BinaryFunction::Div);
  add_output(before, product(before, softmax(before, scores, 3), from.value));
  check_left_alone(before);
}
