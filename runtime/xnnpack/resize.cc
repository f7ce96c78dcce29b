// Bilinear resizing; XNNPACK has no nearest one.
#include "runtime/xnnpack/with_workspace.h"

namespace figment::xnnpack {
namespace {

// XNNPACK takes the scale from the extents; a file may ask for another one.
bool follows_extents(float scale, int input, int output) {
  return scale == 0 || scale == static_cast<float>(output) / static_cast<float>(input);
}

bool accepts(const Operation& operation) {
  const auto& options = operation.as<format::Resize>();
  const Shape& in = operation.in(0).shape;
  const Shape& out = operation.out().shape;
  const format::ResizeCoordinates coordinates = options.coordinates();
  // PytorchHalfPixel differs from HalfPixel where an output extent is 1.
  const bool known =
      coordinates != format::ResizeCoordinates::PytorchHalfPixel || (out[1] > 1 && out[2] > 1);
  return options.mode() == format::ResizeMode::Linear && known &&
         follows_extents(options.scale_height(), in[1], out[1]) &&
         follows_extents(options.scale_width(), in[2], out[2]);
}

Status create(const Operation& operation, Build& build) {
  std::uint32_t flags = 0;
  switch (operation.as<format::Resize>().coordinates()) {
    case format::ResizeCoordinates::AlignCorners:
      flags = XNN_FLAG_ALIGN_CORNERS;
      break;
    case format::ResizeCoordinates::Asymmetric:
      flags = XNN_FLAG_TENSORFLOW_LEGACY_MODE;
      break;
    case format::ResizeCoordinates::HalfPixel:
    case format::ResizeCoordinates::PytorchHalfPixel:
      break;
  }
  const Tensor& input = operation.in(0);
  const std::size_t channels = extent(input, 3);
  xnn_operator_t resize = nullptr;
  FIG_TRY(
      status_of_created(xnn_create_resize_bilinear2d_nhwc_f32(
                            extent(operation.out(), 1), extent(operation.out(), 2), flags, &resize),
                        resize, "Resize"));
  build.state = resize;
  std::size_t bytes = 0;
  std::size_t alignment = 0;
  FIG_TRY(status_of(xnn_reshape_resize_bilinear2d_nhwc_f32(
                        resize, extent(input, 0), extent(input, 1), extent(input, 2), channels,
                        channels, channels, &bytes, &alignment, operation.threads),
                    "Resize"));
  return take_workspace(bytes, alignment, build);
}

bool bind(const Operation& operation, void* state) {
  return xnn_setup_resize_bilinear2d_nhwc_f32(operator_in(state), operation.scratch,
                                              operation.in(0).floats(),
                                              operation.out().floats()) == xnn_status_success;
}

}  // namespace

extern const FastRoom kResize;
const FastRoom kResize{accepts, create, bind, run_operator};

}  // namespace figment::xnnpack
