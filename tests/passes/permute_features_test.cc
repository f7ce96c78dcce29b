// Features change their order on both sides of a tensor, or on neither.
#include "converter/passes/permute_features.h"

#include <doctest/doctest.h>

#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;

TEST_CASE("the order in which a Transpose writes") {
  // [N,2,3] read, [N,3,2] written.
  const auto order = feature_order(make_shape({1, 2, 3}), {0, 2, 1}, 1);
  REQUIRE(order.has_value());
  CHECK(*order == FeatureOrder{0, 3, 1, 4, 2, 5});
  CHECK_FALSE(feature_order(make_shape({4, 2, 3}), {1, 0, 2}, 1).has_value());
}

TEST_CASE("which axes a Reshape makes features of") {
  GraphTensor many, one;
  many.shape = make_shape({1, 4, 5, 6});
  many.batch_axis = one.batch_axis = 0;
  one.shape = make_shape({1, 120});
  CHECK(first_of_features(many, one) == 1);
  one.shape = make_shape({1, 4, 30});
  CHECK(first_of_features(many, one) == 2);
  one.shape = make_shape({1, 20, 3, 2});
  CHECK(first_of_features(many, one) == -1);
}

TEST_CASE("what a writer writes and its readers read in another order gives the same") {
  Graph before;
  const TensorId features = dense(before, add_batch_input(before, "x", {1, 4}), 5, 1);
  const TensorId active = unary(before, features, format::UnaryFunction::Relu);
  const TensorId normal = batch_normalization(before, active, 3);
  add_output(before, dense(before, normal, 3, 7));
  const FeatureOrder order{3, 1, 4, 0, 2};
  Graph after = before;
  const Links links = link(after);
  CHECK(permute_at_writer(after, links, active, order));
  CHECK(difference(before, after) > 1e-3);  // the readers still expect the old order
  CHECK(permute_for_readers(after, links, active, order));
  CHECK(difference(before, after) < 1e-5);
}

TEST_CASE("a reader that cannot be told leaves the graph as it was") {
  Graph before;
  const TensorId features = dense(before, add_batch_input(before, "x", {1, 4}), 5, 1);
  add_output(before, dense(before, features, 3, 7));
  add_output(before, before.add_node("softmax", make_options(format::SoftmaxT{{}, 1}), {features}));
  Graph after = before;
  const Links links = link(after);
  CHECK_FALSE(permute_for_readers(after, links, features, {3, 1, 4, 0, 2}));
  CHECK_FALSE(permute_at_writer(after, links, features, {3, 1, 4, 0, 2}));
  CHECK(difference(before, after) == 0.0);
}
