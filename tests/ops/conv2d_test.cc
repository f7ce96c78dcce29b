// Conv2D on both backends against the definition in double precision, and its refusals.
#include <doctest/doctest.h>

#ifdef FIGMENT_WITH_XNNPACK
#include "runtime/simd/kernels.h"
#endif
#include "tests/ops/operands.h"

namespace figment::testing {
namespace {

using format::Conv2DT;

// One convolution of a picture [batch, height, width, channels].
struct Case {
  int batch, height, width, channels;
  int outputs, kernel_height, kernel_width;
  Conv2DT options = {};
  DataType type = DataType::kFloat32;
  bool with_bias = true;
};

int output_extent(int extent, int pads, int kernel, int dilation, int stride) {
  return (extent + pads - (dilation * (kernel - 1) + 1)) / stride + 1;
}

Shape output_shape(const Case& c) {
  const Conv2DT& o = c.options;
  return shape_of({c.batch,
                   output_extent(c.height, o.pad_top + o.pad_bottom, c.kernel_height,
                                 o.dilation_height, o.stride_height),
                   output_extent(c.width, o.pad_left + o.pad_right, c.kernel_width,
                                 o.dilation_width, o.stride_width),
                   c.outputs});
}

std::vector<double> reference(const Case& c, const TestTensor& x, const TestTensor& weights,
                              const TestTensor& bias) {
  const Conv2DT& o = c.options;
  const Shape shape = output_shape(c);
  const int group_inputs = c.channels / o.groups;
  const int group_outputs = c.outputs / o.groups;
  std::vector<double> result;
  for (int n = 0; n < shape[0]; ++n)
    for (int y = 0; y < shape[1]; ++y)
      for (int column = 0; column < shape[2]; ++column)
        for (int output = 0; output < c.outputs; ++output) {
          double sum = bias.values.empty() ? 0.0 : double{bias.values[output]};
          for (int ky = 0; ky < c.kernel_height; ++ky)
            for (int kx = 0; kx < c.kernel_width; ++kx) {
              const int in_y = y * o.stride_height + ky * o.dilation_height - o.pad_top;
              const int in_x = column * o.stride_width + kx * o.dilation_width - o.pad_left;
              if (in_y < 0 || in_y >= c.height || in_x < 0 || in_x >= c.width) continue;
              for (int i = 0; i < group_inputs; ++i) {
                const int channel = output / group_outputs * group_inputs + i;
                const std::size_t weight =
                    ((output * c.kernel_height + ky) * c.kernel_width + kx) * group_inputs + i;
                sum += double{x.values[at(x.shape, n, in_y, in_x, channel)]} *
                       double{weights.values[weight]};
              }
            }
          result.push_back(sum);
        }
  return result;
}

std::vector<TestTensor> operands(const Case& c) {
  return {batched_input(shape_of({c.batch, c.height, c.width, c.channels})),
          constant(shape_of({c.outputs, c.kernel_height, c.kernel_width,
                             c.channels / std::max(1, c.options.groups)}),
                   2, c.type),
          c.with_bias ? constant(shape_of({c.outputs}), 3) : absent()};
}

const std::vector<std::string> kIntegerTiles = {"winograd 4x4 int8", "winograd 6x6 int8"};

// With int8 weights, of pictures that are quantized without an error.
void check_int8(const Case& c) {
  CAPTURE(c.height);
  CAPTURE(c.channels);
  CAPTURE(c.outputs);
  CAPTURE(c.options.groups);
  std::vector<TestTensor> inputs = operands(c);
  inputs[0] = black_and_white(inputs[0]);
  inputs[1] = rows_as_int8(inputs[1], c.outputs);
  check_operator(options_of(c.options), inputs, output_shape(c),
                 leaky_relu_of(reference(c, inputs[0], inputs[1], inputs[2])), 1e-5, leaky_relu());
  check_same_bits("im2col + gemm", options_of(c.options), inputs, output_shape(c));
  // Less exact than sums of all taps: within a 24th of what the products' sizes add up to, which
  // are 1/4 in the mean.
  const double products = double{1} * c.kernel_height * c.kernel_width * c.channels;
  check_ways(kIntegerTiles, options_of(c.options), inputs, output_shape(c),
             reference(c, inputs[0], inputs[1], inputs[2]), std::max(0.05, products / 96));
}

const std::vector<std::string> kWays = {"xnnpack", "winograd 4x4", "winograd 6x6", "gemm + col2im"};

void check(const Case& c) {
  CAPTURE(c.height);
  CAPTURE(c.channels);
  CAPTURE(c.outputs);
  CAPTURE(c.kernel_height);
  CAPTURE(c.options.stride_height);
  CAPTURE(c.options.groups);
  const std::vector<TestTensor> inputs = operands(c);
  const std::vector<double> values = reference(c, inputs[0], inputs[1], inputs[2]);
  check_operator_on(Backend::kPortable, options_of(c.options), inputs, output_shape(c), values);
  check_operator_on(Backend::kPortable, options_of(c.options), inputs, output_shape(c),
                    leaky_relu_of(values), 1e-5, leaky_relu());
  // Winograd's sums cancel: within 2^-20 of what the products' sizes add up to, which are 1/4 in
  // the mean.
  const double products = double{1} * c.kernel_height * c.kernel_width * c.channels;
  const double bound = std::max(1e-5, products * 0x1p-22);
  check_ways(kWays, options_of(c.options), inputs, output_shape(c), values, bound);
  check_ways(kWays, options_of(c.options), inputs, output_shape(c), leaky_relu_of(values), bound,
             leaky_relu());
}

// Strides, dilations and paddings in one line; paddings: top, bottom, left, right.
Conv2DT sliding(int stride, int dilation, std::vector<int> pads, int groups = 1) {
  Conv2DT options;
  options.stride_height = options.stride_width = stride;
  options.dilation_height = options.dilation_width = dilation;
  options.pad_top = pads[0];
  options.pad_bottom = pads[1];
  options.pad_left = pads[2];
  options.pad_right = pads[3];
  options.groups = groups;
  return options;
}

TEST_CASE("convolutions of awkward sizes") {
  for (int batch : {1, 5})
    for (int channels : {1, 3, 7, 17})
      for (int outputs : {1, 3, 24})
        for (int stride : {1, 2, 3})
          check({batch, 7, 13, channels, outputs, 3, 3, sliding(stride, 1, {1, 1, 1, 1})});
}

TEST_CASE("kernels, dilations and paddings of every kind") {
  check({1, 13, 7, 3, 7, 5, 2, sliding(1, 1, {2, 2, 0, 1})});
  check({5, 13, 7, 7, 3, 3, 3, sliding(1, 2, {2, 2, 2, 2})});
  check({1, 13, 13, 3, 5, 3, 3, sliding(2, 2, {0, 3, 2, 1}), DataType::kFloat16});
  check({1, 5, 5, 24, 17, 5, 5, sliding(1, 1, {0, 0, 0, 0}), DataType::kFloat32, false});
  check({5, 5, 7, 17, 3, 4, 4, sliding(2, 1, {1, 1, 1, 1}), DataType::kFloat16});
  Case uneven{1, 13, 7, 3, 4, 3, 2, sliding(1, 1, {1, 0, 0, 1})};
  uneven.options.stride_height = 3;
  uneven.options.dilation_width = 2;
  check(uneven);
}

TEST_CASE("a padding wider than the kernel") {
  check({1, 5, 5, 3, 4, 3, 3, sliding(2, 1, {4, 5, 6, 3})});
}

TEST_CASE("pointwise convolutions") {
  check({5, 7, 5, 17, 24, 1, 1});
  check({1, 7, 5, 24, 3, 1, 1, {}, DataType::kFloat16, false});
  check({1, 7, 5, 6, 4, 1, 1, sliding(1, 1, {0, 0, 0, 0}, 2)});
  check({1, 7, 5, 6, 4, 1, 1, sliding(2, 1, {1, 0, 0, 1})});
  // As large as the picture, but not where the picture is.
  check({1, 7, 5, 3, 4, 1, 1, sliding(2, 1, {7, 0, 5, 0})});
}

TEST_CASE("groups") {
  for (DataType type : {DataType::kFloat32, DataType::kFloat16}) {
    check({5, 5, 7, 6, 9, 3, 3, sliding(1, 1, {1, 1, 1, 1}, 3), type});
    check({1, 7, 7, 24, 8, 2, 3, sliding(2, 1, {0, 1, 0, 1}, 4), type, false});
  }
}

TEST_CASE("depthwise convolutions") {
  for (DataType type : {DataType::kFloat32, DataType::kFloat16})
    for (int channels : {3, 7, 24}) {
      check({5, 7, 5, channels, channels, 3, 3, sliding(1, 1, {1, 1, 1, 1}, channels), type});
      check(
          {1, 13, 7, channels, channels, 5, 3, sliding(2, 2, {3, 4, 0, 2}, channels), type, false});
      // Several outputs for each channel.
      check({1, 7, 5, channels, 2 * channels, 3, 3, sliding(1, 1, {1, 0, 1, 0}, channels), type});
    }
}

TEST_CASE("int8 weights") {
  for (int channels : {1, 3, 17})
    for (int outputs : {1, 3, 24})
      for (int stride : {1, 2})
        check_int8({2, 7, 13, channels, outputs, 3, 3, sliding(stride, 1, {1, 1, 1, 1})});
  check_int8({1, 13, 7, 3, 7, 5, 2, sliding(1, 1, {2, 2, 0, 1}), DataType::kFloat32, false});
  check_int8({2, 13, 7, 7, 3, 3, 3, sliding(1, 2, {2, 2, 2, 2})});
  check_int8({5, 7, 5, 17, 24, 1, 1});
  check_int8({1, 7, 5, 6, 4, 1, 1, sliding(1, 1, {0, 0, 0, 0}, 2)});
  check_int8({2, 5, 7, 6, 9, 3, 3, sliding(1, 1, {1, 1, 1, 1}, 3)});
  check_int8({1, 7, 5, 7, 7, 3, 3, sliding(1, 1, {1, 1, 1, 1}, 7)});   // depthwise
  check_int8({1, 7, 5, 7, 14, 3, 3, sliding(1, 1, {1, 0, 1, 0}, 7)});  // several outputs each
  check_int8({1, 40, 40, 24, 3, 3, 3, sliding(1, 1, {1, 1, 1, 1})});
  check_int8({1, 5, 5, 600, 3, 3, 3, sliding(1, 1, {1, 1, 1, 1})});
}

TEST_CASE("int8 weights of pictures in grey") {
  const Case c{1, 13, 13, 5, 3, 3, 3, sliding(1, 1, {1, 1, 1, 1})};
  std::vector<TestTensor> inputs = operands(c);
  inputs[1] = rows_as_int8(inputs[1], c.outputs);
  check_operator(options_of(c.options), inputs, output_shape(c),
                 reference(c, inputs[0], inputs[1], inputs[2]), 0.05);
  check_same_bits("im2col + gemm", options_of(c.options), inputs, output_shape(c));
}

#ifdef FIGMENT_WITH_XNNPACK
TEST_CASE("int8 weights of one group go as their windows see them, wherever integers have loops") {
  const Case c{1, 9, 8, 12, 16, 3, 3, sliding(2, 1, {1, 1, 1, 1})};
  std::vector<TestTensor> inputs = operands(c);
  inputs[1] = rows_as_int8(inputs[1], c.outputs);
  const bool has_loops = simd::kernels().multiply_int8 != nullptr;
  CHECK((run_operator(options_of(c.options), inputs, {}, Backend::kXnnpack, {}, "im2col + gemm")
             .lowering == "im2col + gemm") == has_loops);
}
#endif

TEST_CASE("more output pixels than fit into a tile, more depth than a tile holds") {
  check({1, 40, 40, 24, 3, 3, 3, sliding(1, 1, {1, 1, 1, 1})});
  Case deep{1, 5, 5, 600, 3, 3, 3, sliding(1, 1, {1, 1, 1, 1}), DataType::kFloat16};
  const std::vector<TestTensor> inputs = operands(deep);
  check_operator(options_of(deep.options), inputs, output_shape(deep),
                 reference(deep, inputs[0], inputs[1], inputs[2]), 1e-4);
}

#ifdef FIGMENT_WITH_XNNPACK
TEST_CASE("a file has its way") {
  const Case c{1, 9, 9, 16, 16, 3, 3, sliding(1, 1, {1, 1, 1, 1})};
  for (const std::string& way : kWays)
    CHECK(
        run_operator(options_of(c.options), operands(c), {}, Backend::kXnnpack, {}, way).lowering ==
        way);
  // One that there is not, and one that does not take a stride of 2.
  const auto run_with = [&](int stride, const std::string& way) {
    return run_operator(options_of(sliding(stride, 1, {1, 1, 1, 1})), operands(c), {},
                        Backend::kXnnpack, {}, way);
  };
  CHECK_FALSE(run_with(1, "by hand").lowering.empty());
  CHECK(run_with(2, "winograd 6x6").lowering == "xnnpack");
}

TEST_CASE("a file has its tiles of integers wherever they have loops, for int8 weights alone") {
  const Case c{1, 9, 9, 16, 16, 3, 3, sliding(1, 1, {1, 1, 1, 1})};
  std::vector<TestTensor> inputs = operands(c);
  const auto run_with = [&](const std::string& way) {
    return run_operator(options_of(c.options), inputs, {}, Backend::kXnnpack, {}, way).lowering;
  };
  for (const std::string& way : kIntegerTiles) CHECK(run_with(way) != way);
  inputs[1] = rows_as_int8(inputs[1], c.outputs);
  for (const simd::Kernels* table : simd::tables()) {
    if (!simd::cap_kernels(table->name)) continue;
    for (const std::string& way : kIntegerTiles)
      CHECK((run_with(way) == way) == (table->multiply_centered != nullptr));
  }
  simd::cap_kernels(nullptr);
}
#endif

void check_refused_case(const Case& c, const char* words) {
  check_refused(options_of(c.options), operands(c), {}, words);
}

TEST_CASE("convolutions that are refused") {
  const Case sound{1, 7, 7, 6, 4, 3, 3};
  const auto with = [&](int Conv2DT::*field, int value) {
    Case c = sound;
    c.options.*field = value;
    return c;
  };
  for (int damaged : {0, -1, 100000}) {
    check_refused_case(with(&Conv2DT::stride_height, damaged), "stride_height is");
    check_refused_case(with(&Conv2DT::stride_width, damaged), "stride_width is");
    check_refused_case(with(&Conv2DT::dilation_height, damaged), "dilation_height is");
    check_refused_case(with(&Conv2DT::dilation_width, damaged), "dilation_width is");
  }
  for (int damaged : {-1, INT32_MAX}) {
    check_refused_case(with(&Conv2DT::pad_top, damaged), "pad_top is");
    check_refused_case(with(&Conv2DT::pad_bottom, damaged), "pad_bottom is");
    check_refused_case(with(&Conv2DT::pad_left, damaged), "pad_left is");
    check_refused_case(with(&Conv2DT::pad_right, damaged), "pad_right is");
  }
  check_refused_case(with(&Conv2DT::dilation_height, 4), "the output's height is 0");
  check_refused_case(with(&Conv2DT::dilation_width, 4), "the output's width is 0");

  const std::vector<TestTensor> inputs = operands(sound);
  for (int groups : {0, -2})
    check_refused(options_of(with(&Conv2DT::groups, groups).options), inputs, {}, "groups is");
  check_refused(options_of(with(&Conv2DT::groups, 4).options), inputs, {},
                "4 groups do not divide");
  check_refused(options_of(with(&Conv2DT::groups, 3).options), inputs, {},
                "3 groups do not divide");
  check_refused(options_of(with(&Conv2DT::groups, 2).options), inputs, {},
                "a group of the picture has 3 channels");
  const format::OperatorOptionsUnion plain = options_of(Conv2DT{});
  check_refused(plain, {batched_input(shape_of({1, 7, 6})), inputs[1]}, {}, "must have 4 axes");
  check_refused(plain, {inputs[0], constant(shape_of({4, 3, 18}))}, {}, "must have 4 axes");
  check_refused(plain, {inputs[0], inputs[1], constant(shape_of({5}))}, {}, "a vector of 4");
  check_refused(plain, {inputs[0], rows_as_int8(inputs[1], 2)}, {}, "2 scales but must have 4");
  check_refused(plain, {inputs[0], rows_as_int4(inputs[1])}, {}, "input 1 must be float32");
}

}  // namespace
}  // namespace figment::testing
