// Margins of every kind around tensors of any rank.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "tests/ops/operator_harness.h"
#include "tests/ops/reference.h"

using namespace figment;
using namespace figment::testing;
using format::PadMode;

namespace {

using List = std::vector<std::int32_t>;

format::OperatorOptionsUnion options(PadMode mode, List before, List after, float value = 0) {
  format::PadT table;
  table.mode = mode;
  table.before = std::move(before);
  table.after = std::move(after);
  table.value = value;
  return options_of(table);
}

void check_pad(TestTensor x, PadMode mode, const List& before, const List& after, float value = 0) {
  x.values.clear();
  for (std::int64_t i = 0; i < x.shape.elements(); ++i) {
    x.values.push_back(static_cast<float>(i % 251));
    x.integers.push_back(static_cast<std::int32_t>(i % 251));
  }
  Shape shape = x.shape;
  for (int axis = 0; axis < shape.rank; ++axis)
    shape[axis] += before[static_cast<std::size_t>(axis)] + after[static_cast<std::size_t>(axis)];
  std::vector<double> expected;
  for_each_element(shape, [&](Indices at) {
    bool outside = false;
    for (std::size_t axis = 0; axis < at.size(); ++axis) {
      const int extent = x.shape[static_cast<int>(axis)];
      int source = at[axis] - before[axis];
      if (source < 0 || source >= extent) {
        outside = outside || mode == PadMode::Constant;
        if (mode == PadMode::Reflect) source = source < 0 ? -source : 2 * extent - 2 - source;
        source = std::clamp(source, 0, extent - 1);
      }
      at[axis] = source;
    }
    expected.push_back(outside ? double{value} : x.integers[position_of(x.shape, at)]);
  });
  check_operator(options(mode, before, after, value), {x}, shape, expected, 0);
}

}  // namespace

TEST_CASE("every mode, every axis") {
  for (const PadMode mode : {PadMode::Constant, PadMode::Reflect, PadMode::Edge}) {
    CAPTURE(format::EnumNamePadMode(mode));
    check_pad({.shape = shape_of({2, 3, 5, 4})}, mode, {0, 1, 2, 0}, {0, 2, 1, 0}, 2.5F);
    check_pad({.shape = shape_of({2, 3, 5, 4})}, mode, {1, 0, 4, 3}, {1, 2, 0, 1}, -1);
    check_pad({.shape = shape_of({3, 7})}, mode, {2, 6}, {2, 6});
    check_pad({.shape = shape_of({3, 7})}, mode, {0, 0}, {0, 0});
    check_pad({.shape = shape_of({5})}, mode, {3}, {0});
    check_pad({.shape = shape_of({})}, mode, {}, {});
    check_pad({.shape = shape_of({2, 2, 2, 2, 2, 2, 2, 2})}, mode, {1, 0, 1, 0, 1, 0, 1, 0},
              {0, 1, 0, 1, 0, 1, 0, 1});
  }
  check_pad({.shape = shape_of({1, 1})}, PadMode::Edge, {3, 4}, {5, 6});
  check_pad({.shape = shape_of({1, 2})}, PadMode::Constant, {0, 9}, {3, 40}, 7);
}

TEST_CASE("batch 5") {
  for (const PadMode mode : {PadMode::Constant, PadMode::Reflect, PadMode::Edge})
    check_pad({.shape = shape_of({5, 3, 3, 2}), .batched = true}, mode, {0, 1, 2, 0}, {0, 2, 1, 0},
              2.5F);
}

TEST_CASE("integers and bytes; the constant is what the type can hold") {
  for (const PadMode mode : {PadMode::Constant, PadMode::Reflect, PadMode::Edge}) {
    check_pad({.shape = shape_of({3, 4}), .type = DataType::kInt32}, mode, {1, 2}, {2, 3}, -9);
    check_pad({.shape = shape_of({3, 4}), .type = DataType::kUInt8}, mode, {1, 2}, {2, 3}, 200);
    check_pad({.shape = shape_of({3, 4}), .type = DataType::kInt8}, mode, {1, 2}, {2, 3}, -128);
  }
  const TestTensor whole{.shape = shape_of({1}), .type = DataType::kInt32, .integers = {5}};
  check_operator(options(PadMode::Constant, {1}, {0}, 1e20F), {whole}, shape_of({2}),
                 {2147483647.0, 5}, 0);
  const TestTensor byte{.shape = shape_of({1}), .values = {5}, .type = DataType::kUInt8};
  check_operator(options(PadMode::Constant, {1}, {0}, -4), {byte}, shape_of({2}), {0, 5}, 0);
}

TEST_CASE("an infinite constant, as a maximum pool wants it") {
  const float low = -std::numeric_limits<float>::infinity();
  check_operator(options(PadMode::Constant, {1}, {1}, low),
                 {{.shape = shape_of({1}), .values = {5}}}, shape_of({3}), {low, 5, low}, 0);
}

TEST_CASE("what a damaged file may say is refused") {
  const TestTensor x{.shape = shape_of({2, 3}), .values = random_values(6, 7)};
  check_refused(options(PadMode::Constant, {0}, {0, 0}), {x}, {}, "padding before has 1 entries");
  check_refused(options(PadMode::Constant, {0, 0}, {}), {x}, {}, "padding after has 0 entries");
  check_refused(options(PadMode::Constant, {-1, 0}, {0, 0}), {x}, {}, "a padding is -1");
  check_refused(options(PadMode::Constant, {0, 0}, {0, -3}), {x}, {}, "a padding is -3");
  check_refused(options(PadMode::Reflect, {2, 0}, {0, 0}), {x}, {}, "a padding is 2");
  check_refused(options(PadMode::Reflect, {0, 0}, {0, 3}), {x}, {}, "a padding is 3");
  check_refused(options(static_cast<PadMode>(3), {0, 0}, {0, 0}), {x}, {}, "padding mode 3");
  check_refused(options(PadMode::Edge, {INT32_MAX, 0}, {INT32_MAX, 0}), {x}, {}, "a padded extent");
  check_refused(options(PadMode::Constant, {100000, 100000}, {0, 0}), {x}, {}, "too large");
}
