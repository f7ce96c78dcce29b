// Builds networks for enlarging.
#include "tests/host/upscalers.h"

#include <cmath>

#include "converter/emit/flatbuffer.h"

namespace figment::testing {

using namespace converter;

namespace {

TensorId weights(Graph& graph, const std::vector<std::int64_t>& extents, int fan_in,
                 float gain = 1) {
  const Shape shape = make_shape(extents);
  std::vector<float> values(static_cast<std::size_t>(shape.elements()));
  for (std::size_t at = 0; at < values.size(); ++at)
    values[at] = gain * std::sin(static_cast<float>(7 * at + values.size())) /
                 std::sqrt(static_cast<float>(fan_in));
  return graph.add_floats("weights", shape, values);
}

}  // namespace

std::vector<std::byte> make_upscaler(const Network& network, int height, int width, int channels) {
  Graph graph;
  graph.name = "upscaler";
  graph.any_batch = true;
  const TensorId x =
      graph.add_input("photo", DataType::kFloat32, make_shape({1, height, width, channels}));
  graph.tensor(x).batch_axis = 0;
  const TensorId y = network(graph, x);
  graph.outputs.push_back({"large", y, {}});
  ModelFacts facts;
  const Shape& shape = graph.tensor(y).shape;
  format::ImageT image;
  image.height = shape[1];
  image.width = shape[2];
  image.channels = shape[3];
  image.low = 0;
  image.high = 1;
  facts.output_reading.Set(image);
  return emit(graph, facts);
}

TensorId convolve(Graph& graph, TensorId x, int outputs, int kernel, int stride, int dilation,
                  float gain) {
  const int channels = graph.tensor(x).shape[3];
  format::Conv2DT options;
  options.stride_height = options.stride_width = stride;
  options.dilation_height = options.dilation_width = dilation;
  options.pad_top = options.pad_left = (kernel - 1) * dilation / 2;
  options.pad_bottom = options.pad_right = (kernel - 1) * dilation - options.pad_top;
  return graph.add_node(
      "conv", make_options(options),
      {x, weights(graph, {outputs, kernel, kernel, channels}, kernel * kernel * channels, gain),
       kAbsent});
}

TensorId transpose_convolve(Graph& graph, TensorId x, int outputs, int kernel, int stride) {
  const int channels = graph.tensor(x).shape[3];
  format::ConvTranspose2DT options;
  options.stride_height = options.stride_width = stride;
  options.pad_top = options.pad_left = (kernel - stride) / 2;
  options.pad_bottom = options.pad_right = kernel - stride - options.pad_top;
  return graph.add_node(
      "up", make_options(options),
      {x, weights(graph, {1, kernel, kernel, outputs, channels}, kernel * channels), kAbsent});
}

TensorId relu(Graph& graph, TensorId x) {
  format::UnaryT options;
  options.function = format::UnaryFunction::Relu;
  return graph.add_node("relu", make_options(options), {x});
}

TensorId add(Graph& graph, TensorId a, TensorId b) {
  return graph.add_node("add", make_options(format::BinaryT{}), {a, b});
}

TensorId resize(Graph& graph, TensorId x, int factor, format::ResizeMode mode) {
  format::ResizeT options;
  options.mode = mode;
  options.height = factor * graph.tensor(x).shape[1];
  options.width = factor * graph.tensor(x).shape[2];
  return graph.add_node("resize", make_options(options), {x});
}

TensorId depth_to_space(Graph& graph, TensorId x, int block) {
  format::DepthToSpaceT options;
  options.block = block;
  return graph.add_node("shuffle", make_options(options), {x});
}

Network small_upscaler(int factor, int channels, int layers) {
  return [=](Graph& graph, TensorId x) {
    const TensorId first = convolve(graph, x, 6, 3);
    TensorId y = first;
    for (int layer = 1; layer < layers; ++layer) y = relu(graph, convolve(graph, y, 6, 3));
    y = depth_to_space(graph, convolve(graph, add(graph, y, first), channels * factor * factor, 3),
                       factor);
    const TensorId plain = resize(graph, x, factor, format::ResizeMode::Linear);
    return add(graph, plain, convolve(graph, y, channels, 3));
  };
}

Network residual_upscaler(int factor, int channels, int blocks) {
  return [=](Graph& graph, TensorId x) {
    TensorId y = convolve(graph, x, 6, 3);
    for (int block = 0; block < blocks; ++block)
      y = add(graph, y, convolve(graph, relu(graph, convolve(graph, y, 6, 3)), 6, 3, 1, 1, 0.1F));
    return depth_to_space(graph, convolve(graph, y, channels * factor * factor, 3), factor);
  };
}

}  // namespace figment::testing
