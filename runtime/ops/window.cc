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

Status set_convolved(Tensor& result, const WindowOptions& options, int groups, const Shape& x,
                     const Shape& weights) {
  FIG_TRY(require_window(options));
  FIG_TRY(require_kernel(weights[1], weights[2]));
  FIG_TRY(require_groups(groups, x[3], "the picture"));
  FIG_TRY(require_groups(groups, weights[0], "the output"));
  if (x[3] / groups != weights[3])
    return bad_file({"the weights have shape ", weights, " but a group of the picture has ",
                     x[3] / groups, " channels"});
  const auto windows = [](std::int64_t padded, int kernel, int dilation, int stride) {
    return count_windows(padded, window_span(kernel, dilation), stride);
  };
  return set_picture(result, x[0],
                     windows(std::int64_t{x[1]} + options.pad_top + options.pad_bottom, weights[1],
                             options.dilation_height, options.stride_height),
                     windows(std::int64_t{x[2]} + options.pad_left + options.pad_right, weights[2],
                             options.dilation_width, options.stride_width),
                     weights[0]);
}

Status set_transpose_convolved(Tensor& result, const WindowOptions& options,
                               const OutputPadding& padding, int groups, const Shape& x,
                               const Shape& weights) {
  FIG_TRY(require_window(options));
  FIG_TRY(require_range(padding.height, 0, kMaxWindow, "output_padding_height"));
  FIG_TRY(require_range(padding.width, 0, kMaxWindow, "output_padding_width"));
  FIG_TRY(require_kernel(weights[1], weights[2]));
  FIG_TRY(require_groups(groups, x[3], "the picture"));
  if (weights[0] != groups || weights[4] != x[3] / groups)
    return bad_file({"the weights have shape ", weights, " but must begin with ", groups,
                     " groups and end with ", x[3] / groups, " channels"});
  const std::int64_t outputs = std::int64_t{weights[0]} * weights[3];
  FIG_TRY(require_range(outputs, 1, INT32_MAX, "the output's channels"));
  const std::int64_t height = std::int64_t{x[1] - 1} * options.stride_height - options.pad_top -
                              options.pad_bottom +
                              window_span(weights[1], options.dilation_height) + padding.height;
  const std::int64_t width = std::int64_t{x[2] - 1} * options.stride_width - options.pad_left -
                             options.pad_right + window_span(weights[2], options.dilation_width) +
                             padding.width;
  return set_picture(result, x[0], height, width, static_cast<int>(outputs));
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
