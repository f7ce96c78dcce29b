// Attention on both backends against the definition in double precision, and its refusals.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/ops/operands.h"
#include "tests/ops/reference.h"

namespace figment::testing {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

format::OperatorOptionsUnion options(float scale = 1) {
  return options_of(format::AttentionT{{}, scale});
}

struct Operands {
  std::vector<TestTensor> tensors;  // query, key, value, perhaps mask
  float scale = 1;
};

// Query, key and value with these leading extents; the first axis is the batch.
Operands operands(std::vector<std::int32_t> leading, int rows, int keys, int depth, int width) {
  const auto operand = [&](int before_last, int last, std::uint32_t seed) {
    Shape shape;
    for (const std::int32_t extent : leading) shape[shape.rank++] = extent;
    shape[shape.rank++] = before_last;
    shape[shape.rank++] = last;
    TestTensor tensor = leading.empty() ? fixed_input(shape, seed) : batched_input(shape, seed);
    for (float& number : tensor.values) number *= 2;
    return tensor;
  };
  return {{operand(rows, depth, 1), operand(keys, depth, 2), operand(keys, width, 3)},
          1 / std::sqrt(static_cast<float>(depth))};
}

Shape output_shape(const Operands& given) {
  Shape shape = given.tensors[0].shape;
  shape[shape.rank - 1] = given.tensors[2].shape[shape.rank - 1];
  return shape;
}

std::vector<double> reference(const Operands& given) {
  const TestTensor& query = given.tensors[0];
  const TestTensor& key = given.tensors[1];
  const TestTensor& value = given.tensors[2];
  const int rank = query.shape.rank;
  const int depth = query.shape[rank - 1];
  const int keys = key.shape[rank - 2];
  const int width = value.shape[rank - 1];
  Shape rows = query.shape;
  rows[rank - 1] = 1;
  std::vector<double> result;
  for_each_element(rows, [&](const Indices& row) {
    const auto number = [&](const TestTensor& tensor, int before_last, int last) {
      Indices at = row;
      at[static_cast<std::size_t>(rank - 2)] = before_last;
      at[static_cast<std::size_t>(rank - 1)] = last;
      return double{tensor.values[position_of(tensor.shape, at)]};
    };
    std::vector<double> weights;
    double highest = -HUGE_VAL;
    for (int k = 0; k < keys; ++k) {
      double score = 0;
      for (int d = 0; d < depth; ++d)
        score += number(query, row[static_cast<std::size_t>(rank - 2)], d) * number(key, k, d);
      score *= double{given.scale};
      if (given.tensors.size() > 3) {
        Indices at = row;
        at.back() = k;
        score += double{given.tensors[3].values[broadcast_position(given.tensors[3].shape, at)]};
      }
      highest = std::fmax(highest, score);
      weights.push_back(score);
    }
    double sum = 0;
    for (double& weight : weights) sum += weight = std::exp(weight - highest);
    for (int e = 0; e < width; ++e) {
      double gathered = 0;
      for (int k = 0; k < keys; ++k)
        gathered += weights[static_cast<std::size_t>(k)] / sum * number(value, k, e);
      result.push_back(gathered);
    }
  });
  return result;
}

void check_attention(const Operands& given) {
  CAPTURE(given.tensors[0].shape.elements());
  CAPTURE(given.tensors[1].shape.elements());
  check_operator(options(given.scale), given.tensors, output_shape(given), reference(given));
}

}  // namespace

TEST_CASE("attention of awkward sizes, two to four axes, batch 1 and 5") {
  for (const int rows : {1, 7, 33})
    for (const int keys : {1, 5, 17, 65})
      for (const int depth : {1, 3, 8, 19})
        for (const int width : {1, 7, 16, 33})
          check_attention(operands({}, rows, keys, depth, width));
  for (const int batch : {1, 5}) {
    check_attention(operands({batch}, 9, 13, 7, 5));
    check_attention(operands({batch, 3}, 11, 6, 17, 9));
  }
  check_attention(operands({2, 2, 3}, 5, 7, 3, 2));
}

TEST_CASE("more rows and heads than one block holds") {
  check_attention(operands({2}, 701, 1003, 5, 3));  // rows in blocks, the last one smaller
  check_attention(operands({7}, 131, 415, 3, 17));  // a few heads in a block, the last one smaller
  check_attention(operands({}, 3, 600001, 1, 1));   // long rows
}

TEST_CASE("an activation after it, and without a scale") {
  Operands given = operands({2}, 9, 13, 7, 5);
  given.scale = 1;
  check_attention(given);
  check_operator(options(), given.tensors, output_shape(given), leaky_relu_of(reference(given)),
                 1e-5, leaky_relu());
}

TEST_CASE("masks of several shapes, constant and computed") {
  for (const bool is_constant : {false, true})
    for (const Shape& shape : {shape_of({11, 6}), shape_of({6}), shape_of({11, 1}),
                               shape_of({3, 1, 6}), shape_of({1, 3, 11, 1}), Shape{}}) {
      Operands given = operands({5, 3}, 11, 6, 17, 9);
      given.tensors.push_back(is_constant ? constant(shape, 4) : fixed_input(shape, 4));
      check_attention(given);
    }
  for (const Shape& shape : {shape_of({5, 3, 11, 6}), shape_of({5, 1, 1, 6})}) {
    Operands given = operands({5, 3}, 11, 6, 17, 9);
    given.tensors.push_back(batched_input(shape, 4));
    check_attention(given);
  }
  // Rows in blocks take the mask's rows along.
  Operands given = operands({2}, 701, 1003, 5, 3);
  given.tensors.push_back(constant(shape_of({701, 1003}), 4));
  check_attention(given);
}

TEST_CASE("a causal mask of -infinity") {
  for (const int length : {7, 64, 301}) {
    Operands given = operands({3}, length, length, 5, 9);
    TestTensor mask = constant(shape_of({length, length}));
    for (int row = 0; row < length; ++row)
      for (int key = 0; key < length; ++key)
        mask.values[static_cast<std::size_t>(row) * static_cast<std::size_t>(length) +
                    static_cast<std::size_t>(key)] = key > row ? -kInfinity : 0;
    given.tensors.push_back(mask);
    check_attention(given);
  }
}

TEST_CASE("a row without any key is NaN, as its softmax is; others are not") {
  Operands given = operands({}, 5, 19, 3, 7);
  TestTensor mask = constant(shape_of({5, 1}));
  mask.values = {0, -kInfinity, -1, 0, 3};
  given.tensors.push_back(mask);
  std::vector<double> expected = reference(given);
  std::fill(expected.begin() + 7, expected.begin() + 14, double{kNaN});
  check_operator(options(given.scale), given.tensors, shape_of({5, 7}), expected);
}

TEST_CASE("a NaN stays in its row of the query, and in its column of the value") {
  Operands given = operands({}, 5, 19, 3, 7);
  std::vector<double> expected = reference(given);
  SUBCASE("query") {
    given.tensors[0].values[2 * 3] = kNaN;
    std::fill(expected.begin() + 14, expected.begin() + 21, double{kNaN});
  }
  SUBCASE("value") {
    given.tensors[2].values[7 + 2] = kNaN;
    for (std::size_t row = 0; row < 5; ++row) expected[row * 7 + 2] = double{kNaN};
  }
  check_operator(options(given.scale), given.tensors, shape_of({5, 7}), expected);
}

TEST_CASE("scores far from 0") {
  Operands given = operands({2}, 5, 19, 3, 7);
  given.scale = 1000;
  check_operator(options(given.scale), given.tensors, output_shape(given), reference(given), 1e-3);
}

TEST_CASE("attentions that are refused") {
  const Operands good = operands({2, 3}, 5, 19, 3, 7);
  const auto refused = [&](std::size_t index, const Shape& shape, const char* words) {
    std::vector<TestTensor> tensors = good.tensors;
    tensors.resize(std::max(tensors.size(), index + 1));
    tensors[index] = fixed_input(shape);
    for (TestTensor& tensor : tensors) tensor.batched = false;
    check_refused(options(), tensors, {}, words);
  };
  refused(0, shape_of({3, 5, 3}), "the same number of axes");
  refused(1, shape_of({3}), "the same number of axes");
  refused(2, shape_of({19, 7}), "the same number of axes");
  refused(1, shape_of({2, 1, 19, 3}), "all axes but the last two");
  refused(2, shape_of({4, 3, 19, 7}), "all axes but the last two");
  refused(1, shape_of({2, 3, 19, 4}), "query and key");
  refused(2, shape_of({2, 3, 18, 7}), "key and value");
  refused(3, shape_of({18}), "must broadcast");
  refused(3, shape_of({1, 2, 3, 5, 19}), "must broadcast");
  refused(3, shape_of({4, 1, 5, 19}), "must broadcast");
  check_refused(
      options(),
      {fixed_input(shape_of({5})), fixed_input(shape_of({5})), fixed_input(shape_of({5}))}, {},
      "at least two");
  for (const float scale : {kNaN, kInfinity, -kInfinity})
    check_refused(options(scale), good.tensors, {}, "no finite number");
  for (std::size_t index : {0, 1, 2}) {
    std::vector<TestTensor> tensors = good.tensors;
    tensors[index] = constant(tensors[index].shape, 2, DataType::kFloat16);
    tensors[index].batched = false;
    for (TestTensor& tensor : tensors) tensor.batched = false;
    check_refused(options(), tensors, {}, "must be float32");
  }
}

}  // namespace figment::testing
