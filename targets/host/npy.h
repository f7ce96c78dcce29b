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

// Where the numbers of an array lie in a file's bytes, and how each of them is read.
struct ArrayLayout {
  std::vector<std::int64_t> shape;
  std::size_t begin = 0;  // of the first number
  std::size_t element_bytes = 0;
  double (*load)(const std::byte* from) = nullptr;
  bool are_bytes = false;  // whole numbers from 0 to 255
  bool fortran_order = false;
};

// Whether the bytes begin as a .npy file.
bool is_npy(std::span<const std::byte> bytes);

// Reads the header and compares it with the bytes that are there; throws as read_npy.
ArrayLayout find_npy(std::span<const std::byte> bytes, const std::string& name);

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
