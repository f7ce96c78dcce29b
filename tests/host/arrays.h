// Arrays that the command line has written, and how far two of them lie apart.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <string>

#include "targets/host/npy.h"
#include "tests/host/scratch_folder.h"

namespace figment::testing {

inline host::Array read_array(const std::string& path) {
  const std::string text = read_text(path);
  return host::read_npy(std::as_bytes(std::span(text)), path);
}

// The largest absolute difference; a NaN stays one.
inline double largest_difference(const host::Array& a, const host::Array& b) {
  CHECK(a.shape == b.shape);
  REQUIRE(a.values.size() == b.values.size());
  double largest = 0;
  for (std::size_t index = 0; index < a.values.size(); ++index)
    if (const double difference = std::abs(a.values[index] - b.values[index]);
        !(difference <= largest))
      largest = difference;
  return largest;
}

}  // namespace figment::testing
