// Makes one transposed convolution of a nearest up-sampling and the convolution after it.
//
// Up-sampling by s repeats every pixel s times, so a window of K taps over it meets the same pixel
// with several taps, whose weights can be added up beforehand: a transposed convolution of stride s
// and kernel K + s - 1, whose weights are the taps in reverse, summed over every s neighbours. For
// K = 3 and s = 2 that is 16 multiply-adds for a pixel, a channel and an output where there were
// 36, and the large picture is never written.
#include <algorithm>

#include "converter/passes/edit.h"
#include "converter/passes/passes.h"

namespace figment::converter {
namespace {

struct Scale {
  int height = 1, width = 1;
};

// How often the Resize repeats pixels, when that is all that it does: seen on a picture of pixel
// numbers, so that every way of writing it counts.
std::optional<Scale> repeats(const Graph& graph, const Node& node) {
  const Shape& in = graph.tensor(node.inputs[0]).shape;
  const Shape& out = graph.tensor(node.output).shape;
  if (out[1] % in[1] != 0 || out[2] % in[2] != 0) return std::nullopt;
  const Scale scale{out[1] / in[1], out[2] / in[2]};
  if (scale.height == 1 && scale.width == 1) return std::nullopt;
  Graph numbers;
  std::vector<float> pixels(static_cast<std::size_t>(in[1]) * static_cast<std::size_t>(in[2]));
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i);
  const TensorId x = numbers.add_floats("pixels", make_shape({1, in[1], in[2], 1}), pixels);
  const TensorId y = numbers.add_node("resize", node.options, {x});
  const float* resized = numbers.tensor(y).floats();
  for (int row = 0; row < out[1]; ++row)
    for (int column = 0; column < out[2]; ++column) {
      const int pixel = row / scale.height * in[2] + column / scale.width;
      if (*resized++ != static_cast<float>(pixel)) return std::nullopt;
    }
  return scale;
}

// [outputs, height, width, inputs] to [1, height + s - 1, width + s - 1, outputs, inputs].
TensorId add_sums(Graph& graph, const GraphTensor& kernel, const Scale& scale) {
  const Shape& shape = kernel.shape;
  const int height = shape[1] + scale.height - 1;
  const int width = shape[2] + scale.width - 1;
  const std::size_t outputs = static_cast<std::size_t>(shape[0]);
  const std::size_t inputs = static_cast<std::size_t>(shape[3]);
  const std::size_t all_taps =
      static_cast<std::size_t>(shape[1]) * static_cast<std::size_t>(shape[2]);
  const float* taps = kernel.floats();
  std::vector<float> sums;
  sums.reserve(static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * outputs *
               inputs);
  for (int v = 0; v < height; ++v)
    for (int u = 0; u < width; ++u)
      for (std::size_t output = 0; output < outputs; ++output)
        for (std::size_t input = 0; input < inputs; ++input) {
          double sum = 0;
          // Taps v - scale + 1 to v of the reversed kernel, those that exist.
          for (int j = std::max(0, v - scale.height + 1); j <= std::min(v, shape[1] - 1); ++j)
            for (int i = std::max(0, u - scale.width + 1); i <= std::min(u, shape[2] - 1); ++i) {
              const std::size_t tap =
                  static_cast<std::size_t>(shape[1] - 1 - j) * static_cast<std::size_t>(shape[2]) +
                  static_cast<std::size_t>(shape[2] - 1 - i);
              sum += taps[(output * all_taps + tap) * inputs + input];
            }
          sums.push_back(static_cast<float>(sum));
        }
  return graph.add_floats(kernel.name, make_shape({1, height, width, shape[0], shape[3]}), sums);
}

// The convolution as a transposed one, when there is such a one.
std::optional<format::ConvTranspose2DT> transposed(const format::Conv2DT& convolution,
                                                   const Shape& kernel, const Scale& scale) {
  if (convolution.groups != 1 || convolution.stride_height != 1 || convolution.stride_width != 1 ||
      convolution.dilation_height != 1 || convolution.dilation_width != 1)
    return std::nullopt;
  if (kernel[1] == 1 && kernel[2] == 1) return std::nullopt;  // nothing to add up
  format::ConvTranspose2DT options;
  options.stride_height = scale.height;
  options.stride_width = scale.width;
  options.pad_top = kernel[1] - 1 - convolution.pad_top;
  options.pad_bottom = kernel[1] - 1 - convolution.pad_bottom;
  options.pad_left = kernel[2] - 1 - convolution.pad_left;
  options.pad_right = kernel[2] - 1 - convolution.pad_right;
  if (std::min({options.pad_top, options.pad_bottom, options.pad_left, options.pad_right}) < 0)
    return std::nullopt;
  return options;
}

bool fold_one(Graph& graph) {
  const Links links = link(graph);
  for (Node& node : graph.nodes) {
    if (!is_kind<format::Conv2DT>(node)) continue;
    const Node* resize = written_by<format::ResizeT>(graph, links, node.inputs[0]);
    if (resize == nullptr || !links.has_one_reader(node.inputs[0])) continue;
    const GraphTensor& kernel = graph.tensor(node.inputs[1]);
    if (!kernel.constant() || kernel.type != DataType::kFloat32) continue;
    const std::optional<Scale> scale = repeats(graph, *resize);
    if (!scale) continue;
    const auto options = transposed(node.as<format::Conv2DT>(), kernel.shape, *scale);
    if (!options) continue;
    node.inputs[0] = resize->inputs[0];
    node.inputs[1] = add_sums(graph, GraphTensor(kernel), *scale);
    node.options = make_options(*options);
    return true;
  }
  return false;
}

}  // namespace

PassResult fold_upsampling(Graph& graph) {
  PassResult result;
  while (fold_one(graph)) ++result.changes;
  sweep(graph);
  result.sentence = "made " + counted(result.changes, "ConvTranspose2D") +
                    " of as many nearest up-samplings and convolutions";
  return result;
}

}  // namespace figment::converter
