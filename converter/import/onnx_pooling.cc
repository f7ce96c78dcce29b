// Pools over windows and over whole pictures.
#include "converter/import/onnx_families.h"
#include "converter/import/onnx_spatial.h"

namespace figment::converter {
namespace {

using format::PoolFunction;
using format::ReduceFunction;

template <PoolFunction kFunction>
void pool(OnnxNode& node) {
  const TensorId x = node.input(0);
  const int axes = spatial_rank(node, x);
  SlidingWindow window = read_window(node, axes, {});
  const TensorId picture = to_picture(node, x);
  resolve_padding(node, picture, window);
  // The order of the second output's indices, which only_first_output refuses to give.
  node.ignore("storage_order");
  node.only_first_output();

  format::Pool2DT options;
  options.function = kFunction;
  options.kernel_height = window.kernel[0];
  options.kernel_width = window.kernel[1];
  set_window(options, window);
  // With automatic padding the output's extents are given by the strides alone.
  options.ceil_mode = node.flag("ceil_mode", false) && read_auto_pad(node) == AutoPad::kNone;
  if (kFunction == PoolFunction::Average)
    options.count_include_pad = node.flag("count_include_pad", false);
  node.set_output(0, from_picture(node, node.emit(options, {picture}), axes));
}

// Over all spatial axes, which stay as extents of 1.
template <ReduceFunction kFunction>
void global_pool(OnnxNode& node) {
  const TensorId x = node.input(0);
  format::ReduceT options;
  options.function = kFunction;
  options.keep_axes = true;
  options.axes = spatial_axes(node, x);
  node.set_output(0, node.emit(std::move(options), {x}));
}

constexpr OnnxOperator kRows[] = {
    {"AveragePool", pool<PoolFunction::Average>},
    {"GlobalAveragePool", global_pool<ReduceFunction::Mean>},
    {"GlobalMaxPool", global_pool<ReduceFunction::Max>},
    {"MaxPool", pool<PoolFunction::Max>},
};

}  // namespace

const std::span<const OnnxOperator> kOnnxPooling = kRows;

}  // namespace figment::converter
