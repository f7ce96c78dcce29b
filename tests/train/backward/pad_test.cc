// Gradients of padding against central differences in double precision, and against PyTorch's.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include "tests/train/backward/torch_goldens.h"

namespace figment::testing {
namespace {

using format::PadMode;
using Extents = std::vector<std::int32_t>;

format::PadT pad(PadMode mode, const Extents& before, const Extents& after) {
  format::PadT options;
  options.mode = mode;
  options.before = before;
  options.after = after;
  options.value = 0.5F;
  return options;
}

// Where place `place` of the output stands along an axis of the input; -1: in the constant.
int source_of(int place, int extent, PadMode mode) {
  if (mode == PadMode::Edge) return std::clamp(place, 0, extent - 1);
  if (mode == PadMode::Reflect) return extent - 1 - std::abs(extent - 1 - std::abs(place));
  return place >= 0 && place < extent ? place : -1;
}

void check_pad(std::initializer_list<std::int32_t> extents, const Extents& before,
               const Extents& after) {
  for (const PadMode mode : {PadMode::Constant, PadMode::Reflect, PadMode::Edge}) {
    CAPTURE(mode);
    BackwardCase test;
    test.options = options_of(pad(mode, before, after));
    test.operands = {random_operand(extents, 1)};
    test.definition = [=, x = Extents(extents)](const Doubles& operands) {
      std::size_t count = 1;
      for (std::size_t axis = 0; axis < x.size(); ++axis)
        count *= static_cast<std::size_t>(before[axis] + x[axis] + after[axis]);
      std::vector<double> y;
      for (std::size_t i = 0; i < count; ++i) {
        int rest = static_cast<int>(i), offset = 0, stride = 1;
        bool constant = false;
        for (std::size_t axis = x.size(); axis-- > 0;) {
          const int padded = before[axis] + x[axis] + after[axis];
          const int source = source_of(rest % padded - before[axis], x[axis], mode);
          constant = constant || source < 0;
          offset += source * stride;
          stride *= x[axis];
          rest /= padded;
        }
        y.push_back(constant ? 0.5 : operands[0][static_cast<std::size_t>(offset)]);
      }
      return y;
    };
    check_backward(test);
  }
}

TEST_CASE("gradients of padding") {
  check_pad({2, 3, 4, 3}, {0, 1, 2, 0}, {0, 2, 1, 0});  // a picture's margins
  check_pad({2, 3, 4, 2}, {0, 1, 0, 1}, {0, 0, 3, 1});  // channels too
  check_pad({3, 4}, {2, 0}, {1, 0});                    // whole rows
  check_pad({2, 3, 5}, {1, 2, 4}, {1, 0, 3});           // every axis
  check_pad({5}, {3}, {4});
  check_pad({2, 3}, {0, 0}, {0, 0});
}

TEST_CASE("gradients of padding are those of PyTorch") {
  check_torch_golden("pad_reflect", options_of(pad(PadMode::Reflect, {0, 1, 2, 0}, {0, 2, 1, 0})));
  check_torch_golden("pad_edge", options_of(pad(PadMode::Edge, {0, 0, 2, 0}, {0, 3, 1, 0})));
}

}  // namespace
}  // namespace figment::testing
