// Permutations of axes.
#include "converter/passes/permutation.h"

#include <doctest/doctest.h>

using namespace figment::converter;

TEST_CASE("inverse and composition") {
  const Permutation one{2, 0, 3, 1}, two{1, 3, 0, 2};
  CHECK(is_identity(compose(one, inverse(one))));
  CHECK(is_identity(compose(inverse(one), one)));
  CHECK_FALSE(is_identity(one));
  // Axis i of the result is axis one[two[i]] of the first.
  CHECK(compose(one, two) == Permutation{0, 1, 2, 3});
  CHECK(compose(two, two) == Permutation{3, 2, 1, 0});
  CHECK(channels_to_last(4) == Permutation{0, 2, 3, 1});
  CHECK(channels_to_last(2) == Permutation{0, 1});
}

TEST_CASE("what moves nothing") {
  CHECK(moves_nothing({0, 2, 3, 1}, {5, 7, 1, 1}));
  CHECK(moves_nothing({0, 2, 3, 1}, {5, 1, 7, 6}));
  CHECK_FALSE(moves_nothing({0, 2, 3, 1}, {5, 2, 7, 1}));
  CHECK(moves_nothing({1, 0}, {1, 9}));
}

TEST_CASE("constants and tensors are permuted alike") {
  Graph graph;
  const TensorId id = graph.add_integers("c", make_shape({2, 3}), {1, 2, 3, 4, 5, 6});
  const GraphTensor& turned = graph.tensor(permute_constant(graph, id, {1, 0}));
  CHECK(turned.shape == make_shape({3, 2}));
  const std::vector<std::int32_t> values(turned.integers(), turned.integers() + 6);
  CHECK(values == std::vector<std::int32_t>{1, 4, 2, 5, 3, 6});

  GraphTensor activation;
  activation.shape = make_shape({1, 3, 4, 5});
  activation.batch_axis = 0;
  CHECK(permuted(activation, {3, 0, 1, 2}).shape == make_shape({5, 1, 3, 4}));
  CHECK(permuted(activation, {3, 0, 1, 2}).batch_axis == 1);
}
