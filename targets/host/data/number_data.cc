// Reads each example where it lies in the file.
#include "targets/host/data/number_data.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "targets/host/describe.h"
#include "targets/host/exit_code.h"
#include "targets/host/ports.h"

namespace figment::host {
namespace {

using Extents = std::vector<std::int64_t>;

Extents without_ones(Extents shape) {
  std::erase(shape, 1);
  return shape;
}

std::int64_t product(const Extents& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

// Where each of an example's numbers goes; empty: in the order in which they come.
std::vector<std::size_t> order_of(const Extents& given, const ExampleForm& form,
                                  const std::string& name) {
  const Extents source = source_shape(form.port, 1);
  const Shape& shape = form.port.shape;
  const Extents ours(shape.dims, shape.dims + shape.rank);
  const Extents plain = without_ones(given);
  const bool flat = plain.size() <= 1 && product(plain) == product(source);
  const bool into_flat = without_ones(source).size() <= 1 && product(plain) == product(source);
  if (flat || plain == without_ones(source)) return source_offsets(form.port, source);
  if (into_flat || plain == without_ones(ours)) return {};
  throw VerbError(ExitCode::kBadArgument,
                  name + " holds examples of shape " + describe_shape(given) + " but " + form.what +
                      " takes " + describe_shape(Extents(source.begin() + 1, source.end())));
}

class NumberData : public DataSet {
 public:
  NumberData(std::unique_ptr<MappedFile> file, const ArrayLayout& layout, const ExampleForm& form,
             const std::string& name)
      : file_(std::move(file)), layout_(layout), form_(form), name_(name) {
    const Extents example(layout.shape.begin() + 1, layout.shape.end());
    size_ = static_cast<std::size_t>(product(example));
    offsets_ = order_of(example, form, name);
  }

  std::int64_t count() const override { return layout_.shape.front(); }

  void read(std::int64_t index, const Tensor& to) const override {
    const std::byte* from = file_->bytes().data() + layout_.begin +
                            static_cast<std::size_t>(index) * size_ * layout_.element_bytes;
    const bool pixels = layout_.are_bytes && to.type == DataType::kFloat32;
    const double scale = (double{form_.high} - double{form_.low}) / 255;
    for (std::size_t i = 0; i < size_; ++i) {
      double value = layout_.load(from + i * layout_.element_bytes);
      if (pixels)
        value = double{form_.low} + scale * value;
      else
        check(value, index, to.type);
      const std::size_t offset = offsets_.empty() ? i : offsets_[i];
      if (to.type == DataType::kFloat32)
        to.floats()[offset] = static_cast<float>(value);
      else
        to.integers()[offset] = static_cast<std::int32_t>(value);
    }
  }

  std::string identity() const override {
    return describe_shape(layout_.shape) + " numbers of " + std::to_string(layout_.element_bytes) +
           " bytes";
  }

 private:
  void check(double value, std::int64_t index, DataType type) const {
    const auto refuse = [&](const std::string& why) {
      return VerbError(ExitCode::kBadArgument, "example " + std::to_string(index) + " of " + name_ +
                                                   " holds " + number_text(value) + ", " + why);
    };
    if (!std::isfinite(value)) throw refuse("which is no number to learn from");
    if (type == DataType::kInt32 && (value != std::floor(value) || std::abs(value) > 2147483647.0))
      throw refuse("but " + form_.what + " takes whole numbers");
    if (form_.bounds && (value < form_.bounds->first || value > form_.bounds->second))
      throw refuse("but " + form_.what + " takes " + number_text(form_.bounds->first) + " to " +
                   number_text(form_.bounds->second));
  }

  std::unique_ptr<MappedFile> file_;
  ArrayLayout layout_;
  ExampleForm form_;
  std::string name_;
  std::size_t size_;  // numbers of an example
  std::vector<std::size_t> offsets_;
};

}  // namespace

std::unique_ptr<DataSet> open_numbers(std::unique_ptr<MappedFile> file, const ArrayLayout& layout,
                                      const ExampleForm& form, const std::string& name) {
  if (layout.shape.empty())
    throw VerbError(ExitCode::kBadArgument,
                    name + " holds one number; the first axis must count examples");
  if (layout.shape.front() == 0)
    throw VerbError(ExitCode::kBadArgument, name + " holds no example");
  if (layout.fortran_order && layout.shape.size() > 1)
    throw VerbError(ExitCode::kUnsupported,
                    name +
                        " is in Fortran order, where examples do not lie one after another; "
                        "save it with numpy.ascontiguousarray(array)");
  return std::make_unique<NumberData>(std::move(file), layout, form, name);
}

}  // namespace figment::host
