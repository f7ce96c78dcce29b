// A model of a few operators with a branch, made by the converter's own means.
#pragma once

#include <string>
#include <vector>

#include "figment/figment.h"
#include "targets/host/input_file.h"

namespace figment::testing {

// x [N,4] -> Dense to 4, relu -> (sum with x) -> y [N,4]; `input_name` is the input's name. The
// model is a view of the bytes.
struct SmallModel {
  explicit SmallModel(const std::string& input_name = "x");

  std::vector<std::byte> bytes;
  host::AlignedMemory aligned;
  Model model;
};

}  // namespace figment::testing
