// Comparisons and logic of two tensors, broadcast as in NumPy: int32 1 where it holds, 0 elsewhere.
//
// NaN is equal to nothing, and neither less nor greater; for And, Or and Xor it is true, as every
// number but 0.
#include "runtime/ops/checks.h"
#include "runtime/ops/elementwise.h"

namespace figment::ops {
namespace {

using format::CompareFunction;

struct Row {
  CompareFunction function;
  Kernel floats;
  Kernel integers;
};

template <auto kFunction>
constexpr Row row(CompareFunction function) {
  return {function, each<float, std::int32_t, kFunction>,
          each<std::int32_t, std::int32_t, kFunction>};
}

constexpr Row kRows[] = {
    row<[](auto a, auto b) { return a == b ? 1 : 0; }>(CompareFunction::Equal),
    row<[](auto a, auto b) { return a != b ? 1 : 0; }>(CompareFunction::NotEqual),
    row<[](auto a, auto b) { return a < b ? 1 : 0; }>(CompareFunction::Less),
    row<[](auto a, auto b) { return a <= b ? 1 : 0; }>(CompareFunction::LessOrEqual),
    row<[](auto a, auto b) { return ((a != 0) & (b != 0)) ? 1 : 0; }>(CompareFunction::And),
    row<[](auto a, auto b) { return ((a != 0) | (b != 0)) ? 1 : 0; }>(CompareFunction::Or),
    row<[](auto a, auto b) { return ((a != 0) != (b != 0)) ? 1 : 0; }>(CompareFunction::Xor),
};

static_assert(in_schema_order(kRows));

Status shape(const Operation& operation, Tensor& result) {
  const CompareFunction function = operation.as<format::Compare>().function();
  if (function > CompareFunction::MAX)
    return unsupported({"comparison ", static_cast<std::int32_t>(function),
                        " is unknown; the file is damaged or needs a newer Figment"});
  FIG_TRY(require_number(operation, 0));
  FIG_TRY(require_type(operation, 1, operation.in(0).type));
  Shape together;
  FIG_TRY(broadcast_operands(operation, together));
  return set_result(result, DataType::kInt32, together);
}

void forward(const Operation& operation) {
  const Row& row = kRows[static_cast<std::size_t>(operation.as<format::Compare>().function())];
  run_blocks(operation.in(0).type == DataType::kInt32 ? row.integers : row.floats, operation);
}

}  // namespace

extern const OperatorRoom kCompare;
const OperatorRoom kCompare{
    .min_inputs = 2,
    .max_inputs = 2,
    .memory = Memory::kInPlace,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
