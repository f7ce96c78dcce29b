// Gradients of matrix products against central differences in double precision.
#include <doctest/doctest.h>

#include "runtime/math/broadcast.h"
#include "tests/train/backward/harness.h"
#include "tests/train/backward/indices.h"

namespace figment::testing {
namespace {

void check_product(std::initializer_list<std::int32_t> a, std::initializer_list<std::int32_t> b) {
  const Shape a_shape = shape_of(a);
  const Shape b_shape = shape_of(b);
  CAPTURE(a_shape.elements());
  CAPTURE(b_shape.elements());
  Shape a_leading = a_shape;
  Shape b_leading = b_shape;
  a_leading.rank -= 2;
  b_leading.rank -= 2;
  Shape y;
  REQUIRE(math::broadcast_shapes(a_leading, b_leading, y));
  const std::int32_t depth = a_shape[a_shape.rank - 1];
  y.dims[y.rank++] = a_shape[a_shape.rank - 2];
  y.dims[y.rank++] = b_shape[b_shape.rank - 1];
  BackwardCase test;
  test.options = options_of(format::MatMulT{});
  test.operands = {random_operand(a, 1), random_operand(b, 2)};
  test.definition = [=](const Doubles& operands) {
    return each_position(y, [&](const Index& index) {
      Index of_a = index;
      Index of_b = index;
      double sum = 0;
      for (std::int32_t k = 0; k < depth; ++k) {
        of_a[index.size() - 1] = k;
        of_b[index.size() - 2] = k;
        sum += operands[0][number_of(a_shape, of_a)] * operands[1][number_of(b_shape, of_b)];
      }
      return sum;
    });
  };
  check_backward(test);
}

TEST_CASE("gradients of matrix products of awkward sizes") {
  for (const std::int32_t m : {1, 5, 17})
    for (const std::int32_t k : {1, 7, 24})
      for (const std::int32_t n : {1, 3, 33}) check_product({m, k}, {k, n});
}

TEST_CASE("gradients of many matrix products, broadcast in every way") {
  check_product({3, 4, 5}, {3, 5, 2});
  check_product({2, 3, 4, 5}, {2, 3, 5, 7});
  check_product({2, 3, 4, 5}, {5, 7});
  check_product({4, 5}, {2, 3, 5, 7});
  check_product({2, 1, 4, 5}, {3, 5, 7});
  check_product({2, 3, 4, 5}, {2, 1, 5, 1});
  check_product({1, 3, 4, 5}, {2, 3, 5, 7});
  check_product({3, 1, 5}, {1, 5, 7});
  check_product({1, 4, 5}, {1, 5, 7});
}

}  // namespace
}  // namespace figment::testing
