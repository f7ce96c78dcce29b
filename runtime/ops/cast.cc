// Numbers of one type as another: float32, int32 and uint8 among each other, float16 constants to
// float32. Truncated toward zero and clamped where they do not fit; NaN is 0.
#include "runtime/math/half.h"
#include "runtime/math/saturate.h"
#include "runtime/ops/checks.h"

namespace figment::ops {
namespace {

// float32, int32 or uint8.
bool computable(DataType type) {
  return type == DataType::kFloat32 || type == DataType::kInt32 || type == DataType::kUInt8;
}

Status shape(const Operation& operation, Tensor& result) {
  const auto to = static_cast<DataType>(operation.as<format::Cast>().to());
  const Tensor& x = operation.in(0);
  const bool widens = x.type == DataType::kFloat16 && x.constant && to == DataType::kFloat32;
  if (!widens && (!computable(x.type) || !computable(to)))
    return unsupported({"cast from ",
                        format::EnumNameDataType(static_cast<format::DataType>(x.type)), " to ",
                        format::EnumNameDataType(operation.as<format::Cast>().to()),
                        "; float32, int32 and uint8 can be cast"});
  return set_result(result, to, x.shape);
}

template <typename From, typename To, typename Convert>
void each(const Operation& operation, Convert convert) {
  const From* x = static_cast<const From*>(operation.in(0).data);
  To* y = static_cast<To*>(operation.out().data);
  const std::int64_t count = operation.out().elements();
  for (std::int64_t i = 0; i < count; ++i) y[i] = convert(x[i]);
}

template <typename From>
void cast_from(const Operation& operation, std::int32_t (*to_integer)(From),
               float (*to_float)(From)) {
  switch (operation.out().type) {
    case DataType::kInt32:
      each<From, std::int32_t>(operation, to_integer);
      break;
    case DataType::kUInt8:
      each<From, std::uint8_t>(operation, [=](From x) { return math::to_uint8(to_integer(x)); });
      break;
    default:
      each<From, float>(operation, to_float);
      break;
  }
}

void forward(const Operation& operation) {
  switch (operation.in(0).type) {
    case DataType::kFloat16:
      each<std::uint16_t, float>(operation, math::widen_half);
      break;
    case DataType::kInt32:
      cast_from<std::int32_t>(
          operation, [](std::int32_t x) { return x; },
          [](std::int32_t x) { return static_cast<float>(x); });
      break;
    case DataType::kUInt8:
      cast_from<std::uint8_t>(
          operation, [](std::uint8_t x) { return std::int32_t{x}; },
          [](std::uint8_t x) { return static_cast<float>(x); });
      break;
    default:
      cast_from<float>(operation, math::to_int32, [](float x) { return x; });
      break;
  }
}

}  // namespace

extern const OperatorRoom kCast;
const OperatorRoom kCast{
    .min_inputs = 1,
    .max_inputs = 1,
    .memory = Memory::kOwn,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
