// Concat along an axis: each input's gradient is its part of dy.
#include <cstring>

#include "runtime/train/backward.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

Reads reads(const Call&, Inputs) { return {}; }

void backward(const Call& call) {
  const int axis = call.as<format::Concat>().axis();
  const Shape& y = call.out().shape;
  std::int64_t outer = 1;
  std::int64_t inner = 1;
  for (int before = 0; before < axis; ++before) outer *= y[before];
  for (int after = axis + 1; after < y.rank; ++after) inner *= y[after];
  const std::int64_t y_row = y[axis] * inner;
  std::int64_t begin = 0;  // of the input's part in each row of y
  for (std::size_t index = 0; index < call.operation.inputs.size(); ++index) {
    const std::int64_t row = call.in(index).shape[axis] * inner;
    if (float* gradient = call.gradient(index))
      share(outer * row < kWorthSharing ? nullptr : call.operation.threads, outer,
            [&](std::size_t, std::int64_t first, std::int64_t last) {
              for (std::int64_t i = first; i < last; ++i)
                std::memcpy(gradient + i * row, call.output_gradient + i * y_row + begin,
                            static_cast<std::size_t>(row) * sizeof(float));
            });
    begin += row;
  }
}

}  // namespace

extern const BackwardRoom kConcat;
const BackwardRoom kConcat{.differentiable = ~kNoInputs, .reads = reads, .backward = backward};

}  // namespace figment::train
