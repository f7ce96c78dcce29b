// Permutations of axes.
#include "converter/passes/permutation.h"

#include <cstring>
#include <numeric>

namespace figment::converter {

bool is_identity(const Permutation& permutation) {
  for (std::size_t axis = 0; axis < permutation.size(); ++axis)
    if (permutation[axis] != static_cast<std::int32_t>(axis)) return false;
  return true;
}

Permutation inverse(const Permutation& permutation) {
  Permutation result(permutation.size());
  for (std::size_t axis = 0; axis < permutation.size(); ++axis)
    result[permutation[axis]] = static_cast<std::int32_t>(axis);
  return result;
}

Permutation compose(const Permutation& first, const Permutation& second) {
  Permutation result(second.size());
  for (std::size_t axis = 0; axis < second.size(); ++axis) result[axis] = first[second[axis]];
  return result;
}

Permutation channels_to_last(int rank) {
  Permutation result(rank);
  std::iota(result.begin(), result.end(), 0);
  for (int axis = 1; axis + 1 < rank; ++axis) result[axis] = axis + 1;
  if (rank > 1) result[rank - 1] = 1;
  return result;
}

bool moves_nothing(const Permutation& permutation, const std::vector<std::int64_t>& extents) {
  std::int32_t last = -1;
  for (const std::int32_t axis : permutation) {
    if (extents[axis] == 1) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

GraphTensor permuted(const GraphTensor& tensor, const Permutation& permutation) {
  GraphTensor result;
  result.name = tensor.name;
  result.type = tensor.type;
  result.shape.rank = tensor.shape.rank;
  for (int axis = 0; axis < tensor.shape.rank; ++axis) {
    result.shape[axis] = tensor.shape[permutation[axis]];
    if (permutation[axis] == tensor.batch_axis) result.batch_axis = axis;
  }
  return result;
}

TensorId permute_constant(Graph& graph, TensorId id, const Permutation& permutation) {
  if (is_identity(permutation)) return id;
  const GraphTensor& source = graph.tensor(id);
  const Shape shape = permuted(source, permutation).shape;
  const std::int64_t elements = shape.elements();
  if (elements == 0) return id;
  const std::size_t width = source.data->size() / static_cast<std::size_t>(elements);

  std::int64_t source_strides[kMaxRank];  // of the source's axes, in elements
  std::int64_t stride = 1;
  for (int axis = shape.rank - 1; axis >= 0; --axis) {
    source_strides[axis] = stride;
    stride *= source.shape[axis];
  }
  std::vector<std::byte> values(source.data->size());
  std::int32_t index[kMaxRank] = {};
  for (std::int64_t element = 0; element < elements; ++element) {
    std::int64_t from = 0;
    for (int axis = 0; axis < shape.rank; ++axis)
      from += index[axis] * source_strides[permutation[axis]];
    std::memcpy(values.data() + static_cast<std::size_t>(element) * width,
                source.data->data() + static_cast<std::size_t>(from) * width, width);
    for (int axis = shape.rank - 1; axis >= 0 && ++index[axis] == shape[axis]; --axis)
      index[axis] = 0;
  }
  return graph.add_constant(source.name, source.type, shape, std::move(values));
}

}  // namespace figment::converter
