// Elementwise arithmetic of two tensors, broadcast as in NumPy.
//
// int32 is there for the converter, which folds arithmetic on shapes by this definition: overflow
// wraps, division truncates toward zero, and anything divided by 0 is 0, as is what it leaves over.
#include <cmath>
#include <cstring>

#include "runtime/math/broadcast.h"
#include "runtime/math/elementary.h"
#include "runtime/ops/checks.h"

namespace figment::ops {
namespace {

using format::BinaryFunction;

// Numbers of float32 or int32 that are worked on at once.
constexpr std::int64_t kBlock = 32;
constexpr std::size_t kNumberBytes = 4;

// y = function(a, b) for blocks that do not overlap; up to the next multiple of 4, a whole vector.
using Kernel = void (*)(const void* a, const void* b, void* y, std::int64_t count);

template <typename T, auto kFunction>
void each(const void* __restrict a, const void* __restrict b, void* __restrict y,
          std::int64_t count) {
  const T* a_values = static_cast<const T*>(a);
  const T* b_values = static_cast<const T*>(b);
  T* y_values = static_cast<T*>(y);
  const std::int64_t padded = (count + 3) / 4 * 4;
  for (std::int64_t i = 0; i < padded; ++i) y_values[i] = kFunction(a_values[i], b_values[i]);
}

// Loads `count` numbers that stand `stride` (0 or 1) apart. Those that repeat are loaded once a
// row.
void load(std::byte* block, const std::byte* values, std::int64_t stride, std::int64_t done,
          std::int64_t count) {
  if (stride == 1) {
    std::memcpy(block, values + static_cast<std::size_t>(done) * kNumberBytes,
                static_cast<std::size_t>(count) * kNumberBytes);
  } else if (done == 0) {
    for (std::int64_t i = 0; i < count; ++i)
      std::memcpy(block + static_cast<std::size_t>(i) * kNumberBytes, values, kNumberBytes);
  }
}

// Rows go through blocks of their own, so that y may lie on a. The same shape, one number, and a
// vector along the last axes are one or few long rows.
void run(Kernel kernel, const math::Axes<2>& axes, const std::byte* a, const std::byte* b,
         std::byte* y) {
  alignas(16) std::byte a_block[kBlock * kNumberBytes] = {};
  alignas(16) std::byte b_block[kBlock * kNumberBytes] = {};
  alignas(16) std::byte y_block[kBlock * kNumberBytes];
  const std::int64_t length = axes.row_length();
  axes.for_each_row([&](const std::int64_t* offsets) {
    for (std::int64_t done = 0; done < length; done += kBlock) {
      const std::int64_t count = length - done < kBlock ? length - done : kBlock;
      const std::size_t bytes = static_cast<std::size_t>(count) * kNumberBytes;
      load(a_block, a + static_cast<std::size_t>(offsets[0]) * kNumberBytes, axes.row_stride(0),
           done, count);
      load(b_block, b + static_cast<std::size_t>(offsets[1]) * kNumberBytes, axes.row_stride(1),
           done, count);
      kernel(a_block, b_block, y_block, count);
      std::memcpy(y, y_block, bytes);
      y += bytes;
    }
  });
}

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

struct Row {
  BinaryFunction function;
  Kernel floats;
  Kernel integers;  // null: float32 alone
};

constexpr Row kRows[] = {
    {BinaryFunction::Add, each<float, [](float a, float b) { return one_nan(a + b); }>,
     each<std::int32_t,
          [](std::int32_t a, std::int32_t b) { return wrapped(bits_of(a) + bits_of(b)); }>},
    {BinaryFunction::Sub, each<float, [](float a, float b) { return one_nan(a - b); }>,
     each<std::int32_t,
          [](std::int32_t a, std::int32_t b) { return wrapped(bits_of(a) - bits_of(b)); }>},
    {BinaryFunction::Mul, each<float, [](float a, float b) { return one_nan(a * b); }>,
     each<std::int32_t,
          [](std::int32_t a, std::int32_t b) { return wrapped(bits_of(a) * bits_of(b)); }>},
    {BinaryFunction::Div, each<float, [](float a, float b) { return one_nan(a / b); }>,
     each<std::int32_t, quotient>},
    {BinaryFunction::Pow, each<float, [](float a, float b) { return math::pow(a, b); }>, nullptr},
    {BinaryFunction::Max, each<float, greatest>, each<std::int32_t, greater_integer>},
    {BinaryFunction::Min, each<float, least>, each<std::int32_t, lesser_integer>},
    {BinaryFunction::PRelu,
     each<float, [](float a, float b) { return one_nan(a < 0.0F ? a * b : a); }>, nullptr},
    {BinaryFunction::Modulo, each<float, modulo>, each<std::int32_t, integer_modulo>},
    {BinaryFunction::Remainder, each<float, remainder>, each<std::int32_t, integer_remainder>},
};

// One row a function, in the schema's order, so that the schema's number is the row's.
constexpr bool rows_in_order() {
  std::size_t index = 0;
  for (const Row& row : kRows)
    if (static_cast<std::size_t>(row.function) != index++) return false;
  return index == static_cast<std::size_t>(BinaryFunction::MAX) + 1;
}
static_assert(rows_in_order());

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
  if (!math::broadcast_shapes(a.shape, b.shape, together))
    return bad_file({"shapes ", a.shape, " and ", b.shape, " cannot be broadcast together"});
  return set_result(result, a.type, together);
}

void forward(const Operation& operation) {
  const Tensor& a = operation.in(0);
  const Tensor& b = operation.in(1);
  const Tensor& y = operation.out();
  const Row& row = kRows[static_cast<std::size_t>(operation.as<format::Binary>().function())];
  run(y.type == DataType::kInt32 ? row.integers : row.floats,
      math::broadcast_axes(a.shape, b.shape, y.shape), static_cast<const std::byte*>(a.data),
      static_cast<const std::byte*>(b.data), static_cast<std::byte*>(y.data));
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
