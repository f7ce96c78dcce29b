// The passes. Each turns a graph into another that gives the same results, and says what it did.
// They may run in any order and again; convert.cc has the order that pays.
#pragma once

#include <functional>
#include <string>

#include "converter/calibrate.h"

namespace figment::converter {

struct PassResult {
  int changes = 0;
  std::string sentence;  // for --report
};

// Computes what needs no input, with the runtime's portable definitions.
PassResult fold_constants(Graph& graph);

// Removes operators that change nothing, and makes a Reshape of a Transpose that moves no number.
PassResult drop_identities(Graph& graph);

// Finds an activation in the primitives that exporters write it with.
PassResult recognise_gelu(Graph& graph);
PassResult recognise_leaky_relu(Graph& graph);  // and Relu
PassResult recognise_swish(Graph& graph);       // and HardSwish and Mish

// Finds a normalization in the primitives that exporters write it with.
PassResult recognise_group_normalization(Graph& graph);
PassResult recognise_layer_normalization(Graph& graph);

// Makes a Dense of a MatMul with constant weights.
PassResult recognise_dense(Graph& graph);

// Makes one Transpose of those of both operands of a MatMul.
PassResult swap_products(Graph& graph);

// Finds attention in matrix products and a Softmax.
PassResult recognise_attention(Graph& graph);

// Turns N,C,H,W into N,H,W,C once: moves Transposes through the graph until they meet their
// inverse, an input or output (whose port then records the order), or a Dense (whose weights take
// them in).
PassResult to_nhwc(Graph& graph);

// Folds BatchNormalization, and constant factors and summands per channel, into the Dense, Conv2D
// or ConvTranspose2D before it.
PassResult fold_batch_normalization(Graph& graph);

// Makes a zero Pad part of the convolution or average pool after it.
PassResult fold_pad(Graph& graph);

// Makes one ConvTranspose2D of a nearest Resize by whole numbers and the convolution after it.
PassResult fold_upsampling(Graph& graph);

// Splits a LeakyRelu between two dense layers into its linear part and a Relu: faster for one
// latent at a time, with a larger file.
PassResult split_leaky_relu(Graph& graph);

// Makes a Unary the activation of the operator before it.
PassResult fuse_activation(Graph& graph);

// Puts the nodes in the order that needs least memory at once.
PassResult order_for_memory(Graph& graph);

// Gives every reader of a constant vector a copy of its own, so that each learns for itself.
PassResult part_vectors(Graph& graph);

// Stores the weights of matrix products and convolutions as float16.
PassResult narrow_weights(Graph& graph);

// Stores them as int8, with a scale for each output channel.
PassResult quantize_weights(Graph& graph);

// Makes activations int8 and computes in integers between them: products with constant weights, and
// from there on whatever else can; Quantize and Dequantize stand where float32 begins and ends.
// `observe_graph` gives the numbers that every tensor of a graph takes.
using Observer = std::function<std::vector<Histogram>(const Graph&)>;
PassResult quantize_activations(Graph& graph, const Observer& observe_graph);

// Stores those of dense layers as int4, with a scale for each block of 32.
PassResult quantize_dense(Graph& graph);

}  // namespace figment::converter
