// Functions that cut tensors and put them together.
#include <algorithm>

#include "converter/import/torch/call.h"

namespace figment::converter {
namespace {

using Kind = TorchValue::Kind;

constexpr std::int64_t kMostParts = 4096;

TorchValue result(TensorId id) { return TorchValue::of_tensor(id); }

TorchValue concatenate(TorchCall& call) {
  std::vector<TensorId> parts = call.tensors("tensors");
  if (parts.empty()) call.refuse("it puts nothing together");
  const int axis = call.axis("dim", call.rank(parts[0]));
  // Whole numbers beside others become such.
  if (std::ranges::any_of(parts, [&](TensorId id) { return call.type(id) != call.type(parts[0]); }))
    for (TensorId& part : parts) part = call.as_floats(part);
  return result(call.concat(std::move(parts), axis));
}

TorchValue stack(TorchCall& call) {
  std::vector<TensorId> parts = call.tensors("tensors");
  if (parts.empty()) call.refuse("it puts nothing together");
  const int axis = call.axis("dim", call.rank(parts[0]) + 1);
  for (TensorId& part : parts) {
    const Shape shape = call.shape(part);
    std::vector<std::int64_t> extents(shape.dims, shape.dims + shape.rank);
    if (axis > shape.rank) call.refuse("its tensors have different shapes");
    extents.insert(extents.begin() + axis, 1);
    part = call.reshape_to(part, extents);
  }
  return result(call.concat(std::move(parts), axis));
}

// Parts of the sizes given, which fill the axis.
TorchValue cut(TorchCall& call, TensorId x, int axis, const std::vector<std::int64_t>& sizes) {
  std::vector<TensorId> parts;
  std::int64_t start = 0;
  for (const std::int64_t size : sizes) {
    if (size < 1 || size > call.shape(x)[axis] - start)
      call.refuse("its sizes do not fill the axis of " + std::to_string(call.shape(x)[axis]));
    parts.push_back(call.part(x, axis, start, start + size));
    start += size;
  }
  if (start != call.shape(x)[axis])
    call.refuse("its sizes do not fill the axis of " + std::to_string(call.shape(x)[axis]));
  return TorchValue::of_tensors(parts);
}

// Parts of one size, the last of which may be smaller.
TorchValue cut_evenly(TorchCall& call, TensorId x, int axis, std::int64_t size) {
  const std::int64_t extent = call.shape(x)[axis];
  if (size < 1 || (extent + size - 1) / size > kMostParts)
    call.refuse("it would cut an axis of " + std::to_string(extent) + " into too many parts");
  std::vector<std::int64_t> sizes;
  for (std::int64_t start = 0; start < extent; start += size)
    sizes.push_back(std::min(size, extent - start));
  return cut(call, x, axis, sizes);
}

TorchValue chunk(TorchCall& call) {
  const TensorId x = call.tensor("input");
  const int axis = call.axis("dim", call.rank(x));
  const int chunks = call.small_integer("chunks", 1);
  return cut_evenly(call, x, axis, (std::int64_t{call.shape(x)[axis]} + chunks - 1) / chunks);
}

// One size, or a list of them.
TorchValue split(TorchCall& call) {
  const TensorId x = call.tensor("input");
  const int axis = call.axis("dim", call.rank(x));
  if (call.argument("split_size_or_sections").is(Kind::kInteger))
    return cut_evenly(call, x, axis, call.integer_argument("split_size_or_sections"));
  return cut(call, x, axis, call.integers("split_size_or_sections"));
}

TorchValue unbind(TorchCall& call) {
  const TensorId x = call.tensor("input");
  const int axis = call.axis("dim", call.rank(x));
  if (call.shape(x)[axis] > kMostParts) call.refuse("it would cut into too many parts");
  std::vector<TensorId> parts;
  for (int index = 0; index < call.shape(x)[axis]; ++index)
    parts.push_back(call.select_at(x, axis, index));
  return TorchValue::of_tensors(parts);
}

// x[start:end:step] along an axis, as Python counts.
TensorId slice_of(TorchCall& call, TensorId x, int axis, std::int64_t start, std::int64_t end,
                  std::int64_t step) {
  const std::int64_t extent = call.shape(x)[axis];
  if (step < 1 || step > extent + 1) step = std::max<std::int64_t>(1, std::min(step, extent));
  start = std::clamp<std::int64_t>(start < 0 ? start + extent : start, 0, extent);
  end = std::clamp<std::int64_t>(end < 0 ? end + extent : end, 0, extent);
  if (start >= end) call.refuse("its slice is empty");
  return call.part(x, axis, start, end, step);
}

TorchValue slice(TorchCall& call) {
  const TensorId x = call.tensor("input");
  const int axis = call.axis("dim", call.rank(x));
  const std::int64_t start = call.given("start") ? call.integer_argument("start") : 0;
  const std::int64_t end = call.given("end") ? call.integer_argument("end") : call.shape(x)[axis];
  return result(slice_of(call, x, axis, start, end, call.integer_argument("step")));
}

TorchValue narrow(TorchCall& call) {
  const TensorId x = call.tensor("input");
  const int axis = call.axis("dim", call.rank(x));
  const std::int64_t extent = call.shape(x)[axis];
  const std::int64_t start = call.integer_argument("start");
  const std::int64_t length = call.integer_argument("length");
  if (start < 0 || start >= extent || length < 1 || length > extent - start)
    call.refuse("it leaves the axis of " + std::to_string(extent));
  return result(call.part(x, axis, start, start + length));
}

TorchValue select(TorchCall& call) {
  const TensorId x = call.tensor("input");
  return result(call.select_at(x, call.axis("dim", call.rank(x)), call.integer_argument("index")));
}

TorchValue index_select(TorchCall& call) {
  const TensorId x = call.tensor("input");
  format::GatherT options;
  options.axis = call.axis("dim", call.rank(x));
  return result(call.emit(options, {x, call.tensor("index")}));
}

TorchValue flip(TorchCall& call) {
  TensorId x = call.tensor("input");
  format::SliceT options;
  options.starts.assign(static_cast<std::size_t>(call.rank(x)), 0);
  options.sizes.assign(static_cast<std::size_t>(call.rank(x)), -1);
  options.steps.assign(static_cast<std::size_t>(call.rank(x)), 1);
  for (const std::int64_t given : call.integers("dims")) {
    const int axis = call.checked_axis(given, call.rank(x));
    options.starts[static_cast<std::size_t>(axis)] = call.shape(x)[axis] - 1;
    options.steps[static_cast<std::size_t>(axis)] = -1;
  }
  return result(call.emit(std::move(options), {x}));
}

constexpr TorchFunction kRows[] = {
    {"cat", "tensors, dim=0", concatenate},
    {"chunk", "input, chunks, dim=0", chunk},
    {"concat", "tensors, dim=0", concatenate},
    {"flip", "input, dims", flip},
    {"index_select", "input, dim, index", index_select},
    {"narrow", "input, dim, start, length", narrow},
    {"select", "input, dim, index", select},
    {"slice", "input, dim=0, start=None, end=None, step=1", slice},
    {"split", "input, split_size_or_sections, dim=0", split},
    {"split_with_sizes", "input, split_size_or_sections, dim=0", split},
    {"stack", "tensors, dim=0", stack},
    {"unbind", "input, dim=0", unbind},
};

}  // namespace

const std::span<const TorchFunction> kTorchParts = kRows;

}  // namespace figment::converter
