// What convolutions and pools of TFLite share: strides, dilations and padding.
#pragma once

#include "converter/import/same_padding.h"
#include "converter/import/tflite/node.h"

namespace figment::converter {

// Sets the strides that the file's options have.
template <typename Source, typename Options>
void set_strides(const TfliteNode& node, const Source& source, Options& options) {
  options.stride_height = node.checked_int(source.stride_h(), "stride", 1);
  options.stride_width = node.checked_int(source.stride_w(), "stride", 1);
}

inline bool is_same(const TfliteNode& node, tflite::Padding padding) {
  if (padding != tflite::Padding::SAME && padding != tflite::Padding::VALID)
    node.refuse("its padding " + std::to_string(static_cast<int>(padding)) +
                " is unknown; the file is damaged");
  return padding == tflite::Padding::SAME;
}

// Pads the picture x, once strides and dilations are set.
template <typename Options>
void set_padding(const TfliteNode& node, TensorId x, tflite::Padding padding, int kernel_height,
                 int kernel_width, Options& options) {
  if (!is_same(node, padding)) return;
  const SamePadding down =
      same_padding(node.shape(x)[1], kernel_height, options.stride_height, options.dilation_height);
  const SamePadding across =
      same_padding(node.shape(x)[2], kernel_width, options.stride_width, options.dilation_width);
  options.pad_top = node.checked_int(down.before, "padding");
  options.pad_bottom = node.checked_int(down.after, "padding");
  options.pad_left = node.checked_int(across.before, "padding");
  options.pad_right = node.checked_int(across.after, "padding");
}

// Refuses what is no picture N,H,W,C.
inline void require_picture(const TfliteNode& node, TensorId x) {
  if (node.rank(x) != 4)
    node.refuse("its input has shape " + describe(node.shape(x)) + ", but must be N,H,W,C");
}

}  // namespace figment::converter
