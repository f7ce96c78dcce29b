// Mean, sum, product, maximum or minimum over some axes (all of them when the list is empty).
//
// Numbers are taken in row-major order; float32 is added and multiplied in double precision, int32
// modulo 2^32 (its mean is exact and truncated toward zero).
#include "runtime/ops/reduce.h"
#include "runtime/math/elementary.h"
#include "runtime/ops/checks.h"

namespace figment::ops {
namespace {

using format::ReduceFunction;

// What numbers of a type are gathered in, 8 bytes each: double for float32; for int32 an integer,
// that is exact for sums and wraps for products.
template <typename T>
struct Gathered;
template <>
struct Gathered<float> {
  using Type = double;
};
template <>
struct Gathered<std::int32_t> {
  using Type = std::int64_t;
};
constexpr std::size_t kGatheredBytes = 8;

Status shape(const Operation& operation, Tensor& result) {
  const auto& options = operation.as<format::Reduce>();
  const Tensor& x = operation.in(0);
  FIG_TRY(require_number(operation, 0));
  if (options.function() > ReduceFunction::MAX)
    return unsupported({"reduction ", static_cast<std::int32_t>(options.function()),
                        " is unknown; the file is damaged or needs a newer Figment"});
  std::uint32_t seen = 0;
  if (options.axes() != nullptr) {
    for (const std::int32_t axis : *options.axes()) {
      FIG_TRY(require_axis(axis, x.shape.rank));
      if ((seen >> axis & 1U) != 0) return bad_file({"axis ", axis, " is reduced twice"});
      seen |= 1U << axis;
    }
  }
  const std::uint32_t reduced = reduced_axes(options, x.shape.rank);
  Shape shape;
  for (int axis = 0; axis < x.shape.rank; ++axis) {
    FIG_TRY(require_positive(x.shape[axis], "an extent of the input"));
    if ((reduced >> axis & 1U) == 0) {
      shape[shape.rank++] = x.shape[axis];
    } else if (options.keep_axes()) {
      shape[shape.rank++] = 1;
    }
  }
  FIG_TRY(require_scratch(shape.elements() * static_cast<std::int64_t>(kGatheredBytes)));
  return set_result(result, x.type, shape);
}

std::size_t scratch_bytes(const Operation& operation) {
  return static_cast<std::size_t>(operation.out().elements()) * kGatheredBytes;
}

template <typename A>
FIGMENT_INLINE A add(A sum, A value) {
  return sum + value;
}
template <typename A>
FIGMENT_INLINE A multiply(A product, A value) {
  if constexpr (std::is_integral_v<A>)
    return static_cast<A>(static_cast<std::uint64_t>(product) * static_cast<std::uint64_t>(value));
  else
    return product * value;
}
FIGMENT_INLINE bool is_nan(double value) { return value != value; }
FIGMENT_INLINE bool is_nan(std::int64_t) { return false; }

// NaN wins, in either place.
template <typename A>
FIGMENT_INLINE A greater(A most, A value) {
  return most >= value || is_nan(most) ? most : value;
}
template <typename A>
FIGMENT_INLINE A less(A least, A value) {
  return least <= value || is_nan(least) ? least : value;
}

// Gathers `length` neighbours of x: each into its own of the neighbours at `target`, or all into
// one.
template <typename T, auto kFunction>
void gather_row(const T* x, typename Gathered<T>::Type* target, std::int64_t length, bool kept) {
  using A = typename Gathered<T>::Type;
  if (kept) {
    for (std::int64_t i = 0; i < length; ++i)
      target[i] = kFunction(target[i], static_cast<A>(x[i]));
    return;
  }
  A value = *target;
  for (std::int64_t i = 0; i < length; ++i) value = kFunction(value, static_cast<A>(x[i]));
  *target = value;
}

// What a function starts from, and how it takes a row.
template <typename T>
struct Way {
  typename Gathered<T>::Type begin;
  void (*gather)(const T* x, typename Gathered<T>::Type* target, std::int64_t length, bool kept);
};

template <typename T>
Way<T> way_of(ReduceFunction function) {
  using A = typename Gathered<T>::Type;
  using Limits = std::numeric_limits<A>;
  switch (function) {
    case ReduceFunction::Prod:
      return {1, gather_row<T, multiply<A>>};
    case ReduceFunction::Max:
      return {Limits::has_infinity ? -Limits::infinity() : Limits::lowest(),
              gather_row<T, greater<A>>};
    case ReduceFunction::Min:
      return {Limits::has_infinity ? Limits::infinity() : Limits::max(), gather_row<T, less<A>>};
    default:
      return {0, gather_row<T, add<A>>};
  }
}

FIGMENT_INLINE float result_of(double value, std::int64_t count) {
  return math::one_nan(static_cast<float>(count == 1 ? value : value / static_cast<double>(count)));
}
FIGMENT_INLINE std::int32_t result_of(std::int64_t value, std::int64_t count) {
  return static_cast<std::int32_t>(static_cast<std::uint64_t>(value / count));
}

// x is read from its beginning to its end: along the innermost axis its numbers are neighbours.
template <typename T>
void reduce(ReduceFunction function, const math::Axes<2>& axes, const Operation& operation) {
  using A = typename Gathered<T>::Type;
  const Tensor& x = operation.in(0);
  const std::int64_t outputs = operation.out().elements();
  T* y = static_cast<T*>(operation.out().data);
  A* gathered = reinterpret_cast<A*>(operation.scratch);
  const Way<T> way = way_of<T>(function);
  for (std::int64_t i = 0; i < outputs; ++i) gathered[i] = way.begin;
  axes.for_each_row([&](const std::int64_t* offsets) {
    way.gather(static_cast<const T*>(x.data) + offsets[0], gathered + offsets[1], axes.row_length(),
               axes.row_stride(1) != 0);
  });
  const std::int64_t count = function == ReduceFunction::Mean ? x.elements() / outputs : 1;
  for (std::int64_t i = 0; i < outputs; ++i) y[i] = result_of(gathered[i], count);
}

void forward(const Operation& operation) {
  const auto& options = operation.as<format::Reduce>();
  const Tensor& x = operation.in(0);
  const math::Axes<2> axes = reduction_axes(x.shape, reduced_axes(options, x.shape.rank));
  if (x.type == DataType::kInt32) {
    reduce<std::int32_t>(options.function(), axes, operation);
  } else {
    reduce<float>(options.function(), axes, operation);
  }
}

}  // namespace

extern const OperatorRoom kReduce;
const OperatorRoom kReduce{
    .min_inputs = 1,
    .max_inputs = 1,
    .memory = Memory::kOwn,
    .shape = shape,
    .scratch_bytes = scratch_bytes,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
