// Arithmetic of several tensors or numbers, comparisons and reductions.
#include <cmath>
#include <limits>
#include <optional>
#include <type_traits>

#include "converter/import/torch/call.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;
using format::CompareFunction;
using format::ReduceFunction;
using format::UnaryFunction;
using Kind = TorchValue::Kind;

TorchValue result(TensorId id) { return TorchValue::of_tensor(id); }

// A number, or a constant tensor that is one: shapes are computed with both.
std::optional<TorchValue> number_in(TorchCall& call, const TorchValue& value) {
  if (value.is_plain_number()) return value;
  if (!value.is(Kind::kTensor) || !call.constant(value.tensor) || call.rank(value.tensor) != 0)
    return std::nullopt;
  const GraphTensor& held = call.known(value.tensor);
  if (held.type == DataType::kInt32) return TorchValue::of_integer(*held.integers());
  return TorchValue::of_number(static_cast<double>(*held.floats()));
}

std::int64_t floor_of(std::int64_t a, std::int64_t b) {
  const std::int64_t quotient = a / b;
  return quotient * b != a && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

// Both of one kind: their result, unless it is of another, or whole numbers would not fit.
template <typename Number>
std::optional<Number> fold(BinaryFunction function, Number a, Number b) {
  constexpr bool kWhole = std::is_integral_v<Number>;
  if constexpr (kWhole) {
    constexpr Number kMost = Number{1} << 31;
    if (a < -kMost || a > kMost || b < -kMost || b > kMost) return std::nullopt;
  }
  switch (function) {
    case BinaryFunction::Add:
      return a + b;
    case BinaryFunction::Sub:
      return a - b;
    case BinaryFunction::Mul:
      return a * b;
    case BinaryFunction::Max:
      return std::max(a, b);
    case BinaryFunction::Min:
      return std::min(a, b);
    case BinaryFunction::Div:
      if constexpr (!kWhole) return a / b;
      return std::nullopt;
    case BinaryFunction::Pow:
      if constexpr (!kWhole) return std::pow(a, b);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

// a and b as tensors of one type: floats where either is one.
std::pair<TensorId, TensorId> aligned(TorchCall& call, const TorchValue& a, const TorchValue& b) {
  const auto is_float = [&](const TorchValue& value) {
    return value.is(Kind::kNumber) ||
           (value.is(Kind::kTensor) && call.type(value.tensor) != DataType::kInt32);
  };
  const bool floats = is_float(a) || is_float(b);
  const auto as = [&](const TorchValue& value) {
    if (floats && value.is_plain_number())
      return call.scalar(static_cast<float>(value.as_number()));
    const TensorId id = call.as_tensor(value);
    return floats ? call.as_floats(id) : id;
  };
  const TensorId left = as(a);
  return {left, as(b)};
}

TorchValue compute(TorchCall& call, BinaryFunction function, const TorchValue& a,
                   const TorchValue& b) {
  const std::optional<TorchValue> left = number_in(call, a);
  const std::optional<TorchValue> right = number_in(call, b);
  if (left && right) {
    if (!left->is(Kind::kNumber) && !right->is(Kind::kNumber))
      if (const auto folded = fold(function, left->integer, right->integer))
        return TorchValue::of_integer(*folded);
    if (const auto folded = fold(function, left->as_number(), right->as_number()))
      return TorchValue::of_number(*folded);
  }
  const auto [x, y] = aligned(call, a, b);
  return result(call.binary(function, x, y));
}

TorchValue scaled(TorchCall& call, const TorchValue& value) {
  const double alpha = call.number("alpha");
  if (alpha == 1) return value;
  return compute(call, BinaryFunction::Mul, value,
                 alpha == std::floor(alpha) && std::abs(alpha) < 1e9
                     ? TorchValue::of_integer(static_cast<std::int64_t>(alpha))
                     : TorchValue::of_number(alpha));
}

template <BinaryFunction kFunction>
TorchValue plain(TorchCall& call) {
  return compute(call, kFunction, call.argument("input"), call.argument("other"));
}

// A whole number in place of the second tensor is an axis.
template <BinaryFunction kFunction>
TorchValue larger(TorchCall& call) {
  if (!call.argument("other").is(Kind::kTensor))
    call.refuse("along an axis it gives places, too, which is not supported; use amax or amin");
  return plain<kFunction>(call);
}

// input + alpha * other
template <BinaryFunction kFunction>
TorchValue with_alpha(TorchCall& call) {
  return compute(call, kFunction, call.argument("input"), scaled(call, call.argument("other")));
}

// other - alpha * input
TorchValue reversed_difference(TorchCall& call) {
  return compute(call, BinaryFunction::Sub, call.argument("other"),
                 scaled(call, call.argument("input")));
}

// Of whole numbers a whole number where PyTorch gives one; a / b else.
TorchValue divide(TorchCall& call, const std::string& rounding) {
  const TorchValue& a = call.argument("input");
  const TorchValue& b = call.argument("other");
  const std::optional<TorchValue> left = number_in(call, a);
  const std::optional<TorchValue> right = number_in(call, b);
  if (left && right && !rounding.empty() && !left->is(Kind::kNumber) && !right->is(Kind::kNumber)) {
    if (right->integer == 0) call.refuse("it divides by 0");
    if (left->integer == std::numeric_limits<std::int64_t>::min())
      call.refuse("its number is too large");
    return TorchValue::of_integer(rounding == "floor" ? floor_of(left->integer, right->integer)
                                                      : left->integer / right->integer);
  }
  const auto as_floats = [&](const TorchValue& value) {
    return value.is_plain_number() ? TorchValue::of_number(value.as_number())
                                   : result(call.as_floats(call.as_tensor(value)));
  };
  TorchValue quotient = compute(call, BinaryFunction::Div, as_floats(a), as_floats(b));
  if (rounding.empty()) return quotient;
  if (rounding == "floor")
    return result(call.unary(UnaryFunction::Floor, call.as_floats(call.as_tensor(quotient))));
  call.refuse("its rounding_mode '" + rounding + "' of tensors is not supported; use 'floor'");
}

TorchValue div(TorchCall& call) {
  return divide(call, call.given("rounding_mode") ? call.text("rounding_mode") : "");
}

TorchValue floor_divide(TorchCall& call) { return divide(call, "floor"); }

// The remainder has the divisor's sign.
TorchValue remainder(TorchCall& call) {
  const std::optional<TorchValue> left = number_in(call, call.argument("input"));
  const std::optional<TorchValue> right = number_in(call, call.argument("other"));
  if (left && right && !left->is(Kind::kNumber) && !right->is(Kind::kNumber) && right->integer > 0)
    return TorchValue::of_integer((left->integer % right->integer + right->integer) %
                                  right->integer);
  return plain<BinaryFunction::Modulo>(call);
}

TorchValue power(TorchCall& call) {
  const TorchValue& x = call.argument("input");
  const TorchValue& exponent = call.argument("exponent");
  if (const auto number = number_in(call, exponent); number && number->as_number() == 2)
    return compute(call, BinaryFunction::Mul, x, x);
  const TorchValue base = x.is(Kind::kTensor) ? result(call.as_floats(x.tensor)) : x;
  return compute(
      call, BinaryFunction::Pow, base,
      exponent.is_plain_number() ? TorchValue::of_number(exponent.as_number()) : exponent);
}

// input + value * a * b
TorchValue add_product(TorchCall& call) {
  const TorchValue product =
      compute(call, BinaryFunction::Mul, call.argument("tensor1"), call.argument("tensor2"));
  const TorchValue weighed =
      compute(call, BinaryFunction::Mul, product, TorchValue::of_number(call.number("value")));
  return compute(call, BinaryFunction::Add, call.argument("input"), weighed);
}

// start + weight * (end - start)
TorchValue lerp(TorchCall& call) {
  const TorchValue way =
      compute(call, BinaryFunction::Sub, call.argument("end"), call.argument("input"));
  return compute(call, BinaryFunction::Add, call.argument("input"),
                 compute(call, BinaryFunction::Mul, way, call.argument("weight")));
}

template <CompareFunction kFunction, bool kSwapped = false>
TorchValue compare(TorchCall& call) {
  const auto [x, y] = aligned(call, call.argument("input"), call.argument("other"));
  return result(kSwapped ? call.compare(kFunction, y, x) : call.compare(kFunction, x, y));
}

TorchValue where(TorchCall& call) {
  const auto [x, y] = aligned(call, call.argument("input"), call.argument("other"));
  return result(call.select(call.tensor("condition"), x, y));
}

// Over `dim`, or over everything.
template <ReduceFunction kFunction>
TorchValue reduce(TorchCall& call) {
  const TensorId x = call.tensor("input");
  format::ReduceT options;
  options.function = kFunction;
  if (call.given("dim"))
    for (const std::int64_t axis : call.integers("dim"))
      options.axes.push_back(call.checked_axis(axis, call.rank(x)));
  options.keep_axes = call.flag("keepdim");
  return result(call.emit(std::move(options), {x}));
}

constexpr TorchFunction kRows[] = {
    {"add", "input, other, alpha=1", with_alpha<BinaryFunction::Add>},
    {"addcmul", "input, tensor1, tensor2, value=1", add_product},
    {"amax", "input, dim=None, keepdim=False", reduce<ReduceFunction::Max>},
    {"amin", "input, dim=None, keepdim=False", reduce<ReduceFunction::Min>},
    {"div", "input, other, rounding_mode=None", div},
    {"eq", "input, other", compare<CompareFunction::Equal>},
    {"floor_divide", "input, other", floor_divide},
    {"floordiv", "input, other", floor_divide},
    {"ge", "input, other", compare<CompareFunction::LessOrEqual, true>},
    {"gt", "input, other", compare<CompareFunction::Less, true>},
    {"le", "input, other", compare<CompareFunction::LessOrEqual>},
    {"lerp", "input, end, weight", lerp},
    {"lt", "input, other", compare<CompareFunction::Less>},
    {"max", "input, other", larger<BinaryFunction::Max>},
    {"maximum", "input, other", plain<BinaryFunction::Max>},
    {"mean", "input, dim=None, keepdim=False, dtype=None", reduce<ReduceFunction::Mean>},
    {"min", "input, other", larger<BinaryFunction::Min>},
    {"minimum", "input, other", plain<BinaryFunction::Min>},
    {"mul", "input, other", plain<BinaryFunction::Mul>},
    {"multiply", "input, other", plain<BinaryFunction::Mul>},
    {"ne", "input, other", compare<CompareFunction::NotEqual>},
    {"pow", "input, exponent", power},
    {"remainder", "input, other", remainder},
    {"rsub", "input, other, alpha=1", reversed_difference},
    {"sub", "input, other, alpha=1", with_alpha<BinaryFunction::Sub>},
    {"sum", "input, dim=None, keepdim=False, dtype=None", reduce<ReduceFunction::Sum>},
    {"where", "condition, input, other", where},
};

}  // namespace

const std::span<const TorchFunction> kTorchArithmetic = kRows;

}  // namespace figment::converter
