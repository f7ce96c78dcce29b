// Elementwise arithmetic of two tensors, broadcast as in NumPy.
//
// int32 is there for the converter, which folds arithmetic on shapes by this definition: overflow
// wraps, division truncates toward zero, and anything divided by 0 is 0, as is what it leaves over.
#include <cmath>

#include "runtime/math/elementary.h"
#include "runtime/ops/checks.h"
#include "runtime/ops/elementwise.h"

namespace figment::ops {
namespace {

using format::BinaryFunction;

using math::one_nan;

// NaN wins.
FIGMENT_INLINE float greatest(float a, float b) { return one_nan(((a > b) | (a != a)) ? a : b); }
FIGMENT_INLINE float least(float a, float b) { return one_nan(((a < b) | (a != a)) ? a : b); }

FIGMENT_INLINE std::int32_t greater_integer(std::int32_t a, std::int32_t b) {
  return a > b ? a : b;
}
FIGMENT_INLINE std::int32_t lesser_integer(std::int32_t a, std::int32_t b) { return a < b ? a : b; }
FIGMENT_INLINE std::int32_t wrapped(std::uint32_t bits) { return static_cast<std::int32_t>(bits); }
FIGMENT_INLINE std::uint32_t bits_of(std::int32_t value) {
  return static_cast<std::uint32_t>(value);
}

std::int32_t quotient(std::int32_t a, std::int32_t b) {
  if (b == 0) return 0;
  if (b == -1) return wrapped(0U - bits_of(a));  // the lowest number has no opposite
  return a / b;
}

// What division leaves over. C's remainder is exact, hence the same everywhere.
float remainder(float a, float b) { return one_nan(std::fmod(a, b)); }
float modulo(float a, float b) {
  const float rest = remainder(a, b);
  return rest != 0.0F && (rest < 0.0F) != (b < 0.0F) ? rest + b : rest;
}
std::int32_t integer_remainder(std::int32_t a, std::int32_t b) {
  return b == 0 || b == -1 ? 0 : a % b;
}
std::int32_t integer_modulo(std::int32_t a, std::int32_t b) {
  const std::int32_t rest = integer_remainder(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

template <auto kFunction>
constexpr Kernel of_floats = each<float, float, kFunction>;
template <auto kFunction>
constexpr Kernel of_integers = each<std::int32_t, std::int32_t, kFunction>;

struct Row {
  BinaryFunction function;
  Kernel floats;
  Kernel integers;  // null: float32 alone
};

constexpr Row kRows[] = {
    {BinaryFunction::Add, of_floats<[](float a, float b) { return one_nan(a + b); }>,
     of_integers<[](std::int32_t a, std::int32_t b) { return wrapped(bits_of(a) + bits_of(b)); }>},
    {BinaryFunction::Sub, of_floats<[](float a, float b) { return one_nan(a - b); }>,
     of_integers<[](std::int32_t a, std::int32_t b) { return wrapped(bits_of(a) - bits_of(b)); }>},
    {BinaryFunction::Mul, of_floats<[](float a, float b) { return one_nan(a * b); }>,
     of_integers<[](std::int32_t a, std::int32_t b) { return wrapped(bits_of(a) * bits_of(b)); }>},
    {BinaryFunction::Div, of_floats<[](float a, float b) { return one_nan(a / b); }>,
     of_integers<quotient>},
    {BinaryFunction::Pow, of_floats<[](float a, float b) { return math::pow(a, b); }>, nullptr},
    {BinaryFunction::Max, of_floats<greatest>, of_integers<greater_integer>},
    {BinaryFunction::Min, of_floats<least>, of_integers<lesser_integer>},
    {BinaryFunction::PRelu,
     of_floats<[](float a, float b) { return one_nan(a < 0.0F ? a * b : a); }>, nullptr},
    {BinaryFunction::Modulo, of_floats<modulo>, of_integers<integer_modulo>},
    {BinaryFunction::Remainder, of_floats<remainder>, of_integers<integer_remainder>},
};

static_assert(in_schema_order(kRows));

Status shape(const Operation& operation, Tensor& result) {
  const BinaryFunction function = operation.as<format::Binary>().function();
  if (function > BinaryFunction::MAX)
    return unsupported({"arithmetic function ", static_cast<std::int32_t>(function),
                        " is unknown; the file is damaged or needs a newer Figment"});
  const Tensor& a = operation.in(0);
  const Tensor& b = operation.in(1);
  const bool integers = a.type == DataType::kInt32 && b.type == DataType::kInt32;
  if (integers && kRows[static_cast<std::size_t>(function)].integers == nullptr)
    return unsupported(
        {format::EnumNameBinaryFunction(function), " of integers; cast them to float32"});
  if (!integers) {
    FIG_TRY(require_float(operation, 0));
    FIG_TRY(require_float(operation, 1));
  }
  Shape together;
  FIG_TRY(broadcast_operands(operation, together));
  return set_result(result, a.type, together);
}

void forward(const Operation& operation) {
  const Row& row = kRows[static_cast<std::size_t>(operation.as<format::Binary>().function())];
  run_blocks(operation.out().type == DataType::kInt32 ? row.integers : row.floats, operation);
}

}  // namespace

extern const OperatorRoom kBinary;
const OperatorRoom kBinary{
    .min_inputs = 2,
    .max_inputs = 2,
    .memory = Memory::kInPlace,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
