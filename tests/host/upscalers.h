// Small networks that enlarge pictures, of any size, by the converter's own means.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "converter/graph/graph.h"

namespace figment::testing {

// Appends operators to the graph and returns the picture that they make of x.
using Network = std::function<converter::TensorId(converter::Graph&, converter::TensorId x)>;

// The bytes of an .fgm: input "photo" [1,height,width,channels], output "large", whose numbers from
// 0 to 1 are black to white.
std::vector<std::byte> make_upscaler(const Network& network, int height, int width, int channels);

// ---- Parts of networks; weights are small, all different, and depend on the shapes alone ----

converter::TensorId convolve(converter::Graph& graph, converter::TensorId x, int outputs,
                             int kernel, int stride = 1, int dilation = 1, float gain = 1);
converter::TensorId transpose_convolve(converter::Graph& graph, converter::TensorId x, int outputs,
                                       int kernel, int stride);
converter::TensorId relu(converter::Graph& graph, converter::TensorId x);
converter::TensorId add(converter::Graph& graph, converter::TensorId a, converter::TensorId b);
converter::TensorId resize(converter::Graph& graph, converter::TensorId x, int factor,
                           format::ResizeMode mode);
converter::TensorId depth_to_space(converter::Graph& graph, converter::TensorId x, int block);

// Three convolutions, a skip, pixels from channels, one more convolution.
Network small_upscaler(int factor, int channels, int layers = 3);
// Blocks that each add a little to what is there, as networks for enlarging have them.
Network residual_upscaler(int factor, int channels, int blocks);

}  // namespace figment::testing
