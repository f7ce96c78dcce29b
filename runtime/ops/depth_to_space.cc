// DepthToSpace: x [N,H,W,C] -> [N, H*block, W*block, C/(block*block)]. Channel by channel of the
// output, input channel (row * block + column) * outputs + c (ONNX's DCR) or c * block * block +
// row * block + column (CRD) goes to place (row, column) of the block.
#include <algorithm>

#include "runtime/ops/window.h"

namespace figment::ops {
namespace {

Status shape(const Operation& operation, Tensor& result) {
  const auto& options = operation.as<format::DepthToSpace>();
  const Tensor& input = operation.in(0);
  if (input.type != DataType::kInt8) FIG_TRY(require_float(operation, 0));
  FIG_TRY(require_rank(operation, 0, 4));
  if (options.order() > format::DepthOrder::MAX)
    return unsupported({"the order of channels is newer than this runtime; update Figment"});
  FIG_TRY(require_range(options.block(), 1, kMaxWindow, "block"));
  const Shape& x = input.shape;
  const int places = options.block() * options.block();
  if (x[3] % places != 0)
    return bad_file(
        {"input 0 has ", x[3], " channels, which blocks of ", places, " do not divide"});
  FIG_TRY(set_picture(result, x[0], std::int64_t{x[1]} * options.block(),
                      std::int64_t{x[2]} * options.block(), x[3] / places));
  result.type = input.type;
  return {};
}

// Elements of one type, whatever it is.
template <typename T>
void move(const Operation& operation) {
  const auto& options = operation.as<format::DepthToSpace>();
  const Shape& x = operation.in(0).shape;
  const int block = options.block();
  const int channels = operation.out().shape[3];
  const std::int64_t run = std::int64_t{block} * channels;  // numbers of one block row
  const T* pixel = static_cast<const T*>(operation.in(0).data);
  for (std::int64_t row = 0; row < std::int64_t{x[0]} * x[1]; ++row)
    for (std::int64_t column = 0; column < x[2]; ++column, pixel += x[3])
      for (std::int64_t y = 0; y < block; ++y) {
        T* output =
            static_cast<T*>(operation.out().data) + ((row * block + y) * x[2] + column) * run;
        if (options.order() == format::DepthOrder::DepthColumnRow) {
          std::copy_n(pixel + y * run, run, output);
          continue;
        }
        for (int place = 0; place < block; ++place)
          for (int channel = 0; channel < channels; ++channel)
            output[place * channels + channel] =
                pixel[(std::int64_t{channel} * block + y) * block + place];
      }
}

void forward(const Operation& operation) {
  if (operation.in(0).type == DataType::kInt8)
    move<std::int8_t>(operation);
  else
    move<float>(operation);
}

}  // namespace

extern const OperatorRoom kDepthToSpace;
const OperatorRoom kDepthToSpace{1, 1, Memory::kOwn, shape, nullptr, forward, nullptr};

}  // namespace figment::ops
