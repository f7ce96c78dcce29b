// Operators that change a picture's size: pools, resizes, and those that move pixels to channels.
#include "converter/import/tflite/families.h"
#include "converter/import/tflite/window.h"

namespace figment::converter {
namespace {

using format::PoolFunction;
using format::ResizeCoordinates;
using format::ResizeMode;
using format::ResizeRounding;

template <PoolFunction kFunction>
void pool(TfliteNode& node) {
  const TensorId x = node.input(0);
  require_picture(node, x);
  const auto& source = node.options<tflite::Pool2DOptions>();
  format::Pool2DT options;
  options.function = kFunction;
  options.kernel_height = node.checked_int(source.filter_height(), "window", 1);
  options.kernel_width = node.checked_int(source.filter_width(), "window", 1);
  set_strides(node, source, options);
  set_padding(node, x, source.padding(), options.kernel_height, options.kernel_width, options);
  const TensorId y = node.emit(options, {x});
  node.set_output(0, node.activate(y, source.fused_activation_function()));
}

// x, size [2]
void resize(TfliteNode& node, format::ResizeT options, bool align_corners, bool half_pixel) {
  const TensorId x = node.input(0);
  require_picture(node, x);
  if (align_corners && half_pixel)
    node.refuse("it aligns corners and has half-pixel centers, which exclude each other");
  options.coordinates = align_corners ? ResizeCoordinates::AlignCorners
                        : half_pixel  ? ResizeCoordinates::HalfPixel
                                      : ResizeCoordinates::Asymmetric;
  const std::vector<std::int64_t> size = node.integers(1, "size");
  if (size.size() != 2) node.refuse("its size must be a height and a width; the file is damaged");
  options.height = node.checked_int(size[0], "height", 1);
  options.width = node.checked_int(size[1], "width", 1);
  node.set_output(0, node.emit(options, {x}));
}

void resize_bilinear(TfliteNode& node) {
  const auto& source = node.options<tflite::ResizeBilinearOptions>();
  format::ResizeT options;
  options.mode = ResizeMode::Linear;
  resize(node, options, source.align_corners(), source.half_pixel_centers());
}

void resize_nearest(TfliteNode& node) {
  const auto& source = node.options<tflite::ResizeNearestNeighborOptions>();
  format::ResizeT options;
  options.mode = ResizeMode::Nearest;
  // floor((y + 1/2) * scale) is the half-pixel coordinate rounded with halves up.
  options.rounding = source.align_corners() || source.half_pixel_centers()
                         ? ResizeRounding::RoundPreferCeil
                         : ResizeRounding::Floor;
  resize(node, options, source.align_corners(), source.half_pixel_centers());
}

void depth_to_space(TfliteNode& node) {
  const TensorId x = node.input(0);
  require_picture(node, x);
  format::DepthToSpaceT options;
  options.block =
      node.checked_int(node.options<tflite::DepthToSpaceOptions>().block_size(), "block_size", 1);
  options.order = format::DepthOrder::DepthColumnRow;
  node.set_output(0, node.emit(options, {x}));
}

void space_to_depth(TfliteNode& node) {
  const TensorId x = node.input(0);
  require_picture(node, x);
  format::SpaceToDepthT options;
  options.block =
      node.checked_int(node.options<tflite::SpaceToDepthOptions>().block_size(), "block_size", 1);
  node.set_output(0, node.emit(options, {x}));
}

constexpr TfliteOperator kRows[] = {
    {"AVERAGE_POOL_2D", pool<PoolFunction::Average>},
    {"DEPTH_TO_SPACE", depth_to_space, TfliteForm::kMoves},
    {"MAX_POOL_2D", pool<PoolFunction::Max>},
    {"RESIZE_BILINEAR", resize_bilinear},
    {"RESIZE_NEAREST_NEIGHBOR", resize_nearest, TfliteForm::kMoves},
    {"SPACE_TO_DEPTH", space_to_depth},
};

}  // namespace

const std::span<const TfliteOperator> kTfliteResampling = kRows;

}  // namespace figment::converter
