// Gradients of attention, with masks that repeat in every way.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/train/backward/room_run.h"

namespace figment::testing {
namespace {

constexpr float kScale = 0.7F;

struct Sizes {
  std::int32_t heads, rows, keys, depth, width;
};

// `mask`: [heads or 1, rows or 1, keys or 1], or absent.
BackwardCase make_case(const Sizes& sizes, const Operand& mask) {
  format::AttentionT table;
  table.scale = kScale;
  BackwardCase test;
  test.options = options_of(std::move(table));
  test.operands = {random_operand({sizes.heads, sizes.rows, sizes.depth}, 1),
                   random_operand({sizes.heads, sizes.keys, sizes.depth}, 2),
                   random_operand({sizes.heads, sizes.keys, sizes.width}, 3), mask};
  const Shape shape = mask.shape;
  test.definition = [=](const Doubles& operands) {
    std::vector<double> y;
    const auto at = [](std::int64_t a, std::int64_t b, std::int64_t columns) {
      return static_cast<std::size_t>(a * columns + b);
    };
    for (std::int64_t head = 0; head < sizes.heads; ++head)
      for (std::int64_t row = 0; row < sizes.rows; ++row) {
        std::vector<double> scores;
        for (std::int64_t key = 0; key < sizes.keys; ++key) {
          double score = 0;
          for (std::int64_t i = 0; i < sizes.depth; ++i)
            score += operands[0][at(head * sizes.rows + row, i, sizes.depth)] *
                     operands[1][at(head * sizes.keys + key, i, sizes.depth)];
          score *= double{kScale};
          if (shape.rank > 0)
            score += operands[3][static_cast<std::size_t>(
                ((shape[0] > 1 ? head : 0) * shape[1] + (shape[1] > 1 ? row : 0)) * shape[2] +
                (shape[2] > 1 ? key : 0))];
          scores.push_back(score);
        }
        const double most = *std::max_element(scores.begin(), scores.end());
        double sum = 0;
        for (double& score : scores) sum += score = std::exp(score - most);
        for (std::int64_t i = 0; i < sizes.width; ++i) {
          double value = 0;
          for (std::int64_t key = 0; key < sizes.keys; ++key)
            value += scores[static_cast<std::size_t>(key)] / sum *
                     operands[2][at(head * sizes.keys + key, i, sizes.width)];
          y.push_back(value);
        }
      }
    return y;
  };
  return test;
}

TEST_CASE("gradients of attention of awkward sizes") {
  for (const std::int32_t heads : {1, 3})
    for (const std::int32_t rows : {1, 7})
      for (const std::int32_t keys : {1, 5, 19})
        for (const std::int32_t depth : {1, 6})
          check_backward(make_case({heads, rows, keys, depth, 11 - depth}, no_operand()));
}

TEST_CASE("gradients of attention with a mask") {
  const Sizes sizes{2, 4, 5, 3, 6};
  for (const std::int32_t heads : {1, 2})
    for (const std::int32_t rows : {1, 4})
      for (const std::int32_t keys : {1, 5})
        check_backward(make_case(sizes, random_operand({heads, rows, keys}, 4, -3, 3)));
}

TEST_CASE("what a mask forbids has no part in the gradients") {
  Operand mask = random_operand({1, 4, 4}, 4);
  for (std::size_t i = 0; i < 16; ++i)
    mask.values[i] = i % 4 > i / 4 ? -std::numeric_limits<float>::infinity() : 0.0F;
  check_backward(make_case({2, 4, 4, 3, 5}, mask));
}

TEST_CASE("gradients of attention over more rows than are held at a time") {
  check_backward(make_case({1, 70, 18, 2, 3}, no_operand()));
  check_backward(make_case({2, 65, 4, 2, 1}, random_operand({1, 65, 1}, 4)));
}

TEST_CASE("attention where threads share the work") {
  check_threads(make_case({3, 70, 100, 8, 12}, no_operand()));
  check_threads(make_case({1, 140, 150, 8, 12}, no_operand()));
}

TEST_CASE("attention gives PyTorch's gradients") {
  const Goldens goldens("norm_attention");
  format::AttentionT table;
  table.scale = 0.5F;
  BackwardCase test;
  test.options = options_of(std::move(table));
  test.operands = {goldens.at("query"), goldens.at("key"), goldens.at("value"), goldens.at("mask")};
  RoomRun run(test);
  run.forward();
  goldens.check("y", run.output());
  run.backward(goldens.at("dy").values);
  goldens.check("dquery", run.gradient(0));
  goldens.check("dkey", run.gradient(1));
  goldens.check("dvalue", run.gradient(2));
}

}  // namespace
}  // namespace figment::testing
