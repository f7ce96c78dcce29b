// Checks of the options of a window that slides over a picture.
#include "runtime/ops/window.h"

namespace figment::ops {

Status require_window(const WindowOptions& options) {
  const struct {
    int value, low;
    const char* name;
  } fields[] = {
      {options.stride_height, 1, "stride_height"},
      {options.stride_width, 1, "stride_width"},
      {options.dilation_height, 1, "dilation_height"},
      {options.dilation_width, 1, "dilation_width"},
      {options.pad_top, 0, "pad_top"},
      {options.pad_bottom, 0, "pad_bottom"},
      {options.pad_left, 0, "pad_left"},
      {options.pad_right, 0, "pad_right"},
  };
  for (const auto& field : fields)
    FIG_TRY(require_range(field.value, field.low, kMaxWindow, field.name));
  return {};
}

Status require_kernel(std::int64_t height, std::int64_t width) {
  FIG_TRY(require_range(height, 1, kMaxWindow, "kernel_height"));
  return require_range(width, 1, kMaxWindow, "kernel_width");
}

math::Window window_of(const WindowOptions& options, int kernel_height, int kernel_width) {
  math::Window window;
  window.kernel_height = kernel_height;
  window.kernel_width = kernel_width;
  window.stride_height = options.stride_height;
  window.stride_width = options.stride_width;
  window.dilation_height = options.dilation_height;
  window.dilation_width = options.dilation_width;
  window.pad_top = options.pad_top;
  window.pad_left = options.pad_left;
  return window;
}

Status set_picture(Tensor& result, int n, std::int64_t height, std::int64_t width, int channels) {
  FIG_TRY(require_range(height, 1, INT32_MAX, "the output's height"));
  FIG_TRY(require_range(width, 1, INT32_MAX, "the output's width"));
  Shape shape;
  shape.rank = 4;
  shape[0] = n;
  shape[1] = static_cast<std::int32_t>(height);
  shape[2] = static_cast<std::int32_t>(width);
  shape[3] = channels;
  return set_result(result, DataType::kFloat32, shape);
}

}  // namespace figment::ops
