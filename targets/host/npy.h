// NumPy's .npy files: one array of numbers each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "figment/figment.h"

namespace figment::host {

// An array in row-major order, whatever the file had.
struct Array {
  std::vector<std::int64_t> shape;
  // Every type that is read fits exactly, but for whole numbers past 2^53.
  std::vector<double> values;
};

// Reads versions 1 to 3 of the format, little-endian floats of 2, 4 and 8 bytes, integers of 1 to 8
// and booleans, in C and Fortran order. `name` is for errors: throws VerbError, kBadFile for what
// is damaged or no .npy file, kUnsupported for other types of values (objects, text, big-endian
// numbers).
Array read_npy(std::span<const std::byte> bytes, const std::string& name);

// A file of version 1 that holds `values` (kFloat32: float, kInt32: int32; else VerbError) in
// row-major order.
std::vector<std::byte> write_npy(const std::vector<std::int64_t>& shape,
                                 const std::vector<double>& values, DataType type);

}  // namespace figment::host
