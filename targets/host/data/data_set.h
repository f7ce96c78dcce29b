// Examples from files, one after another or in any order, as a trainer takes them. Each kind of
// file has a room of its own here; none is held in memory as a whole.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "figment/figment.h"

namespace figment::host {

// What one example has to be.
struct ExampleForm {
  std::string what;  // for errors: "input 'image'"
  // Type, shape at batch 1 and the source's order of axes. The batch is the first axis.
  Port port;
  // What black and white become: bytes that fill float32 numbers are taken for pixels, 0 to 255.
  float low = 0, high = 1;
  // The picture's size where the model tells it; 0: as the shape has it.
  int height = 0, width = 0, channels = 0;
  // Numbers outside are refused; NaN and infinity always are.
  std::optional<std::pair<double, double>> bounds = {};
  // Whose vocabulary lines of text are written in; null: none has one.
  const Model* text = nullptr;
};

// Which symbols of a line of text.
enum class TextRole : std::uint8_t {
  kShown,   // the start, where there is one, and the line; what is left is filled with the end
  kWanted,  // the line and the end, where there is one; what is left is -1, which does not count
};

class DataSet {
 public:
  DataSet() = default;
  virtual ~DataSet() = default;
  DataSet(const DataSet&) = delete;
  DataSet& operator=(const DataSet&) = delete;

  virtual std::int64_t count() const = 0;
  // Writes example `index` into `to`: of the form's type and shape, in the model's own order of
  // axes. Throws VerbError when it cannot be read or lies outside the bounds.
  virtual void read(std::int64_t index, const Tensor& to) const = 0;
  // What tells these files from others without reading them through: a checkpoint holds it.
  virtual std::string identity() const = 0;
};

// Opens a folder of PNG pictures, an IDX file (also compressed by gzip), a .npy array, or lines of
// text, whichever `path` is. Throws VerbError: kInputOutput, kBadFile, or kBadArgument when the
// examples do not fit `form`.
std::unique_ptr<DataSet> open_data_set(const std::string& path, const ExampleForm& form,
                                       TextRole role = TextRole::kShown);

}  // namespace figment::host
