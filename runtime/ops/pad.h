// Where the numbers of a margin come from, for Pad and its gradient.
#pragma once

#include "runtime/ops/operator.h"

namespace figment::ops {

// Which of `extent` numbers stands at `position`, counted from the first of them; -1: the constant.
inline std::int64_t pad_source(std::int64_t position, std::int64_t extent, format::PadMode mode) {
  if (position >= 0 && position < extent) return position;
  switch (mode) {
    case format::PadMode::Constant:
      return -1;
    case format::PadMode::Reflect:
      return position < 0 ? -position : 2 * (extent - 1) - position;
    case format::PadMode::Edge:
      return position < 0 ? 0 : extent - 1;
  }
  return -1;
}

}  // namespace figment::ops
