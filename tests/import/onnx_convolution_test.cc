// Convolutions and transposed convolutions, against their definition in double precision.
#include <doctest/doctest.h>

#include "tests/import/direct_convolution.h"
#include "tests/import/onnx_builder.h"

namespace figment::testing {
namespace {

Extents pads_of(const Convolution& c) { return {c.before[0], c.before[1], c.after[0], c.after[1]}; }

std::vector<onnx::AttributeProto> attributes_of(const Convolution& c) {
  return {attribute("strides", Extents{c.stride[0], c.stride[1]}),
          attribute("dilations", Extents{c.dilation[0], c.dilation[1]}),
          attribute("group", c.groups)};
}

std::vector<float> values(std::int64_t count, int seed) {
  std::vector<float> made;
  for (std::int64_t index = 0; index < count; ++index)
    made.push_back(static_cast<float>((index * 7 + seed * 5) % 11 - 5) * 0.25F);
  return made;
}

void check_convolution(const Convolution& c, const std::vector<onnx::AttributeProto>& attributes,
                       bool with_bias) {
  const std::vector<float> x = values(c.channels * c.height * c.width, 1);
  const std::vector<float> weights =
      values(c.outputs * c.channels / c.groups * c.kernel[0] * c.kernel[1], 2);
  const std::vector<float> bias = with_bias ? values(c.outputs, 3) : std::vector<float>();
  std::vector<onnx::TensorProto> constants = {
      float_tensor("w", {c.outputs, c.channels / c.groups, c.kernel[0], c.kernel[1]}, weights)};
  if (with_bias) constants.push_back(float_tensor("b", {c.outputs}, bias));
  check_node(11, "Conv", {1, c.channels, c.height, c.width}, x, constants, attributes,
             {1, c.outputs, c.convolved(0), c.convolved(1)}, c.convolve(x, weights, bias));
}

void check_transposed(const Convolution& c, const std::vector<onnx::AttributeProto>& attributes,
                      bool with_bias) {
  const std::vector<float> x = values(c.channels * c.height * c.width, 1);
  const std::vector<float> weights =
      values(c.channels * c.outputs / c.groups * c.kernel[0] * c.kernel[1], 2);
  const std::vector<float> bias = with_bias ? values(c.outputs, 3) : std::vector<float>();
  std::vector<onnx::TensorProto> constants = {
      float_tensor("w", {c.channels, c.outputs / c.groups, c.kernel[0], c.kernel[1]}, weights)};
  if (with_bias) constants.push_back(float_tensor("b", {c.outputs}, bias));
  check_node(11, "ConvTranspose", {1, c.channels, c.height, c.width}, x, constants, attributes,
             {1, c.outputs, c.transposed(0), c.transposed(1)}, c.transpose(x, weights, bias));
}

}  // namespace

TEST_CASE("convolution: strides, dilation, uneven padding, groups") {
  Convolution c{.channels = 4, .outputs = 6, .groups = 2, .height = 7, .width = 5};
  c.kernel[0] = 3, c.kernel[1] = 2, c.stride[0] = 2, c.dilation[1] = 2;
  c.before[0] = 1, c.after[0] = 2, c.before[1] = 2, c.after[1] = 1;
  auto attributes = attributes_of(c);
  attributes.push_back(attribute("pads", pads_of(c)));
  attributes.push_back(attribute("kernel_shape", Extents{3, 2}));
  check_convolution(c, attributes, true);
  check_convolution(c, attributes, false);
}

TEST_CASE("convolution: automatic padding") {
  Convolution c{.channels = 2, .outputs = 3, .height = 5, .width = 8};
  c.kernel[0] = 3, c.kernel[1] = 4, c.stride[0] = 2, c.stride[1] = 1;
  // Height: 3 outputs span 2*2+3 = 7, so 2 rows are added; width: 8 outputs span 7+4 = 11, so 3
  // columns.
  c.before[0] = 1, c.after[0] = 1, c.before[1] = 1, c.after[1] = 2;
  auto attributes = attributes_of(c);
  attributes.push_back(attribute("auto_pad", "SAME_UPPER"));
  check_convolution(c, attributes, true);
  std::swap(c.before[1], c.after[1]);
  attributes.back() = attribute("auto_pad", "SAME_LOWER");
  check_convolution(c, attributes, true);
  c.before[0] = c.after[0] = c.before[1] = c.after[1] = 0;
  attributes.back() = attribute("auto_pad", "VALID");
  check_convolution(c, attributes, true);
}

TEST_CASE("transposed convolution: strides, dilation, padding, output padding, groups") {
  Convolution c{.channels = 4, .outputs = 6, .groups = 2, .height = 3, .width = 4};
  c.kernel[0] = 3, c.kernel[1] = 4, c.stride[0] = 2, c.stride[1] = 3, c.dilation[0] = 2;
  c.before[0] = 1, c.after[0] = 2, c.before[1] = 0, c.after[1] = 1;
  c.output_padding[0] = 1, c.output_padding[1] = 2;
  auto attributes = attributes_of(c);
  attributes.push_back(attribute("pads", pads_of(c)));
  attributes.push_back(attribute("output_padding", Extents{1, 2}));
  check_transposed(c, attributes, true);
  check_transposed(c, attributes, false);
}

TEST_CASE("transposed convolution: output_shape decides the padding") {
  Convolution c{.channels = 2, .outputs = 3, .height = 3, .width = 3};
  c.kernel[0] = c.kernel[1] = 4, c.stride[0] = c.stride[1] = 2;
  // Without padding 8 x 8; 5 x 6 takes 3 rows and 2 columns away, the odd one at the beginning
  // (ONNX's rule, unless SAME_UPPER).
  c.before[0] = 2, c.after[0] = 1, c.before[1] = c.after[1] = 1;
  auto attributes = attributes_of(c);
  attributes.push_back(attribute("output_shape", Extents{5, 6}));
  check_transposed(c, attributes, true);
  attributes.back() = attribute("output_shape", Extents{1, 3, 5, 6});
  check_transposed(c, attributes, true);
  std::swap(c.before[0], c.after[0]);
  attributes.push_back(attribute("auto_pad", "SAME_UPPER"));
  check_transposed(c, attributes, true);
}

TEST_CASE("transposed convolution: more output than the taps reach") {
  Convolution c{.channels = 1, .outputs = 2, .height = 3, .width = 3};
  c.kernel[0] = c.kernel[1] = 3, c.stride[0] = 3, c.stride[1] = 2;
  c.output_padding[0] = c.output_padding[1] = 1;  // 10 x 8 where the taps reach 9 x 7
  auto attributes = attributes_of(c);
  attributes.push_back(attribute("output_shape", Extents{10, 8}));
  check_transposed(c, attributes, true);
}

TEST_CASE("transposed convolution: automatic padding keeps extent * stride") {
  Convolution c{.channels = 1, .outputs = 2, .height = 3, .width = 3};
  c.kernel[0] = c.kernel[1] = 3, c.stride[0] = c.stride[1] = 2;
  c.after[0] = c.after[1] = 1;
  auto attributes = attributes_of(c);
  attributes.push_back(attribute("auto_pad", "SAME_UPPER"));
  check_transposed(c, attributes, true);
  c.before[0] = c.before[1] = 1, c.after[0] = c.after[1] = 0;
  attributes.back() = attribute("auto_pad", "SAME_LOWER");
  check_transposed(c, attributes, true);
}

TEST_CASE("signals N,C,L") {
  Convolution c{.channels = 2, .outputs = 4, .groups = 2, .height = 1, .width = 9};
  c.kernel[1] = 3, c.stride[1] = 2, c.before[1] = 1, c.after[1] = 0;
  const std::vector<float> x = values(18, 1), weights = values(12, 2), bias = values(4, 3);
  const std::vector<onnx::AttributeProto> attributes = {
      attribute("strides", Extents{2}), attribute("group", 2), attribute("pads", Extents{1, 0})};
  check_node(11, "Conv", {1, 2, 9}, x,
             {float_tensor("w", {4, 1, 3}, weights), float_tensor("b", {4}, bias)}, attributes,
             {1, 4, c.convolved(1)}, c.convolve(x, weights, bias));
  check_node(11, "ConvTranspose", {1, 2, 9}, x,
             {float_tensor("w", {2, 2, 3}, weights), float_tensor("b", {4}, bias)}, attributes,
             {1, 4, c.transposed(1)}, c.transpose(x, weights, bias));
}

TEST_CASE("one weight for two convolutions is turned once") {
  OnnxBuilder builder(11);
  builder.input("x", {1, 2, 4, 4}).floats("w", {2, 2, 1, 1}, {1, 2, 3, 4});
  builder.node("Conv", {"x", "w"}, {"h"}).node("Conv", {"h", "w"}, {"y"}).output("y");
  int constants = 0;
  for (const converter::GraphTensor& tensor : builder.import().tensors)
    constants += tensor.constant() ? 1 : 0;
  CHECK(constants == 1);
}

TEST_CASE("what is refused, and how") {
  const onnx::TensorProto w = float_tensor("w", {2, 2, 3, 3}, values(36, 1));
  const Extents x = {1, 2, 5, 5};
  check_node_refused(11, "Conv", {1, 2, 5, 5, 5},
                     {float_tensor("w", {2, 2, 3, 3, 3}, values(108, 1))}, {},
                     "three spatial axes are not supported");
  check_node_refused(11, "Conv", x, {float_tensor("w", {2, 2, 3}, values(12, 1))}, {},
                     "must have 4 axes");
  check_node_refused(11, "Conv", x, {w}, {attribute("kernel_shape", Extents{5, 5})},
                     "kernel_shape says 5");
  check_node_refused(11, "Conv", x, {w}, {attribute("strides", Extents{1})},
                     "'strides' has 1 numbers");
  check_node_refused(11, "Conv", x, {w}, {attribute("strides", Extents{0, 1})}, "strides is 0");
  check_node_refused(11, "Conv", x, {w}, {attribute("pads", Extents{0, 0, -1, 0})},
                     "padding is negative");
  check_node_refused(11, "Conv", x, {w}, {attribute("auto_pad", "SAME")},
                     "auto_pad 'SAME' is unknown");
  check_node_refused(11, "Conv", {1, 3, 5, 5}, {w}, {}, "");
  check_node_refused(11, "ConvTranspose", x, {w}, {attribute("group", 4)},
                     "do not divide into 4 groups");
  check_node_refused(11, "Conv", x, {w}, {attribute("sparsity", 1)},
                     "attribute 'sparsity' is not supported");
}

}  // namespace figment::testing
