// The operators that one layer or node of a trained file becomes.
#include "converter/import/node_builder.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace figment::converter {

void NodeBuilder::refuse(const std::string& why) const {
  throw ConvertError("node '" + label_ + "' (" + kind_ + "): " + why);
}

void NodeBuilder::check_made(double count) const {
  check_late(count);
  graph_.computed_bytes += static_cast<std::int64_t>(std::max(count, 0.0) * sizeof(float));
  if (graph_.computed_bytes > graph_.freely_made)
    refuse("it makes a constant of too many numbers; compute it from an input instead");
}

void NodeBuilder::check_late(double count) const {
  constexpr double kMost = 1 << 28;
  const bool sound = count <= kMost;  // a NaN is not
  const auto bytes = sound ? static_cast<std::int64_t>(std::max(count, 0.0) * sizeof(float)) : 0;
  if (!sound || !graph_.may_make(bytes))
    refuse("it makes a constant of too many numbers; compute it from an input instead");
  graph_.added_bytes -= bytes;  // which it is not
}

// ---- Numbers for the schema ----

int NodeBuilder::checked_int(std::int64_t value, const std::string& what, int low) const {
  if (value < low || value > std::numeric_limits<std::int32_t>::max())
    refuse("its " + what + " is " + std::to_string(value) + ", but must be at least " +
           std::to_string(low) + " and below 2^31");
  return static_cast<int>(value);
}

int NodeBuilder::checked_axis(std::int64_t axis, int rank) const {
  if (axis < -rank || axis >= rank)
    refuse("its axis " + std::to_string(axis) + " is outside a tensor of " + std::to_string(rank) +
           " axes");
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

// ---- Operators ----

TensorId NodeBuilder::unary(format::UnaryFunction function, TensorId x, float alpha, float beta) {
  using format::BinaryFunction;
  if (type(x) == DataType::kInt32) {
    switch (function) {
      case format::UnaryFunction::Abs:
        return binary(BinaryFunction::Max, x, binary(BinaryFunction::Sub, integer(0), x));
      case format::UnaryFunction::Neg:
        return binary(BinaryFunction::Sub, integer(0), x);
      case format::UnaryFunction::Relu:
        return binary(BinaryFunction::Max, x, integer(0));
      case format::UnaryFunction::Sign:
        return binary(BinaryFunction::Max, binary(BinaryFunction::Min, x, integer(1)), integer(-1));
      default:
        break;
    }
  }
  format::UnaryT options;
  options.function = function;
  options.alpha = alpha;
  options.beta = beta;
  return emit(options, {x});
}

TensorId NodeBuilder::binary(format::BinaryFunction function, TensorId a, TensorId b) {
  format::BinaryT options;
  options.function = function;
  return emit(options, {a, b});
}

TensorId NodeBuilder::compare(format::CompareFunction function, TensorId a, TensorId b) {
  format::CompareT options;
  options.function = function;
  return emit(options, {a, b});
}

TensorId NodeBuilder::select(TensorId condition, TensorId a, TensorId b) {
  return emit(format::SelectT{}, {condition, a, b});
}

TensorId NodeBuilder::cast(TensorId x, DataType to) {
  if (type(x) == to) return x;
  format::CastT options;
  options.to = static_cast<format::DataType>(to);
  return emit(options, {x});
}

TensorId NodeBuilder::counting(int count, int after) {
  check_made(count);
  std::vector<std::int64_t> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 0);
  std::vector<std::int64_t> extents(static_cast<std::size_t>(after) + 1, 1);
  extents[0] = count;
  return integer_constant(values, make_shape(extents));
}

TensorId NodeBuilder::transpose(TensorId x, const std::vector<int>& permutation) {
  if (std::ranges::is_sorted(permutation)) return x;
  format::TransposeT options;
  options.permutation.assign(permutation.begin(), permutation.end());
  return emit(std::move(options), {x});
}

TensorId NodeBuilder::reshape(TensorId x, const Shape& to) {
  if (shape(x) == to) return x;
  if (constant(x) && shape(x).elements() != to.elements())
    refuse("it would give " + describe(shape(x)) + " the shape " + describe(to) +
           ", which has another number of elements");
  return emit(format::ReshapeT{}, {x}, to);
}

TensorId NodeBuilder::tile(TensorId x, const Shape& to) {
  if (shape(x) == to) return x;
  return emit(format::TileT{}, {x}, to);
}

TensorId NodeBuilder::concat(std::vector<TensorId> parts, int axis) {
  // More parts than one operator takes are put together in turns.
  constexpr std::size_t kMost = 64;
  format::ConcatT options;
  options.axis = axis;
  while (parts.size() > 1) {
    const auto count = static_cast<std::ptrdiff_t>(std::min(parts.size(), kMost));
    const TensorId joined = emit(options, {parts.begin(), parts.begin() + count});
    parts.erase(parts.begin(), parts.begin() + count);
    parts.insert(parts.begin(), joined);
  }
  return parts.at(0);
}

TensorId NodeBuilder::integer_constant(const std::vector<std::int64_t>& values,
                                       const Shape& shape) {
  std::vector<std::int32_t> saturated;
  saturated.reserve(values.size());
  for (const std::int64_t value : values)
    saturated.push_back(static_cast<std::int32_t>(
        std::clamp<std::int64_t>(value, std::numeric_limits<std::int32_t>::min(),
                                 std::numeric_limits<std::int32_t>::max())));
  return graph_.add_integers(label_ + "/constant", shape, saturated);
}

TensorId NodeBuilder::expand(TensorId x, const Shape& to) {
  const Shape from = shape(x);
  Shape aligned;
  aligned.rank = std::max(from.rank, to.rank);
  Shape result = aligned;
  for (int axis = 0; axis < aligned.rank; ++axis) {
    const int in_from = axis - (aligned.rank - from.rank);
    const int in_to = axis - (aligned.rank - to.rank);
    aligned[axis] = in_from >= 0 ? from[in_from] : 1;
    const int wanted = in_to >= 0 ? to[in_to] : 1;
    if (aligned[axis] != wanted && aligned[axis] != 1 && wanted != 1)
      refuse("a tensor of shape " + describe(from) + " cannot be broadcast to " + describe(to));
    result[axis] = aligned[axis] == 1 ? wanted : aligned[axis];
  }
  return tile(reshape(x, aligned), result);
}

}  // namespace figment::converter
