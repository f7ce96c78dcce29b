// Small files of examples, byte by byte, and what becomes of them.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "targets/host/data/data_set.h"
#include "targets/host/exit_code.h"
#include "targets/host/npy.h"
#include "tests/host/scratch_folder.h"

namespace figment::testing {

inline std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// An IDX file of type `code` with these extents, and `data` behind.
inline std::string idx_file(int code, const std::vector<std::uint32_t>& shape,
                            const std::string& data) {
  std::string file{'\0', '\0', static_cast<char>(code), static_cast<char>(shape.size())};
  for (const std::uint32_t extent : shape)
    for (int bits = 24; bits >= 0; bits -= 8) file += static_cast<char>(extent >> bits & 255);
  return file + data;
}

inline std::string npy_file(const std::vector<std::int64_t>& shape,
                            const std::vector<double>& values, DataType type = DataType::kFloat32) {
  return text_of(host::write_npy(shape, values, type));
}

// A port whose runtime shape is `shape`; `source_axes` in order where none are given.
inline host::ExampleForm form_of(std::initializer_list<std::int32_t> shape,
                                 std::initializer_list<std::uint8_t> source_axes = {},
                                 DataType type = DataType::kFloat32) {
  host::ExampleForm form;
  form.what = "input 'x'";
  form.port.name = "x";
  form.port.type = type;
  form.port.batch_axis = 0;
  for (const std::int32_t extent : shape) {
    form.port.source_axes[form.port.shape.rank] = static_cast<std::uint8_t>(form.port.shape.rank);
    form.port.shape[form.port.shape.rank++] = extent;
  }
  std::copy(source_axes.begin(), source_axes.end(), form.port.source_axes);
  return form;
}

// Example `index` as numbers.
template <typename T = float>
std::vector<T> read_example(const host::DataSet& data, const host::ExampleForm& form,
                            std::int64_t index) {
  std::vector<T> values(static_cast<std::size_t>(form.port.shape.elements()));
  Tensor tensor;
  tensor.data = values.data();
  tensor.shape = form.port.shape;
  tensor.type = form.port.type;
  data.read(index, tensor);
  return values;
}

// Calls `action`, which must throw VerbError with `code` and a sentence that holds `words`.
template <typename Action>
void check_refused(const Action& action, host::ExitCode code, const std::string& words) {
  try {
    action();
    FAIL("nothing was refused: " << words);
  } catch (const host::VerbError& error) {
    CHECK(error.code == code);
    CAPTURE(std::string(error.what()));
    CHECK(std::string(error.what()).find(words) != std::string::npos);
  }
}

}  // namespace figment::testing
