// Words for operators and numbers.
#include "targets/host/describe.h"

#include <doctest/doctest.h>

#include "tests/host/small_model.h"

namespace figment::host {

TEST_CASE("numbers") {
  CHECK(with_commas(0) == "0");
  CHECK(with_commas(999) == "999");
  CHECK(with_commas(1000) == "1,000");
  CHECK(with_commas(1234567) == "1,234,567");
  CHECK(number_text(0.2F) == "0.2");
  CHECK(number_text(-1) == "-1");
  CHECK(number_text(1e-5F) == "1e-05");
}

TEST_CASE("operators of a model") {
  const testing::SmallModel small;
  const format::Model& root = small.model.root();
  CHECK(operators_used(root) == std::vector<std::string>{"Dense", "Binary", "Unary:Relu"});
  const format::Operator& dense = *root.operators()->Get(0);
  CHECK(operator_kind(dense) == "Dense");
  CHECK(operator_detail(root, dense).empty());
  CHECK(weights_text(root, dense) == "4x4 + 4");
  CHECK(tensor_shape_text(root, dense.outputs()->Get(0)) == "Nx4");
  CHECK(operator_detail(root, *root.operators()->Get(1)) == "Relu");
  CHECK(operator_detail(root, *root.operators()->Get(2)) == "Add");
  CHECK(weights_text(root, *root.operators()->Get(2)).empty());
  CHECK(model_kind_text(small.model) == "other");
  CHECK(activation_text(nullptr).empty());
}

TEST_CASE("hashes") {
  CHECK(hash_text(nullptr).empty());
  const testing::SmallModel small;
  CHECK(hash_text(small.model.root().content_hash()).size() == 64);
}

}  // namespace figment::host
