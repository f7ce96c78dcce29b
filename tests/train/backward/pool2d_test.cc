// Gradients of pooling against central differences in double precision, and against PyTorch's.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/train/backward/torch_goldens.h"

namespace figment::testing {
namespace {

using format::PoolFunction;

format::Pool2DT pool(PoolFunction function, int kernel, int stride, int pad, int dilation = 1) {
  format::Pool2DT options;
  options.function = function;
  options.kernel_height = options.kernel_width = kernel;
  options.stride_height = options.stride_width = stride;
  options.dilation_height = options.dilation_width = dilation;
  options.pad_top = options.pad_bottom = options.pad_left = options.pad_right = pad;
  return options;
}

int windows(int extent, int pads, int kernel, int dilation, int stride, int pad_before, bool ceil) {
  const int room = extent + pads - dilation * (kernel - 1) - 1;
  const int count = room / stride + 1;
  return ceil && room % stride != 0 && count * stride < extent + pad_before ? count + 1 : count;
}

void check_pool(int batch, int height, int width, int channels, const format::Pool2DT& o) {
  CAPTURE(height);
  CAPTURE(channels);
  CAPTURE(o.kernel_height);
  CAPTURE(o.stride_height);
  CAPTURE(o.ceil_mode);
  CAPTURE(o.count_include_pad);
  const int rows = windows(height, o.pad_top + o.pad_bottom, o.kernel_height, o.dilation_height,
                           o.stride_height, o.pad_top, o.ceil_mode);
  const int columns = windows(width, o.pad_left + o.pad_right, o.kernel_width, o.dilation_width,
                              o.stride_width, o.pad_left, o.ceil_mode);
  BackwardCase test;
  test.options = options_of(o);
  test.operands = {random_operand({batch, height, width, channels}, 1)};
  test.definition = [=](const Doubles& operands) {
    std::vector<double> y;
    for (int n = 0; n < batch; ++n)
      for (int i = 0; i < rows; ++i)
        for (int j = 0; j < columns; ++j)
          for (int c = 0; c < channels; ++c) {
            double sum = 0, largest = -HUGE_VAL;
            int seen = 0, places = 0;
            for (int u = 0; u < o.kernel_height; ++u)
              for (int v = 0; v < o.kernel_width; ++v) {
                const int row = i * o.stride_height + u * o.dilation_height - o.pad_top;
                const int column = j * o.stride_width + v * o.dilation_width - o.pad_left;
                if (row < height + o.pad_bottom && column < width + o.pad_right) ++places;
                if (row < 0 || row >= height || column < 0 || column >= width) continue;
                const double value =
                    operands[0][element(((n * height + row) * width + column) * channels + c)];
                ++seen;
                sum += value;
                largest = std::max(largest, value);
              }
            const int divisor = o.count_include_pad ? places : seen;
            if (seen == 0)
              y.push_back(0);
            else
              y.push_back(o.function == PoolFunction::Max ? largest : sum / divisor);
          }
    return y;
  };
  check_backward(test);
}

TEST_CASE("gradients of pooling") {
  for (const PoolFunction function : {PoolFunction::Max, PoolFunction::Average}) {
    check_pool(2, 6, 8, 3, pool(function, 2, 2, 0));
    check_pool(1, 7, 5, 17, pool(function, 3, 2, 1));
    check_pool(2, 5, 6, 2, pool(function, 3, 1, 1));
    check_pool(1, 9, 7, 2, pool(function, 2, 3, 0));     // pixels that nobody sees
    check_pool(1, 8, 9, 3, pool(function, 3, 2, 2, 2));  // dilated
    check_pool(3, 4, 4, 33, pool(function, 4, 1, 0));    // all of it
    check_pool(1, 3, 2, 2, pool(function, 2, 1, 1, 3));  // windows that see nothing
  }
}

TEST_CASE("gradients of pooling with an overhanging window") {
  for (const PoolFunction function : {PoolFunction::Max, PoolFunction::Average}) {
    format::Pool2DT options = pool(function, 3, 2, 1);
    options.ceil_mode = true;
    check_pool(1, 6, 8, 2, options);
    options.pad_bottom = 2;
    options.pad_left = 0;
    check_pool(2, 5, 7, 2, options);
  }
}

TEST_CASE("gradients of averages that count the padding") {
  format::Pool2DT options = pool(PoolFunction::Average, 3, 2, 1);
  options.count_include_pad = true;
  check_pool(2, 6, 7, 3, options);
  options.ceil_mode = true;
  check_pool(1, 6, 8, 3, options);
}

// Half of the derivative on either side of a tie is neither: the first of equal numbers gets all.
TEST_CASE("of equal numbers the first is the largest") {
  const format::OperatorOptionsUnion options = options_of(pool(PoolFunction::Max, 2, 2, 0));
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(flatbuffers::Offset<void>(options.Pack(builder)));
  float x[4] = {1, 2, 2, 2};
  float y = 2;
  float dx[4] = {7, 7, 7, 7};
  const float dy = 3;
  Tensor input;
  input.shape = random_operand({1, 2, 2, 1}, 1).shape;
  input.data = x;
  Tensor gradient = input;
  gradient.data = dx;
  Tensor output;
  output.shape = random_operand({1, 1, 1, 1}, 1).shape;
  output.data = &y;
  train::Call call;
  call.operation.options = flatbuffers::GetRoot<std::byte>(builder.GetBufferPointer());
  call.operation.inputs = {&input, 1};
  call.operation.outputs = {&output, 1};
  call.output_gradient = &dy;
  call.input_gradients = {&gradient, 1};
  train::kBackwardRooms[static_cast<int>(options.type)]->backward(call);
  CHECK(dx[0] == 0);
  CHECK(dx[1] == 3);
  CHECK(dx[2] == 0);
  CHECK(dx[3] == 0);
}

TEST_CASE("gradients of pooling are those of PyTorch") {
  check_torch_golden("max_pool2d", options_of(pool(PoolFunction::Max, 3, 2, 1)));
  check_torch_golden("avg_pool2d", options_of(pool(PoolFunction::Average, 3, 2, 1)));
}

}  // namespace
}  // namespace figment::testing
