// The border check that every operator passes.
#include "runtime/ops/operator.h"

namespace figment::ops {

Status check_operation(const OperatorEntry& entry, const Operation& operation, Tensor& result) {
  const OperatorRoom& room = *entry.room;
  const std::size_t count = operation.inputs.size();
  if (count < room.min_inputs || count > room.max_inputs)
    return bad_file({entry.kind, " has ", count, " inputs but takes ", std::size_t{room.min_inputs},
                     " to ", std::size_t{room.max_inputs}});
  for (std::size_t index = 0; index < room.min_inputs; ++index)
    if (!operation.in(index).present()) return bad_file({entry.kind, " lacks input ", index});
  return room.shape(operation, result);
}

}  // namespace figment::ops
