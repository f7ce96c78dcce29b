// ConvTranspose2D on both backends against the definition, a scatter in double precision, and its
// refusals.
#include <doctest/doctest.h>

#include "runtime/ops/operator.h"
#include "tests/ops/operands.h"

namespace figment::ops {
extern const OperatorRoom kConvTranspose2D;
}

namespace figment::testing {
namespace {

using format::ConvTranspose2DT;

// One transposed convolution of a picture [batch, height, width, channels].
struct Case {
  int batch, height, width, channels;
  int outputs, kernel_height, kernel_width;
  ConvTranspose2DT options = {};
  DataType type = DataType::kFloat32;
  bool with_bias = true;
};

Shape output_shape(const Case& c) {
  const ConvTranspose2DT& o = c.options;
  return shape_of({c.batch,
                   (c.height - 1) * o.stride_height - o.pad_top - o.pad_bottom +
                       o.dilation_height * (c.kernel_height - 1) + o.output_padding_height + 1,
                   (c.width - 1) * o.stride_width - o.pad_left - o.pad_right +
                       o.dilation_width * (c.kernel_width - 1) + o.output_padding_width + 1,
                   c.outputs});
}

std::vector<double> reference(const Case& c, const TestTensor& x, const TestTensor& weights,
                              const TestTensor& bias) {
  const ConvTranspose2DT& o = c.options;
  const Shape shape = output_shape(c);
  const int group_inputs = c.channels / o.groups;
  const int group_outputs = c.outputs / o.groups;
  std::vector<double> result(static_cast<std::size_t>(shape.elements()));
  for (std::size_t i = 0; i < result.size() && c.with_bias; ++i)
    result[i] = double{bias.values[i % c.outputs]};
  for (int n = 0; n < c.batch; ++n)
    for (int in_y = 0; in_y < c.height; ++in_y)
      for (int in_x = 0; in_x < c.width; ++in_x)
        for (int channel = 0; channel < c.channels; ++channel)
          for (int ky = 0; ky < c.kernel_height; ++ky)
            for (int kx = 0; kx < c.kernel_width; ++kx) {
              const int y = in_y * o.stride_height + ky * o.dilation_height - o.pad_top;
              const int column = in_x * o.stride_width + kx * o.dilation_width - o.pad_left;
              if (y < 0 || y >= shape[1] || column < 0 || column >= shape[2]) continue;
              const int group = channel / group_inputs;
              for (int i = 0; i < group_outputs; ++i) {
                const std::size_t weight =
                    (((group * c.kernel_height + ky) * c.kernel_width + kx) * group_outputs + i) *
                        group_inputs +
                    channel % group_inputs;
                result[at(shape, n, y, column, group * group_outputs + i)] +=
                    double{x.values[at(x.shape, n, in_y, in_x, channel)]} *
                    double{weights.values[weight]};
              }
            }
  return result;
}

std::vector<TestTensor> operands(const Case& c) {
  const int groups = std::max(1, c.options.groups);
  return {batched_input(shape_of({c.batch, c.height, c.width, c.channels})),
          constant(shape_of({groups, c.kernel_height, c.kernel_width, c.outputs / groups,
                             c.channels / groups}),
                   2, c.type),
          c.with_bias ? constant(shape_of({c.outputs}), 3) : absent()};
}

// Weights as int8: the channel is that of the output.
TestTensor channels_as_int8(const Case& c, const TestTensor& weights) {
  const auto extent = [&](int axis) { return static_cast<std::size_t>(weights.shape[axis]); };
  return as_int8(weights, c.outputs, [&](std::size_t i) {
    const std::size_t group = i / (extent(1) * extent(2) * extent(3) * extent(4));
    return group * extent(3) + i / extent(4) % extent(3);
  });
}

// With int8 weights, of pictures that are quantized without an error.
void check_int8(const Case& c) {
  CAPTURE(c.height);
  CAPTURE(c.channels);
  CAPTURE(c.outputs);
  CAPTURE(c.options.groups);
  std::vector<TestTensor> inputs = operands(c);
  inputs[0] = black_and_white(inputs[0]);
  inputs[1] = channels_as_int8(c, inputs[1]);
  check_operator(options_of(c.options), inputs, output_shape(c),
                 leaky_relu_of(reference(c, inputs[0], inputs[1], inputs[2])), 1e-5, leaky_relu());
  check_same_bits("gemm by phases", options_of(c.options), inputs, output_shape(c));
  // Less exact than sums of all taps: within a 24th of what the products' sizes add up to, which
  // are 1/4 in the mean.
  const double products = double{1} * c.kernel_height * c.kernel_width * c.channels;
  check_ways({"winograd 4x4 int8", "winograd 6x6 int8"}, options_of(c.options), inputs,
             output_shape(c), reference(c, inputs[0], inputs[1], inputs[2]),
             std::max(0.05, products / 96));
}

const std::vector<std::string> kWays = {"xnnpack", "gemm", "winograd 4x4", "winograd 6x6",
                                        "gemm + col2im"};

void check(const Case& c, double tolerance = 1e-5) {
  CAPTURE(c.height);
  CAPTURE(c.channels);
  CAPTURE(c.outputs);
  CAPTURE(c.kernel_height);
  CAPTURE(c.options.stride_height);
  CAPTURE(c.options.dilation_height);
  CAPTURE(c.options.groups);
  const std::vector<TestTensor> inputs = operands(c);
  const std::vector<double> values = reference(c, inputs[0], inputs[1], inputs[2]);
  check_operator_on(Backend::kPortable, options_of(c.options), inputs, output_shape(c), values,
                    tolerance);
  check_operator_on(Backend::kPortable, options_of(c.options), inputs, output_shape(c),
                    leaky_relu_of(values), tolerance, leaky_relu());
  // Winograd's sums cancel: within 2^-20 of what the products' sizes add up to, which are 1/4 in
  // the mean.
  const double products = double{1} * c.kernel_height * c.kernel_width * c.channels;
  const double bound = std::max(tolerance, products * 0x1p-22);
  check_ways(kWays, options_of(c.options), inputs, output_shape(c), values, bound);
  check_ways(kWays, options_of(c.options), inputs, output_shape(c), leaky_relu_of(values), bound,
             leaky_relu());
}

// Strides, dilations and paddings in one line; paddings: top, bottom, left, right.
ConvTranspose2DT spreading(int stride, int dilation, std::vector<int> pads, int output_padding = 0,
                           int groups = 1) {
  ConvTranspose2DT options;
  options.stride_height = options.stride_width = stride;
  options.dilation_height = options.dilation_width = dilation;
  options.pad_top = pads[0];
  options.pad_bottom = pads[1];
  options.pad_left = pads[2];
  options.pad_right = pads[3];
  options.output_padding_height = options.output_padding_width = output_padding;
  options.groups = groups;
  return options;
}

TEST_CASE("transposed convolutions of awkward sizes") {
  for (int batch : {1, 5})
    for (int channels : {1, 3, 17})
      for (int outputs : {1, 3, 7, 24})
        for (int stride : {1, 2, 3})
          check({batch, 5, 7, channels, outputs, 4, 4, spreading(stride, 1, {1, 1, 1, 1})});
}

TEST_CASE("every kernel, stride, dilation and padding on a small picture") {
  for (int kernel : {1, 2, 3, 5})
    for (int stride : {1, 2, 3})
      for (int dilation : {1, 2, 3})
        for (int pad : {0, 1, 2}) {
          Case c{1, 5, 4, 2, 3, kernel, kernel, spreading(stride, dilation, {pad, pad, pad, pad})};
          if (output_shape(c)[1] > 0 && output_shape(c)[2] > 0) check(c);
        }
}

TEST_CASE("uneven paddings, output paddings, strides longer than the kernel") {
  check({1, 7, 5, 3, 7, 3, 3, spreading(2, 1, {0, 1, 1, 0}, 1)});
  check({5, 5, 13, 7, 3, 5, 2, spreading(3, 1, {2, 0, 0, 1}, 2), DataType::kFloat16});
  check({1, 5, 5, 3, 4, 2, 2, spreading(3, 1, {0, 0, 0, 0}, 2)});
  check({1, 5, 5, 3, 4, 3, 3, spreading(2, 2, {1, 3, 2, 0}, 1), DataType::kFloat32, false});
  Case uneven{1, 4, 6, 3, 5, 4, 3, spreading(2, 1, {1, 1, 0, 0})};
  uneven.options.stride_width = 1;
  uneven.options.dilation_height = 3;
  check(uneven);
}

TEST_CASE("from a latent to a picture, and over it") {
  check({1, 1, 1, 24, 17, 4, 4, spreading(1, 1, {0, 0, 0, 0})});
  check({5, 1, 1, 24, 17, 4, 4, spreading(1, 1, {0, 0, 0, 0}), DataType::kFloat16});
  check({1, 4, 4, 24, 16, 4, 4, spreading(2, 1, {1, 1, 1, 1})});
  check({1, 8, 8, 16, 3, 4, 4, spreading(2, 1, {1, 1, 1, 1}), DataType::kFloat16, false});
}

TEST_CASE("groups and depthwise") {
  for (DataType type : {DataType::kFloat32, DataType::kFloat16}) {
    check({5, 5, 4, 6, 9, 3, 3, spreading(2, 1, {1, 1, 1, 1}, 1, 3), type});
    check({1, 4, 5, 8, 4, 4, 2, spreading(1, 2, {0, 1, 0, 1}, 0, 4), type, false});
    check({1, 5, 7, 7, 7, 4, 4, spreading(2, 1, {1, 1, 1, 1}, 0, 7), type});
    check({5, 5, 5, 3, 6, 3, 3, spreading(1, 1, {1, 1, 1, 1}, 0, 3), type});
  }
}

TEST_CASE("int8 weights") {
  for (int channels : {1, 3, 17})
    for (int outputs : {1, 3, 8})
      for (int stride : {1, 2})
        check_int8({2, 4, 5, channels, outputs, 3, 3, spreading(stride, 1, {1, 1, 1, 1})});
  check_int8({1, 1, 1, 24, 17, 4, 4, spreading(1, 1, {0, 0, 0, 0}), DataType::kFloat32, false});
  check_int8({2, 5, 4, 6, 9, 3, 3, spreading(2, 1, {1, 1, 1, 1}, 1, 3)});
  check_int8({1, 4, 5, 8, 4, 4, 2, spreading(1, 2, {0, 1, 0, 1}, 0, 4)});
  check_int8({1, 5, 7, 7, 7, 4, 4, spreading(2, 1, {1, 1, 1, 1}, 0, 7)});
  check_int8({1, 13, 16, 5, 64, 4, 4, spreading(2, 1, {1, 1, 1, 1})});
  // By phases: of one tap, of many, of more output than the input reaches, cut at every side.
  check_int8({1, 5, 4, 9, 3, 2, 2, spreading(2, 1, {0, 0, 0, 0})});
  check_int8({2, 5, 4, 66, 35, 6, 6, spreading(3, 1, {2, 1, 4, 3})});
  check_int8({1, 7, 3, 70, 17, 4, 2, spreading(2, 1, {0, 0, 0, 0}, 1)});
  check_int8({1, 20, 19, 8, 40, 4, 4, spreading(2, 1, {3, 0, 0, 3}), DataType::kFloat32, false});
  check_int8({1, 9, 9, 6, 5, 3, 3, spreading(1, 1, {1, 1, 1, 1})});
}

TEST_CASE("int8 weights of pictures in grey, and scales that are wrong") {
  const Case c{1, 7, 6, 12, 5, 4, 4, spreading(2, 1, {1, 1, 1, 1})};
  std::vector<TestTensor> inputs = operands(c);
  inputs[1] = channels_as_int8(c, inputs[1]);
  check_operator(options_of(c.options), inputs, output_shape(c),
                 reference(c, inputs[0], inputs[1], inputs[2]), 0.05);
  check_same_bits("gemm by phases", options_of(c.options), inputs, output_shape(c));
  inputs[1].scales.pop_back();
  check_refused(options_of(c.options), inputs, {}, "4 scales but must have 5");
}

TEST_CASE("columns of more input rows than are held at a time") {
  // 64 KB of columns an input row, so that the ring of 256 KB goes round, with all taps and few
  // alive.
  check({1, 13, 16, 5, 64, 4, 4, spreading(2, 1, {1, 1, 1, 1})});
  check({1, 13, 16, 5, 64, 4, 4, spreading(1, 3, {1, 2, 0, 0}), DataType::kFloat16});
  check({1, 13, 16, 5, 64, 4, 4, spreading(2, 3, {0, 2, 1, 1}, 1)});
  check({2, 13, 16, 4, 128, 4, 4, spreading(1, 1, {3, 3, 3, 3}, 0, 2)});
  // Padding so wide that the first input rows reach nothing.
  check({1, 13, 16, 5, 64, 4, 4, spreading(2, 1, {9, 8, 7, 9})});
}

#ifdef FIGMENT_WITH_XNNPACK
TEST_CASE("a file has its way") {
  const Case c{1, 9, 9, 16, 16, 4, 4, spreading(2, 1, {1, 1, 1, 1})};
  for (const std::string way : {"xnnpack", "winograd 4x4", "winograd 6x6", "gemm + col2im"})
    CHECK(
        run_operator(options_of(c.options), operands(c), {}, Backend::kXnnpack, {}, way).lowering ==
        way);
}
#endif

void check_refused_case(const Case& c, const char* words) {
  check_refused(options_of(c.options), operands(c), {}, words);
}

TEST_CASE("transposed convolutions that are refused") {
  const Case sound{1, 5, 5, 6, 4, 3, 3};
  const auto with = [&](int ConvTranspose2DT::*field, int value) {
    Case c = sound;
    c.options.*field = value;
    return c;
  };
  using Options = ConvTranspose2DT;
  for (int damaged : {0, -1, 100000}) {
    check_refused_case(with(&Options::stride_height, damaged), "stride_height is");
    check_refused_case(with(&Options::stride_width, damaged), "stride_width is");
    check_refused_case(with(&Options::dilation_height, damaged), "dilation_height is");
    check_refused_case(with(&Options::dilation_width, damaged), "dilation_width is");
  }
  for (int damaged : {-1, INT32_MAX}) {
    check_refused_case(with(&Options::pad_top, damaged), "pad_top is");
    check_refused_case(with(&Options::pad_bottom, damaged), "pad_bottom is");
    check_refused_case(with(&Options::pad_left, damaged), "pad_left is");
    check_refused_case(with(&Options::pad_right, damaged), "pad_right is");
    check_refused_case(with(&Options::output_padding_height, damaged), "output_padding_height is");
    check_refused_case(with(&Options::output_padding_width, damaged), "output_padding_width is");
  }
  check_refused_case(with(&Options::pad_top, 7), "the output's height is 0");
  check_refused_case(with(&Options::pad_right, 8), "the output's width is -1");
  Case huge = with(&Options::stride_height, 32767);
  huge.options.stride_width = 32767;
  check_refused_case(huge, "too large");

  const std::vector<TestTensor> inputs = operands(sound);
  for (int groups : {0, -1})
    check_refused(options_of(with(&Options::groups, groups).options), inputs, {}, "groups is");
  check_refused(options_of(with(&Options::groups, 4).options), inputs, {},
                "4 groups do not divide");
  check_refused(options_of(with(&Options::groups, 2).options), inputs, {},
                "must begin with 2 groups and end with 3 channels");
  const format::OperatorOptionsUnion plain = options_of(Options{});
  check_refused(plain, {inputs[0], constant(shape_of({1, 3, 3, 4, 5}))}, {},
                "must begin with 1 groups and end with 6 channels");
  check_refused(plain, {batched_input(shape_of({1, 7, 6})), inputs[1]}, {}, "must have 4 axes");
  check_refused(plain, {inputs[0], constant(shape_of({3, 3, 4, 6}))}, {}, "must have 5 axes");
  check_refused(plain, {inputs[0], inputs[1], constant(shape_of({5}))}, {}, "a vector of 4");
}

TEST_CASE("columns that would fill the memory are refused") {
  // Operands that are computed may claim any size, so the rule is asked without a file.
  Tensor inputs[2];
  inputs[0].shape = shape_of({1, 1, 1 << 15, 1});
  inputs[1].shape = shape_of({1, 1 << 10, 1 << 10, 1, 1});
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(format::CreateConvTranspose2D(builder, 1 << 10, 1));
  Operation operation;
  operation.options = flatbuffers::GetRoot<format::ConvTranspose2D>(builder.GetBufferPointer());
  operation.inputs = inputs;
  Tensor result;
  const Status status = ops::kConvTranspose2D.shape(operation, result);
  REQUIRE_FALSE(status.ok());
  CHECK(status.message().find("bytes of scratch: too large") != std::string_view::npos);
}

}  // namespace
}  // namespace figment::testing
