// The checks that integer operators share.
#include "runtime/ops/quantized.h"

namespace figment::ops {
namespace {

constexpr std::int64_t kMostProduct = std::int64_t{255} * 128;  // |x - zero point| * |weight|

const math::QuantizedRange& range_of(const Operation& operation) {
  return *static_cast<const math::QuantizedRange*>(operation.in(kRange).data);
}

}  // namespace

Status require_integers(const Operation& operation, std::size_t index, std::int64_t count) {
  const Tensor& tensor = operation.in(index);
  if (tensor.type == DataType::kInt32 && tensor.constant && tensor.elements() == count) return {};
  return bad_file({"input ", index, " must be a constant of ", count,
                   " int32 numbers; convert the model again"});
}

Status require_zero_point(std::int32_t zero_point) {
  return require_range(zero_point, INT8_MIN, INT8_MAX, "a zero point");
}

Status require_limits(std::int32_t low, std::int32_t high) {
  FIG_TRY(require_range(low, INT8_MIN, INT8_MAX, "the lowest output"));
  return require_range(high, low, INT8_MAX, "the highest output");
}

Status require_int8_numbers(const Operation& operation) {
  FIG_TRY(require_float(operation, 1));
  if (!operation.in(1).constant || operation.in(1).elements() != 1)
    return bad_file({"the scale of int8 numbers must be a constant of one number"});
  FIG_TRY(require_integers(operation, 2, 1));
  const Int8Numbers numbers(operation);
  FIG_TRY(require_zero_point(numbers.zero_point));
  if (numbers.scale >= 0x1p-126F && numbers.scale <= 0x1p126F) return {};  // a NaN is not
  return bad_file({"the scale of int8 numbers must be positive and finite"});
}

Status require_quantized_product(const Operation& operation, std::int64_t depth,
                                 std::int64_t outputs) {
  FIG_TRY(require_type(operation, kX, DataType::kInt8));
  FIG_TRY(require_type(operation, kWeights, DataType::kInt8));
  if (!operation.in(kWeights).constant)
    return bad_file({"the int8 weights must be a constant; convert the model again"});
  FIG_TRY(require_integers(operation, kChannels, 3 * outputs));
  FIG_TRY(require_integers(operation, kRange, 4));
  const math::QuantizedRange& range = range_of(operation);
  FIG_TRY(require_zero_point(range.x_zero_point));
  FIG_TRY(require_zero_point(range.zero_point));
  FIG_TRY(require_limits(range.low, range.high));
  const std::int64_t most_bias = INT32_MAX - depth * kMostProduct;
  if (most_bias < 0)
    return bad_file(
        {"sums over ", depth, " products of int8 might leave 32 bits; leave it float32"});
  const auto* channels = static_cast<const math::QuantizedChannel*>(operation.in(kChannels).data);
  for (std::int64_t i = 0; i < outputs; ++i) {
    FIG_TRY(require_range(channels[i].bias, -most_bias, most_bias, "a bias"));
    FIG_TRY(require_range(channels[i].multiplier, 0, INT32_MAX, "a multiplier"));
    FIG_TRY(require_range(channels[i].shift, math::kMinShift, math::kMaxShift, "a shift"));
  }
  return {};
}

math::IntegerProduct product_of(const Operation& operation, std::int64_t first_output) {
  math::IntegerProduct product;
  product.channels =
      static_cast<const math::QuantizedChannel*>(operation.in(kChannels).data) + first_output;
  product.range = range_of(operation);
  return product;
}

}  // namespace figment::ops
