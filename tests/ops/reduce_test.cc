// Reductions over every set of axes, in both types.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/ops/operator_harness.h"
#include "tests/ops/reference.h"

using namespace figment;
using namespace figment::testing;
using format::ReduceFunction;

namespace {

const ReduceFunction kFunctions[] = {ReduceFunction::Mean, ReduceFunction::Sum, ReduceFunction::Max,
                                     ReduceFunction::Min, ReduceFunction::Prod};

format::OperatorOptionsUnion options(ReduceFunction function, std::vector<std::int32_t> axes,
                                     bool keep) {
  format::ReduceT table;
  table.function = function;
  table.axes = std::move(axes);
  table.keep_axes = keep;
  return options_of(table);
}

struct Golden {
  Shape shape;
  std::vector<double> values;
};

Golden golden(ReduceFunction function, const TestTensor& x, const std::vector<std::int32_t>& axes,
              bool keep) {
  const auto reduced = [&](int axis) {
    return axes.empty() || std::find(axes.begin(), axes.end(), axis) != axes.end();
  };
  Golden result;
  Shape kept = x.shape;  // with 1 for each reduced axis
  double count = 1;
  for (int axis = 0; axis < x.shape.rank; ++axis) {
    if (reduced(axis)) {
      kept[axis] = 1;
      count *= x.shape[axis];
    }
    if (keep || !reduced(axis)) result.shape[result.shape.rank++] = kept[axis];
  }
  const double begin = function == ReduceFunction::Prod  ? 1
                       : function == ReduceFunction::Max ? -HUGE_VAL
                       : function == ReduceFunction::Min ? HUGE_VAL
                                                         : 0;
  result.values.assign(static_cast<std::size_t>(kept.elements()), begin);
  for_each_element(x.shape, [&](Indices at) {
    const std::size_t position = position_of(x.shape, at);
    const double value =
        x.type == DataType::kInt32 ? x.integers[position] : double{x.values[position]};
    for (std::size_t axis = 0; axis < at.size(); ++axis)
      if (reduced(static_cast<int>(axis))) at[axis] = 0;
    double& target = result.values[position_of(kept, at)];
    switch (function) {
      case ReduceFunction::Mean:
        target += value / count;
        break;
      case ReduceFunction::Sum:
        target += value;
        break;
      case ReduceFunction::Max:
        target = std::fmax(target, value);
        break;
      case ReduceFunction::Min:
        target = std::fmin(target, value);
        break;
      case ReduceFunction::Prod:
        target *= value;
        break;
    }
  });
  return result;
}

std::vector<std::int32_t> run_whole(ReduceFunction function, std::vector<std::int32_t> values) {
  TestTensor x{.shape = shape_of({static_cast<int>(values.size())}), .type = DataType::kInt32};
  x.integers = std::move(values);
  const Run run = run_operator(options(function, {0}, false), {x}, {}, Backend::kXnnpack);
  CHECK(run.error == "");
  return run.integers;
}

}  // namespace

TEST_CASE("every function over every set of axes") {
  TestTensor x{.shape = shape_of({3, 4, 5, 7})};
  x.values = random_values(x.shape.elements(), 1, -1.5F, 1.5F);
  for (const ReduceFunction function : kFunctions) {
    CAPTURE(format::EnumNameReduceFunction(function));
    for (unsigned mask = 0; mask < 16; ++mask) {
      CAPTURE(mask);
      std::vector<std::int32_t> axes;
      for (int axis = 3; axis >= 0; --axis)  // the order in the file does not matter
        if ((mask >> axis & 1U) != 0) axes.push_back(axis);
      for (const bool keep : {false, true}) {
        const Golden expected = golden(function, x, axes, keep);
        check_operator(options(function, axes, keep), {x}, expected.shape, expected.values);
      }
    }
  }
}

TEST_CASE("batch 5, odd sizes, axes of extent 1, and a scalar") {
  for (const ReduceFunction function : kFunctions) {
    CAPTURE(format::EnumNameReduceFunction(function));
    TestTensor x{.shape = shape_of({5, 1, 33, 1})};
    x.values = random_values(x.shape.elements(), 2);
    x.batched = true;
    for (const std::vector<std::int32_t>& axes :
         {std::vector{1, 2}, std::vector{2}, std::vector{1}, std::vector{3}}) {
      const Golden expected = golden(function, x, axes, true);
      check_operator(options(function, axes, true), {x}, expected.shape, expected.values);
    }
    check_operator(options(function, {}, false), {{.shape = shape_of({}), .values = {2.5F}}},
                   shape_of({}), {2.5});
  }
}

TEST_CASE("sums are added in double precision, portable") {
  TestTensor x{.shape = shape_of({1, 100001})};
  x.values.assign(100001, 0.1F);
  x.values[0] = 1e8F;
  const Golden expected = golden(ReduceFunction::Sum, x, {1}, false);
  check_operator_on(Backend::kPortable, options(ReduceFunction::Sum, {1}, false), {x},
                    expected.shape, expected.values, 1e-7);
}

TEST_CASE("NaN wins, infinities stay, portable") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const TestTensor x{.shape = shape_of({3, 3}),
                     .values = {1, nan, 2, -kInfinity, 0, 5, kInfinity, kInfinity, 1}};
  const auto check = [&](ReduceFunction function, const std::vector<double>& expected) {
    check_operator_on(Backend::kPortable, options(function, {1}, false), {x}, shape_of({3}),
                      expected);
  };
  check(ReduceFunction::Max, {nan, 5, HUGE_VAL});
  check(ReduceFunction::Min, {nan, -HUGE_VAL, 1});
  check(ReduceFunction::Sum, {nan, -HUGE_VAL, HUGE_VAL});
  check(ReduceFunction::Mean, {nan, -HUGE_VAL, HUGE_VAL});
  check(ReduceFunction::Prod, {nan, nan, HUGE_VAL});
  // NaN first and last.
  const TestTensor ends{.shape = shape_of({2, 2}), .values = {nan, 1, 1, nan}};
  check_operator_on(Backend::kPortable, options(ReduceFunction::Max, {1}, false), {ends},
                    shape_of({2}), {nan, nan});
  check_operator_on(Backend::kPortable, options(ReduceFunction::Min, {0}, false), {ends},
                    shape_of({2}), {nan, nan});
}

TEST_CASE("integers wrap; their mean is exact and truncated") {
  using List = std::vector<std::int32_t>;
  CHECK(run_whole(ReduceFunction::Sum, {1, 2, -5}) == List{-2});
  CHECK(run_whole(ReduceFunction::Sum, {INT32_MAX, 1}) == List{INT32_MIN});
  CHECK(run_whole(ReduceFunction::Prod, {3, -4, 5}) == List{-60});
  CHECK(run_whole(ReduceFunction::Prod, {INT32_MAX, INT32_MAX, INT32_MAX}) == List{INT32_MAX});
  CHECK(run_whole(ReduceFunction::Prod, {1 << 20, 1 << 20, 1 << 30}) == List{0});
  CHECK(run_whole(ReduceFunction::Max, {INT32_MIN, -7}) == List{-7});
  CHECK(run_whole(ReduceFunction::Min, {INT32_MAX, 16777217}) == List{16777217});
  CHECK(run_whole(ReduceFunction::Mean, {INT32_MAX, INT32_MAX}) == List{INT32_MAX});
  CHECK(run_whole(ReduceFunction::Mean, {-3, -4}) == List{-3});
  TestTensor x{.shape = shape_of({2, 3}), .type = DataType::kInt32, .integers = {1, 2, 3, 4, 5, 6}};
  check_operator(options(ReduceFunction::Prod, {0}, true), {x}, shape_of({1, 3}), {4, 10, 18});
}

TEST_CASE("what a damaged file may say is refused") {
  const TestTensor x{.shape = shape_of({2, 3}), .values = random_values(6, 7)};
  check_refused(options(ReduceFunction::Sum, {2}, false), {x}, {}, "axis 2");
  check_refused(options(ReduceFunction::Sum, {-1}, false), {x}, {}, "axis -1");
  check_refused(options(ReduceFunction::Sum, {40}, false), {x}, {}, "axis 40");
  check_refused(options(ReduceFunction::Sum, {1, 1}, false), {x}, {}, "axis 1 is reduced twice");
  check_refused(options(static_cast<ReduceFunction>(5), {1}, false), {x}, {}, "reduction 5");
  const TestTensor bytes{.shape = shape_of({2}), .values = {1, 2}, .type = DataType::kUInt8};
  check_refused(options(ReduceFunction::Sum, {0}, false), {bytes}, {}, "float32");
}
