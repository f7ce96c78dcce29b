// Resize: x [N,H,W,C] -> [N,height,width,C], nearest, linear or cubic, with the coordinates and
// roundings of ONNX's Resize.
//
// Output coordinate i stands at input coordinate (in double precision; a scale of 0: output extent
// / input extent, so that i / scale is i * input / output, exact where it is whole)
//   half_pixel          (i + 0.5) / scale - 0.5
//   pytorch_half_pixel  the same, but 0 for an output of one
//   align_corners       i * (input - 1) / (output - 1), 0 for an output of one; with a scale,
//                       `output` is input * scale, which may be no whole number
//   asymmetric          i / scale
// Beyond the edges the edge goes on.
#include <algorithm>
#include <cstring>

#include "runtime/ops/move.h"
#include "runtime/ops/resize.h"
#include "runtime/ops/window.h"

namespace figment::ops {

double input_coordinate(format::ResizeCoordinates coordinates, int i, int input, int output,
                        float scale) {
  const auto unscale = [&](double place) {
    return scale == 0 ? place * input / output : place / static_cast<double>(scale);
  };
  switch (coordinates) {
    case format::ResizeCoordinates::AlignCorners:
      if (output == 1) return 0.0;
      return static_cast<double>(i) * (input - 1) /
             ((scale == 0 ? output : input * static_cast<double>(scale)) - 1.0);
    case format::ResizeCoordinates::Asymmetric:
      return unscale(i);
    case format::ResizeCoordinates::PytorchHalfPixel:
      if (output == 1) return 0.0;
      break;
    case format::ResizeCoordinates::HalfPixel:
      break;
  }
  return unscale(i + 0.5) - 0.5;
}

namespace {

using format::ResizeCoordinates;
using format::ResizeMode;
using format::ResizeRounding;

ResizeSource nearest(ResizeRounding rounding, double coordinate, int input) {
  // Inside int32 whatever the scale, and one place wider than the picture, so that rounding sees
  // it.
  coordinate = std::clamp(coordinate, -1.0, static_cast<double>(input));
  const int below = static_cast<int>(coordinate + 1.0) - 1;  // the floor, from -1 on
  const double rest = coordinate - below;
  bool up = false;
  switch (rounding) {
    case ResizeRounding::RoundPreferFloor:
      up = rest > 0.5;
      break;
    case ResizeRounding::RoundPreferCeil:
      up = rest >= 0.5;
      break;
    case ResizeRounding::Floor:
      break;
    case ResizeRounding::Ceil:
      up = rest > 0;
      break;
  }
  const int place = std::clamp(below + (up ? 1 : 0), 0, input - 1);
  return {place, place, 0.0f};
}

ResizeSource linear(double coordinate, int input) {
  coordinate = std::clamp(coordinate, 0.0, input - 1.0);
  const int below = static_cast<int>(coordinate);
  return {below, std::min(below + 1, input - 1), static_cast<float>(coordinate - below)};
}

}  // namespace

ResizeSource resize_source(const format::Resize& options, int i, int input, int output,
                           float scale) {
  const double coordinate = input_coordinate(options.coordinates(), i, input, output, scale);
  return options.mode() == ResizeMode::Nearest ? nearest(options.rounding(), coordinate, input)
                                               : linear(coordinate, input);
}

namespace {

Status require_scale(const format::Resize& options, float scale, int input, int output,
                     const char* what) {
  if (!(scale >= 0 && scale <= 1e6f))  // NaN too
    return bad_file({what, " must be 0 or a positive number up to a million"});
  // The corners of align_corners lie apart by what the scale gives.
  if (options.coordinates() == ResizeCoordinates::AlignCorners && scale > 0 &&
      static_cast<double>(scale) * input < output)
    return bad_file({what, " does not give the output's extent ", output});
  return {};
}

Status shape(const Operation& operation, Tensor& result) {
  const auto& options = operation.as<format::Resize>();
  const bool moves =
      options.mode() == ResizeMode::Nearest && operation.in(0).type == DataType::kInt8;
  if (!moves) FIG_TRY(require_float(operation, 0));
  FIG_TRY(require_rank(operation, 0, 4));
  if (options.mode() > ResizeMode::MAX || options.coordinates() > ResizeCoordinates::MAX ||
      options.rounding() > ResizeRounding::MAX)
    return unsupported({"the way to resize is newer than this runtime; update Figment"});
  const Shape& x = operation.in(0).shape;
  if (x[1] < 1 || x[2] < 1) return bad_file({"a picture without pixels cannot be resized"});
  FIG_TRY(require_scale(options, options.scale_height(), x[1], options.height(), "scale_height"));
  FIG_TRY(require_scale(options, options.scale_width(), x[2], options.width(), "scale_width"));
  if (!(options.cubic_coefficient() >= -16.0f && options.cubic_coefficient() <= 16.0f))
    return bad_file({"the cubic coefficient must be a number between -16 and 16"});
  FIG_TRY(require_scratch(options.width() * std::int64_t{sizeof(CubicTaps)}));
  FIG_TRY(set_picture(result, x[0], options.height(), options.width(), x[3]));
  result.type = operation.in(0).type;
  return {};
}

// Where each output column comes from.
std::size_t scratch_bytes(const Operation& operation) {
  const auto& options = operation.as<format::Resize>();
  return static_cast<std::size_t>(options.width()) *
         (options.mode() == ResizeMode::Cubic ? sizeof(CubicTaps) : sizeof(ResizeSource));
}

// A pixel of linear interpolation: across the two rows first, down last.
void blend_pixel(const float* upper, const float* lower, float down, const ResizeSource& across,
                 int channels, float* output) {
  const std::int64_t left = std::int64_t{across.first} * channels;
  const std::int64_t right = std::int64_t{across.second} * channels;
  const float weight = across.weight;
  for (int channel = 0; channel < channels; ++channel) {
    const float top = upper[left + channel] * (1.0f - weight) + upper[right + channel] * weight;
    const float bottom = lower[left + channel] * (1.0f - weight) + lower[right + channel] * weight;
    output[channel] = top * (1.0f - down) + bottom * down;
  }
}

// Each output pixel is one of the input's, of `pixel` bytes.
void take_nearest(const Operation& operation, const ResizeSource* across, std::size_t pixel) {
  const auto& options = operation.as<format::Resize>();
  const Shape& x = operation.in(0).shape;
  const auto* picture = static_cast<const std::byte*>(operation.in(0).data);
  auto* output = static_cast<std::byte*>(operation.out().data);
  const std::size_t row_bytes = static_cast<std::size_t>(x[2]) * pixel;
  for (std::int64_t n = 0; n < x[0]; ++n, picture += static_cast<std::size_t>(x[1]) * row_bytes)
    for (int y = 0; y < options.height(); ++y) {
      const ResizeSource down =
          resize_source(options, y, x[1], options.height(), options.scale_height());
      const std::byte* row = picture + static_cast<std::size_t>(down.first) * row_bytes;
      for (int column = 0; column < options.width(); ++column, output += pixel)
        std::memcpy(output, row + static_cast<std::size_t>(across[column].first) * pixel, pixel);
    }
}

void forward(const Operation& operation) {
  const auto& options = operation.as<format::Resize>();
  if (options.mode() == ResizeMode::Cubic) return resize_cubic(operation);
  const Tensor& in = operation.in(0);
  const Shape& x = in.shape;
  const int height = options.height();
  const int width = options.width();
  const int channels = x[3];
  ResizeSource* across = reinterpret_cast<ResizeSource*>(operation.scratch);
  for (int column = 0; column < width; ++column)
    across[column] = resize_source(options, column, x[2], width, options.scale_width());
  if (options.mode() == ResizeMode::Nearest)
    return take_nearest(operation, across,
                        static_cast<std::size_t>(channels) * movable_bytes(in.type));
  const std::int64_t row_floats = std::int64_t{x[2]} * channels;
  float* output = operation.out().floats();
  for (std::int64_t n = 0; n < x[0]; ++n) {
    const float* picture = in.floats() + n * x[1] * row_floats;
    for (int y = 0; y < height; ++y) {
      const ResizeSource down = resize_source(options, y, x[1], height, options.scale_height());
      const float* upper = picture + down.first * row_floats;
      const float* lower = picture + down.second * row_floats;
      for (int column = 0; column < width; ++column, output += channels)
        blend_pixel(upper, lower, down.weight, across[column], channels, output);
    }
  }
}

}  // namespace

extern const OperatorRoom kResize;
const OperatorRoom kResize{1, 1, Memory::kOwn, shape, scratch_bytes, forward, nullptr};

}  // namespace figment::ops
