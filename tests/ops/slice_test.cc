// Parts of tensors, forward and backward.
#include <doctest/doctest.h>

#include "tests/ops/operator_harness.h"
#include "tests/ops/reference.h"

using namespace figment;
using namespace figment::testing;

namespace {

using List = std::vector<std::int32_t>;

format::OperatorOptionsUnion options(List starts, List sizes, List steps) {
  format::SliceT table;
  table.starts = std::move(starts);
  table.sizes = std::move(sizes);
  table.steps = std::move(steps);
  return options_of(table);
}

// `shape`: what must come out.
void check_slice(TestTensor x, const List& starts, const List& sizes, const List& steps,
                 const Shape& shape) {
  for (std::int64_t i = 0; i < x.shape.elements(); ++i) {
    x.values.push_back(static_cast<float>(i % 251));
    x.integers.push_back(static_cast<std::int32_t>(i % 251));
  }
  std::vector<double> expected;
  for_each_element(shape, [&](Indices at) {
    for (std::size_t axis = 0; axis < at.size(); ++axis)
      at[axis] = starts[axis] + at[axis] * steps[axis];
    expected.push_back(x.integers[position_of(x.shape, at)]);
  });
  check_operator(options(starts, sizes, steps), {x}, shape, expected, 0);
}

const Shape kShape = shape_of({3, 5, 7});

}  // namespace

TEST_CASE("forward, backward, apart, to the end") {
  check_slice({.shape = kShape}, {0, 0, 0}, {3, 5, 7}, {1, 1, 1}, kShape);
  check_slice({.shape = kShape}, {0, 0, 0}, {-1, -1, -1}, {1, 1, 1}, kShape);
  check_slice({.shape = kShape}, {1, 2, 3}, {2, 1, 4}, {1, 1, 1}, shape_of({2, 1, 4}));
  check_slice({.shape = kShape}, {0, 1, 0}, {-1, 2, -1}, {1, 1, 1}, shape_of({3, 2, 7}));
  check_slice({.shape = kShape}, {0, 1, 1}, {-1, -1, -1}, {2, 3, 4}, shape_of({2, 2, 2}));
  check_slice({.shape = kShape}, {2, 4, 6}, {-1, -1, -1}, {-1, -1, -1}, kShape);
  check_slice({.shape = kShape}, {2, 3, 6}, {-1, 2, -1}, {-2, -1, -3}, shape_of({2, 2, 3}));
  check_slice({.shape = kShape}, {0, 4, 0}, {-1, 1, 3}, {1, 1, 3}, shape_of({3, 1, 3}));
  check_slice({.shape = kShape}, {1, 1, 1}, {1, 1, 1}, {INT32_MAX, INT32_MIN, -5},
              shape_of({1, 1, 1}));
  check_slice({.shape = shape_of({})}, {}, {}, {}, shape_of({}));
  check_slice({.shape = shape_of({2, 2, 2, 3, 2, 2, 2, 3})}, {1, 0, 1, 0, 1, 0, 1, 2}, List(8, -1),
              {-1, 1, -1, 2, 1, 1, -1, -2}, shape_of({2, 2, 2, 2, 1, 2, 2, 2}));
}

TEST_CASE("a batch of 5 is taken whole by size -1") {
  check_slice({.shape = shape_of({5, 4, 3}), .batched = true}, {0, 1, 2}, {-1, 2, -1}, {1, 2, -1},
              shape_of({5, 2, 3}));
}

TEST_CASE("integers and bytes") {
  check_slice({.shape = kShape, .type = DataType::kInt32}, {2, 0, 5}, {-1, -1, 2}, {-1, 2, -3},
              shape_of({3, 3, 2}));
  check_slice({.shape = kShape, .type = DataType::kUInt8}, {2, 0, 5}, {-1, -1, 2}, {-1, 2, -3},
              shape_of({3, 3, 2}));
  check_slice({.shape = kShape, .type = DataType::kInt8}, {2, 0, 5}, {-1, -1, 2}, {-1, 2, -3},
              shape_of({3, 3, 2}));
}

TEST_CASE("what a damaged file may say is refused") {
  const TestTensor x{.shape = shape_of({2, 3}), .values = random_values(6, 7)};
  check_refused(options({0}, {1, 1}, {1, 1}), {x}, {}, "list of starts has 1 entries");
  check_refused(options({0, 0}, {1, 1, 1}, {1, 1}), {x}, {}, "list of sizes has 3 entries");
  check_refused(options({0, 0}, {1, 1}, {}), {x}, {}, "list of steps has 0 entries");
  check_refused(options({0, 3}, {1, 1}, {1, 1}), {x}, {}, "a start of the slice is 3");
  check_refused(options({-1, 0}, {1, 1}, {1, 1}), {x}, {}, "a start of the slice is -1");
  check_refused(options({0, 0}, {1, 1}, {1, 0}), {x}, {}, "step 0 along axis 1");
  check_refused(options({0, 0}, {3, 1}, {1, 1}), {x}, {}, "a size of the slice is 3");
  check_refused(options({1, 0}, {2, 1}, {1, 1}), {x}, {}, "a size of the slice is 2");
  check_refused(options({0, 0}, {1, 2}, {1, INT32_MAX}), {x}, {}, "a size of the slice is 2");
  check_refused(options({0, 0}, {1, 2}, {1, INT32_MIN}), {x}, {}, "a size of the slice is 2");
  check_refused(options({0, 0}, {0, 1}, {1, 1}), {x}, {}, "a size of the slice is 0");
  check_refused(options({0, 0}, {-2, 1}, {1, 1}), {x}, {}, "a size of the slice is -2");
}
