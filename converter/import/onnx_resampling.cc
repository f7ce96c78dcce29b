// Operators that change a picture's size by moving or mixing its pixels.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "converter/import/onnx_families.h"
#include "converter/import/spatial.h"

namespace figment::converter {
namespace {

using format::ResizeCoordinates;
using format::ResizeMode;
using format::ResizeRounding;

// What a Resize or Upsample asks for, for every axis of its input.
struct Request {
  std::vector<std::int64_t> sizes;
  std::vector<float> scales;  // 0: size / extent
};

ResizeMode read_mode(const OnnxNode& node) {
  const std::string mode = node.text("mode", "nearest");
  if (mode == "nearest") return ResizeMode::Nearest;
  if (mode == "linear" || mode == "bilinear") return ResizeMode::Linear;
  if (mode == "cubic") return ResizeMode::Cubic;
  node.refuse("its mode '" + mode + "' is not supported; use nearest, linear or cubic");
}

Request from_scales(const OnnxNode& node, const Shape& shape, const std::vector<float>& scales,
                    const std::vector<int>& axes) {
  if (scales.size() != axes.size())
    node.refuse("it has " + std::to_string(scales.size()) + " scales for " +
                std::to_string(axes.size()) + " axes");
  Request request;
  for (int axis = 0; axis < shape.rank; ++axis) request.sizes.push_back(shape[axis]);
  request.scales.assign(static_cast<std::size_t>(shape.rank), 0);
  for (std::size_t index = 0; index < axes.size(); ++index) {
    const float scale = scales[index];
    if (!(scale > 0) || !(scale < 1e6F))
      node.refuse("its scale " + std::to_string(scale) + " is no sensible factor");
    const auto axis = static_cast<std::size_t>(axes[index]);
    const double size =
        std::floor(static_cast<double>(shape[axes[index]]) * static_cast<double>(scale));
    request.sizes[axis] = node.checked_int(static_cast<std::int64_t>(size), "output's extent", 1);
    // A scale that says no more than the extents do is left out.
    request.scales[axis] =
        size == static_cast<double>(shape[axes[index]]) * static_cast<double>(scale) ? 0 : scale;
  }
  return request;
}

Request from_sizes(const OnnxNode& node, const Shape& shape, const std::vector<std::int64_t>& sizes,
                   const std::vector<int>& axes) {
  if (sizes.size() != axes.size())
    node.refuse("it has " + std::to_string(sizes.size()) + " sizes for " +
                std::to_string(axes.size()) + " axes");
  Request request;
  for (int axis = 0; axis < shape.rank; ++axis) request.sizes.push_back(shape[axis]);
  request.scales.assign(static_cast<std::size_t>(shape.rank), 0);
  const std::string policy = node.text("keep_aspect_ratio_policy", "stretch");
  double common = 0;
  for (std::size_t index = 0; index < axes.size(); ++index) {
    const double scale =
        static_cast<double>(node.checked_int(sizes[index], "size", 1)) / shape[axes[index]];
    if (index == 0 || (policy == "not_larger" ? scale < common : scale > common)) common = scale;
  }
  for (std::size_t index = 0; index < axes.size(); ++index) {
    const auto axis = static_cast<std::size_t>(axes[index]);
    if (policy == "stretch") {
      request.sizes[axis] = sizes[index];
    } else if (policy == "not_larger" || policy == "not_smaller") {
      request.sizes[axis] = std::max<std::int64_t>(std::llround(common * shape[axes[index]]), 1);
    } else {
      node.refuse("its keep_aspect_ratio_policy '" + policy + "' is unknown");
    }
  }
  return request;
}

// Emits what is asked for when it is about the one or two spatial axes of N,C,L or N,C,H,W, or of
// N,H,W,C.
void resize_to(OnnxNode& node, TensorId x, const Request& request, format::ResizeT options) {
  const Shape shape = node.shape(x);
  std::vector<int> changed;
  for (int axis = 0; axis < shape.rank; ++axis)
    if (request.sizes[static_cast<std::size_t>(axis)] != shape[axis] ||
        request.scales[static_cast<std::size_t>(axis)] != 0)
      changed.push_back(axis);
  if (changed.empty()) return node.set_output(0, x);
  const bool channels_last = shape.rank == 4 && changed.front() == 1 && changed.back() <= 2;
  if (!channels_last && (shape.rank < 3 || shape.rank > 4 || changed.front() < 2))
    node.refuse("it would resize " + describe(shape) + " to " +
                describe(make_shape(request.sizes)) +
                ", but only the spatial axes of N,C,L and N,C,H,W can be resized");
  const std::size_t width = channels_last ? 2 : static_cast<std::size_t>(shape.rank) - 1;
  options.width = static_cast<std::int32_t>(request.sizes[width]);
  options.scale_width = request.scales[width];
  options.height = shape.rank == 4 ? static_cast<std::int32_t>(request.sizes[width - 1]) : 1;
  options.scale_height = shape.rank == 4 ? request.scales[width - 1] : 0;
  if (channels_last) return node.set_output(0, node.emit(options, {x}));
  node.set_output(0, from_picture(node, node.emit(options, {to_picture(node, x)}), shape.rank - 2));
}

std::vector<int> all_axes(int rank) {
  std::vector<int> axes(static_cast<std::size_t>(rank));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

// Upsample (7 to 9), and Resize of opset 10, which is the same.
void upsample(OnnxNode& node) {
  const TensorId x = node.input(0);
  format::ResizeT options;
  options.mode = read_mode(node);
  options.coordinates = ResizeCoordinates::Asymmetric;
  options.rounding = ResizeRounding::Floor;
  std::vector<float> scales;
  if (node.kind() == "Upsample" && node.opset() < 9) {
    const auto list = node.number_list("scales");
    if (!list) node.refuse("it lacks the attribute 'scales'; the file is damaged");
    scales = *list;
  } else {
    scales = node.floats(node.input(1), "scales");
  }
  const Shape shape = node.shape(x);
  resize_to(node, x, from_scales(node, shape, scales, all_axes(shape.rank)), options);
}

ResizeCoordinates read_coordinates(const OnnxNode& node, const Shape& shape,
                                   const Request& request) {
  const std::string name = node.text("coordinate_transformation_mode", "half_pixel");
  if (name == "half_pixel") return ResizeCoordinates::HalfPixel;
  if (name == "pytorch_half_pixel") return ResizeCoordinates::PytorchHalfPixel;
  if (name == "align_corners") return ResizeCoordinates::AlignCorners;
  if (name == "asymmetric") return ResizeCoordinates::Asymmetric;
  if (name == "half_pixel_symmetric") {
    // Differs from half_pixel only where extent * scale is no whole number.
    for (int axis = 0; axis < shape.rank; ++axis)
      if (request.scales[static_cast<std::size_t>(axis)] != 0)
        node.refuse(
            "its coordinates 'half_pixel_symmetric' are not supported with broken extents; use "
            "half_pixel");
    return ResizeCoordinates::HalfPixel;
  }
  node.refuse(
      "its coordinates '" + name +
      "' are not supported; use half_pixel, pytorch_half_pixel, align_corners or asymmetric");
}

ResizeRounding read_rounding(const OnnxNode& node) {
  const std::string name = node.text("nearest_mode", "round_prefer_floor");
  if (name == "round_prefer_floor") return ResizeRounding::RoundPreferFloor;
  if (name == "round_prefer_ceil") return ResizeRounding::RoundPreferCeil;
  if (name == "floor") return ResizeRounding::Floor;
  if (name == "ceil") return ResizeRounding::Ceil;
  node.refuse("its nearest_mode '" + name + "' is unknown; the file is damaged");
}

// x, region (only for tf_crop_and_resize), scales or sizes; from opset 18 for some axes.
void resize(OnnxNode& node) {
  if (node.opset() < 11) return upsample(node);
  const TensorId x = node.input(0);
  const Shape shape = node.shape(x);
  format::ResizeT options;
  options.mode = read_mode(node);
  std::vector<int> axes = all_axes(shape.rank);
  if (const auto list = node.integer_list("axes")) {
    axes.clear();
    for (const std::int64_t axis : *list) axes.push_back(node.checked_axis(axis, shape.rank));
  }
  // An absent operand may also be an empty list.
  const auto given = [&](int index) {
    return node.has_input(index) && node.shape(node.input(index)).elements() > 0;
  };
  if (given(2) == given(3)) node.refuse("it must have either scales or sizes; the file is damaged");
  const Request request =
      given(2) ? from_scales(node, shape, node.floats(node.input(2), "scales"), axes)
               : from_sizes(node, shape, node.integers(node.input(3), "sizes"), axes);
  options.coordinates = read_coordinates(node, shape, request);
  options.rounding = read_rounding(node);
  if (node.flag("antialias", false))
    for (int axis = 0; axis < shape.rank; ++axis)
      if (request.sizes[static_cast<std::size_t>(axis)] < shape[axis])
        node.refuse("antialiasing is not supported; export it with antialias=False");
  options.cubic_coefficient = node.number_attribute("cubic_coeff_a", -0.75F);
  options.exclude_outside =
      node.flag("exclude_outside", false) && options.mode == ResizeMode::Cubic;
  for (const char* name : {"extrapolation_value", "keep_aspect_ratio_policy"})
    node.ignore(name);  // read where it matters, or about the modes refused above
  resize_to(node, x, request, options);
}

int read_block(const OnnxNode& node, TensorId x) {
  if (node.rank(x) != 4)
    node.refuse("its input has shape " + describe(node.shape(x)) + ", but must be N,C,H,W");
  return node.checked_int(node.integer("blocksize", 0), "blocksize", 1);
}

void depth_to_space(OnnxNode& node) {
  const TensorId x = node.input(0);
  format::DepthToSpaceT options;
  options.block = read_block(node, x);
  const std::string mode = node.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    node.refuse("its mode '" + mode + "' is unknown; the file is damaged");
  options.order =
      mode == "CRD" ? format::DepthOrder::ColumnRowDepth : format::DepthOrder::DepthColumnRow;
  node.set_output(0, from_picture(node, node.emit(options, {to_picture(node, x)}), 2));
}

void space_to_depth(OnnxNode& node) {
  const TensorId x = node.input(0);
  format::SpaceToDepthT options;
  options.block = read_block(node, x);
  node.set_output(0, from_picture(node, node.emit(options, {to_picture(node, x)}), 2));
}

constexpr OnnxOperator kRows[] = {
    {"DepthToSpace", depth_to_space},
    {"Resize", resize},
    {"SpaceToDepth", space_to_depth},
    {"Upsample", upsample},
};

}  // namespace

const std::span<const OnnxOperator> kOnnxResampling = kRows;

}  // namespace figment::converter
