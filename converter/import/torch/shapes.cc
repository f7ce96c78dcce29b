// Functions that give the same numbers another shape or order.
#include <algorithm>
#include <numeric>

#include "converter/import/torch/call.h"

namespace figment::converter {
namespace {

using Kind = TorchValue::Kind;
using Extents = std::vector<std::int64_t>;

TorchValue result(TensorId id) { return TorchValue::of_tensor(id); }

Extents extents_of(const TorchCall& call, TensorId x) {
  const Shape shape = call.shape(x);
  return {shape.dims, shape.dims + shape.rank};
}

// One extent may be -1: whatever is left.
TensorId reshape_open(TorchCall& call, TensorId x, Extents to) {
  const std::int64_t all = call.shape(x).elements();
  std::int64_t known = 1;
  std::int64_t* open = nullptr;
  for (std::int64_t& extent : to) {
    if (extent == -1 && open == nullptr) {
      open = &extent;
      continue;
    }
    known *= call.checked_int(extent, "extent");
    if (known > all) break;
  }
  if (open != nullptr && known > 0 && all % known == 0) *open = all / known;
  std::int64_t total = 1;
  for (const std::int64_t extent : to) {
    if (extent < 0 || total > all) break;
    total *= extent;
  }
  if (total != all || std::ranges::find(to, -1) != to.end()) {
    std::string wanted;
    for (const std::int64_t extent : to)
      wanted += (wanted.empty() ? "" : "x") + std::to_string(extent);
    call.refuse("it cannot give a tensor of shape " + describe(call.shape(x)) + " the shape " +
                wanted);
  }
  return call.reshape_to(x, to);
}

TorchValue reshape(TorchCall& call) {
  return result(reshape_open(call, call.tensor("input"), call.integers("shape")));
}

TorchValue view_as(TorchCall& call) {
  return result(reshape_open(call, call.tensor("input"), extents_of(call, call.tensor("other"))));
}

TorchValue flatten(TorchCall& call) {
  const TensorId x = call.tensor("input");
  const int rank = call.rank(x);
  if (rank == 0) return result(call.reshape_to(x, {1}));
  const int start = call.axis("start_dim", rank), end = call.axis("end_dim", rank);
  if (start > end) call.refuse("its start_dim comes after its end_dim");
  Extents to;
  for (int axis = 0; axis < rank; ++axis) {
    if (axis > start && axis <= end)
      to.back() *= call.shape(x)[axis];
    else
      to.push_back(call.shape(x)[axis]);
  }
  return result(call.reshape_to(x, to));
}

TorchValue unflatten(TorchCall& call) {
  const TensorId x = call.tensor("input");
  const int axis = call.axis("dim", call.rank(x));
  Extents parts = call.integers(call.given("sizes") ? "sizes" : "unflattened_size");
  const std::int64_t all = call.shape(x)[axis];
  std::int64_t known = 1;
  for (const std::int64_t part : parts)
    if (part > 0 && known <= all) known *= part;
  for (std::int64_t& part : parts)
    if (part == -1 && known > 0) part = all / known;
  Extents to = extents_of(call, x);
  to.erase(to.begin() + axis);
  to.insert(to.begin() + axis, parts.begin(), parts.end());
  return result(reshape_open(call, x, to));
}

TensorId reorder(TorchCall& call, TensorId x, const std::vector<int>& order) {
  std::vector<int> sorted = order;
  std::ranges::sort(sorted);
  for (std::size_t axis = 0; axis < sorted.size(); ++axis)
    if (sorted[axis] != static_cast<int>(axis) ||
        sorted.size() != static_cast<std::size_t>(call.rank(x)))
      call.refuse("it must name each of the tensor's " + std::to_string(call.rank(x)) +
                  " axes once");
  return call.transpose(x, order);
}

TorchValue permute(TorchCall& call) {
  const TensorId x = call.tensor("input");
  std::vector<int> order;
  for (const std::int64_t axis : call.integers("dims"))
    order.push_back(call.checked_axis(axis, call.rank(x)));
  return result(reorder(call, x, order));
}

TensorId swap(TorchCall& call, TensorId x, int first, int second) {
  std::vector<int> order(static_cast<std::size_t>(call.rank(x)));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[static_cast<std::size_t>(first)], order[static_cast<std::size_t>(second)]);
  return call.transpose(x, order);
}

TorchValue transpose(TorchCall& call) {
  const TensorId x = call.tensor("input");
  return result(swap(call, x, call.axis("dim0", call.rank(x)), call.axis("dim1", call.rank(x))));
}

TorchValue matrix_transpose(TorchCall& call) {
  const TensorId x = call.tensor("input");
  const int rank = call.rank(x);
  return result(rank < 2 ? x : swap(call, x, rank - 2, rank - 1));
}

// Without `dim` all extents of 1 go.
TorchValue squeeze(TorchCall& call) {
  const TensorId x = call.tensor("input");
  std::vector<bool> goes(static_cast<std::size_t>(call.rank(x)), !call.given("dim"));
  if (call.given("dim"))
    for (const std::int64_t axis : call.integers("dim"))
      goes[static_cast<std::size_t>(call.checked_axis(axis, call.rank(x)))] = true;
  Extents to;
  for (int axis = 0; axis < call.rank(x); ++axis)
    if (!goes[static_cast<std::size_t>(axis)] || call.shape(x)[axis] != 1)
      to.push_back(call.shape(x)[axis]);
  return result(call.reshape_to(x, to));
}

TorchValue unsqueeze(TorchCall& call) {
  const TensorId x = call.tensor("input");
  Extents to = extents_of(call, x);
  to.insert(to.begin() + call.axis("dim", call.rank(x) + 1), 1);
  return result(call.reshape_to(x, to));
}

// -1: the extent stays.
TensorId expand_to(TorchCall& call, TensorId x, Extents to) {
  const Shape shape = call.shape(x);
  if (to.size() < static_cast<std::size_t>(shape.rank))
    call.refuse("it would expand " + describe(shape) + " to fewer axes");
  for (std::size_t axis = 0; axis < to.size(); ++axis) {
    const std::size_t added = to.size() - static_cast<std::size_t>(shape.rank);
    if (to[axis] == -1 && axis >= added) to[axis] = shape[static_cast<int>(axis - added)];
  }
  return call.expand(x, make_shape(to));
}

TorchValue expand(TorchCall& call) {
  return result(expand_to(call, call.tensor("input"), call.integers("size")));
}

TorchValue expand_as(TorchCall& call) {
  return result(expand_to(call, call.tensor("input"), extents_of(call, call.tensor("other"))));
}

// The whole tensor several times along each axis.
TorchValue repeat(TorchCall& call) {
  const TensorId x = call.tensor("input");
  const Extents times = call.integers("repeats");
  Extents from = extents_of(call, x);
  if (times.size() < from.size()) call.refuse("it has fewer repeats than axes");
  from.insert(from.begin(), times.size() - from.size(), 1);
  Extents to = from;
  for (std::size_t axis = 0; axis < to.size(); ++axis)
    to[axis] *= call.checked_int(times[axis], "repeats", 1);
  return result(call.tile(call.reshape_to(x, from), make_shape(to)));
}

TorchValue size(TorchCall& call) {
  const TensorId x = call.tensor("input");
  if (call.given("dim"))
    return TorchValue::of_integer(call.shape(x)[call.axis("dim", call.rank(x))]);
  std::vector<TorchValue> extents;
  for (const std::int64_t extent : extents_of(call, x))
    extents.push_back(TorchValue::of_integer(extent));
  return TorchValue::of_list(std::move(extents));
}

TorchValue dimensions(TorchCall& call) {
  return TorchValue::of_integer(call.rank(call.tensor("input")));
}

TorchValue count(TorchCall& call) {
  return TorchValue::of_integer(call.shape(call.tensor("input")).elements());
}

constexpr TorchFunction kRows[] = {
    {"dim", "input", dimensions},
    {"expand", "input, size, implicit=False", expand},
    {"expand_as", "input, other", expand_as},
    {"flatten", "input, start_dim=0, end_dim=-1", flatten},
    {"numel", "input", count},
    {"permute", "input, dims", permute},
    {"repeat", "input, repeats", repeat},
    {"reshape", "input, shape", reshape},
    {"reshape_as", "input, other", view_as},
    {"size", "input, dim=None", size},
    {"squeeze", "input, dim=None", squeeze},
    {"t", "input", matrix_transpose},
    {"transpose", "input, dim0, dim1", transpose},
    {"unflatten", "input, dim, sizes", unflatten},
    {"unsqueeze", "input, dim", unsqueeze},
    {"view", "input, shape", reshape},
    {"view_as", "input, other", view_as},
};

constexpr TorchFunction kLayers[] = {
    {"Flatten", "input, start_dim=1, end_dim=-1", flatten},
    {"Unflatten", "input, dim, unflattened_size", unflatten},
};

}  // namespace

const std::span<const TorchFunction> kTorchShapes = kRows;
const std::span<const TorchFunction> kTorchShapeLayers = kLayers;

}  // namespace figment::converter
