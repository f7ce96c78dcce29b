// Layers that change a picture's size.
#include <nlohmann/json.hpp>

#include "converter/import/layers/window.h"

namespace figment::converter {
namespace {

using format::ResizeCoordinates;
using format::ResizeMode;
using format::ResizeRounding;

// The way of filling in pixels, by Keras's name.
format::ResizeT read_interpolation(const LayerNode& node, const std::string& otherwise) {
  const std::string name = node.text_setting({"interpolation"}, otherwise);
  format::ResizeT options;
  if (name == "nearest") {
    options.mode = ResizeMode::Nearest;
    options.coordinates = ResizeCoordinates::Asymmetric;
    options.rounding = ResizeRounding::Floor;
  } else if (name == "bilinear") {
    options.mode = ResizeMode::Linear;
    options.coordinates = node.context().dialect.corner_bilinear ? ResizeCoordinates::Asymmetric
                                                                 : ResizeCoordinates::HalfPixel;
  } else {
    node.refuse("its interpolation '" + name + "' is not supported; use 'nearest' or 'bilinear'");
  }
  return options;
}

template <int kAxes>
void up_sampling(LayerNode& node) {
  const std::vector<int> size = node.extents_setting({"size", "length"}, kAxes, 2);
  const TensorId picture = layer_picture(node, node.input(), kAxes);
  format::ResizeT options = read_interpolation(node, "nearest");
  const Shape shape = node.shape(picture);
  const std::int64_t height = kAxes == 2 ? std::int64_t{shape[1]} * size[0] : 1;
  options.height = node.checked_int(height, "output's height", 1);
  options.width = node.checked_int(std::int64_t{shape[2]} * size[kAxes - 1], "output's width", 1);
  node.set_output(picture_to_layer(node, node.emit(options, {picture}), kAxes));
}

void resizing(LayerNode& node) {
  for (const char* setting : {"crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"})
    if (node.flag({setting}, false))
      node.refuse("its setting '" + std::string(setting) + "' is not supported");
  const TensorId picture = layer_picture(node, node.input(), 2);
  format::ResizeT options = read_interpolation(node, "bilinear");
  // Numbers of the picture's centre, also where TensorFlow.js up-samples by corners.
  options.coordinates = ResizeCoordinates::HalfPixel;
  if (options.mode == ResizeMode::Nearest) options.rounding = ResizeRounding::RoundPreferCeil;
  options.height = node.checked_int(node.integer_setting({"height"}, 0), "height", 1);
  options.width = node.checked_int(node.integer_setting({"width"}, 0), "width", 1);
  node.set_output(picture_to_layer(node, node.emit(options, {picture}), 2));
}

// Of super-resolution models (tf.nn.depth_to_space): the block is called scale.
void pixel_shuffle(LayerNode& node) {
  format::DepthToSpaceT options;
  options.block = node.checked_int(
      node.integer_setting({"scale", "block_size", "upscale_factor"}, 2), "scale", 1);
  node.set_output(
      picture_to_layer(node, node.emit(options, {layer_picture(node, node.input(), 2)}), 2));
}

constexpr LayerRow kRows[] = {
    {"PixelShuffle", pixel_shuffle},
    {"Resizing", resizing},
    {"UpSampling1D", up_sampling<1>},
    {"UpSampling2D", up_sampling<2>},
};

}  // namespace

const std::span<const LayerRow> kResamplingLayers = kRows;

}  // namespace figment::converter
