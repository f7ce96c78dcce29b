// How an activation becomes int8: its scale and zero point, chosen from the numbers that it took.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "converter/calibrate.h"
#include "runtime/math/requantize.h"

namespace figment::converter {

// The integer q stands for scale * (q - zero_point).
struct Int8Range {
  float scale = 1;
  std::int32_t zero_point = 0;

  // The nearest integer, halves to even, not yet clamped to int8.
  double steps(double value) const;
  std::int32_t quantize(double value) const;  // and clamped
  double value(int q) const { return double{scale} * (q - zero_point); }
};

// What is made of numbers before anybody reads them.
using Function = std::function<std::vector<float>(const std::vector<float>&)>;

// The range whose squared error over all the histograms is least, of those that cut off less or
// more at either end; 0 is always one of its numbers. `through`: the error is that of the
// function's results, so that what a tanh flattens anyway costs no steps; none: of the numbers
// themselves.
Int8Range choose_range(const std::vector<const Histogram*>& histograms, const Function& through);

// A real factor as a multiplier and a shift (runtime/math/requantize.h).
struct FixedPoint {
  std::int32_t multiplier, shift;
};
FixedPoint fixed_point(double factor);

// The numbers of a QuantizedAdd of a and b: both factors with one shift, so that 32 bits are
// enough. `clamp` has the lowest and highest integer of y.
std::vector<std::int32_t> sum_numbers(const Int8Range& a, const Int8Range& b, const Int8Range& y,
                                      const std::vector<std::int32_t>& clamp);

// What a function makes of each of the 256 numbers of x: the table of a QuantizedUnary.
std::vector<std::byte> table_of(const Function& function, const Int8Range& x, const Int8Range& y);

}  // namespace figment::converter
