// Work that is shared out gives the same bits as on one thread, and long sums lose little.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/threads.h"
#include "tests/train/backward/indices.h"
#include "tests/train/backward/run_once.h"
namespace figment::testing {
namespace {

// Runs alone and on three threads.
Results check_threads(const format::OperatorOptionsUnion& options,
                      const std::vector<Operand>& operands, std::int32_t outputs,
                      const Shape& declared = {}) {
  const std::string name = format::EnumNameOperatorOptions(options.type);
  CAPTURE(name);
  const std::vector<float> dy = random_operand({outputs}, 77).values;
  Results alone = run_once(options, operands, dy, nullptr, declared);
  const test::Threads pool(3);
  const Results shared = run_once(options, operands, dy, pool.get(), declared);
  for (std::size_t k = 0; k < operands.size(); ++k) {
    CAPTURE(k);
    CHECK(alone.gradients[k] == shared.gradients[k]);
  }
  return alone;
}

template <typename Table>
format::OperatorOptionsUnion with_function(int function) {
  Table table;
  table.function = static_cast<decltype(table.function)>(function);
  return options_of(table);
}

TEST_CASE("gradients do not depend on the number of threads") {
  using Extents = std::initializer_list<std::int32_t>;
  check_threads(with_function<format::UnaryT>(static_cast<int>(format::UnaryFunction::Gelu)),
                {random_operand({50001}, 1)}, 50001);
  const Extents others[] = {{4, 50, 100}, {100}, {4, 1, 100}, {50, 1}, {1}};
  for (const Extents& other : others)
    for (const format::BinaryFunction function : format::EnumValuesBinaryFunction())
      check_threads(with_function<format::BinaryT>(static_cast<int>(function)),
                    {random_operand({4, 50, 100}, 1, 0.5F, 2), random_operand(other, 2, 0.5F, 2)},
                    20000);
  for (const format::ReduceFunction function : format::EnumValuesReduceFunction())
    for (const int axis : {0, 1}) {
      format::ReduceT options;
      options.function = function;
      options.axes = {axis};
      check_threads(options_of(options), {random_operand({170, 130}, 1)}, axis == 0 ? 130 : 170);
    }
  for (const int axis : {0, 1, 2}) {
    format::SoftmaxT softmax;
    softmax.axis = axis;
    check_threads(options_of(softmax), {random_operand({40, 50, 30}, 1)}, 60000);
    format::CumulativeSumT sum;
    sum.axis = axis;
    check_threads(options_of(sum), {random_operand({40, 50, 30}, 1)}, 60000);
    format::ConcatT concat;
    concat.axis = axis;
    check_threads(options_of(concat),
                  {random_operand({40, 50, 30}, 1), random_operand({40, 50, 30}, 2)}, 120000);
  }
  check_threads(options_of(format::ReshapeT{}), {random_operand({200, 200}, 1)}, 40000,
                shape_of({40000}));
  check_threads(options_of(format::TileT{}), {random_operand({200, 100}, 1)}, 40000,
                shape_of({200, 200}));
  format::TransposeT transpose;
  transpose.permutation = {1, 0};
  check_threads(options_of(transpose), {random_operand({200, 150}, 1)}, 30000);
  transpose.permutation = {0, 2, 3, 1};
  check_threads(options_of(transpose), {random_operand({3, 5, 40, 60}, 1)}, 36000);
  format::SliceT slice;
  slice.starts = {1, 0};
  slice.sizes = {99, -1};
  slice.steps = {2, 1};
  check_threads(options_of(slice), {random_operand({200, 200}, 1)}, 99 * 200);
  Operand indices;
  indices.shape = shape_of({300});
  for (std::int32_t i = 0; i < 300; ++i) indices.integers.push_back(i % 7);
  check_threads(options_of(format::GatherT{}), {random_operand({9, 100}, 1), indices}, 30000);
  check_threads(options_of(format::MatMulT{}),
                {random_operand({5, 70, 30}, 1), random_operand({5, 30, 80}, 2)}, 5 * 70 * 80);
  check_threads(options_of(format::MatMulT{}),
                {random_operand({300, 30}, 1), random_operand({2, 30, 80}, 2)}, 2 * 300 * 80);
}

TEST_CASE("the sum of a million gradients is exact to some last places") {
  constexpr std::int32_t kCount = 1 << 20;
  format::BinaryT options;
  options.function = format::BinaryFunction::Add;
  for (const bool scalar : {true, false}) {
    const Operand small = scalar ? random_operand({1}, 1) : random_operand({1, 2}, 1);
    const Operand large = scalar ? random_operand({kCount}, 2) : random_operand({kCount / 2, 2}, 2);
    const std::vector<float> dy(kCount, 0.1F);
    const Results results = run_once(options_of(options), {large, small}, dy);
    const double expected = double{0.1F} * kCount / (scalar ? 1 : 2);
    CHECK(std::fabs(double{results.gradients[1][0]} - expected) < 1e-5 * expected);
  }
}

}  // namespace
}  // namespace figment::testing
