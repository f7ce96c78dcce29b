// Pools over windows and over whole pictures.
#include <nlohmann/json.hpp>

#include "converter/import/layers/window.h"

namespace figment::converter {
namespace {

using format::PoolFunction;
using format::ReduceFunction;

template <PoolFunction kFunction, int kAxes>
void pool(LayerNode& node) {
  const std::vector<int> kernel = node.extents_setting({"pool_size", "pool_length"}, kAxes, 2);
  LayerWindow window = read_window(node, kernel);
  if (node.find({"strides", "stride"}) == nullptr)
    for (int axis = 0; axis < 2; ++axis) window.stride[axis] = window.kernel[axis];
  const TensorId picture = layer_picture(node, node.input(), kAxes);
  if (window.padding == "same") pad_same(window, node.shape(picture));
  format::Pool2DT options;
  options.function = kFunction;
  options.kernel_height = window.kernel[0];
  options.kernel_width = window.kernel[1];
  set_window(options, window);
  node.set_output(picture_to_layer(node, node.emit(options, {picture}), kAxes));
}

template <ReduceFunction kFunction, int kAxes>
void global_pool(LayerNode& node) {
  const TensorId x = node.input();
  if (node.rank(x) != kAxes + 2)
    node.refuse("its input has shape " + describe(node.shape(x)) + ", but must have " +
                std::to_string(kAxes + 2) + " axes");
  format::ReduceT options;
  options.function = kFunction;
  options.keep_axes = node.flag({"keepdims"}, false);
  for (int axis = 0; axis < kAxes; ++axis)
    options.axes.push_back(axis + (node.channels_first() ? 2 : 1));
  node.set_output(node.emit(std::move(options), {x}));
}

constexpr LayerRow kRows[] = {
    {"AveragePooling1D", pool<PoolFunction::Average, 1>},
    {"AveragePooling2D", pool<PoolFunction::Average, 2>},
    {"GlobalAveragePooling1D", global_pool<ReduceFunction::Mean, 1>},
    {"GlobalAveragePooling2D", global_pool<ReduceFunction::Mean, 2>},
    {"GlobalMaxPooling1D", global_pool<ReduceFunction::Max, 1>},
    {"GlobalMaxPooling2D", global_pool<ReduceFunction::Max, 2>},
    {"MaxPooling1D", pool<PoolFunction::Max, 1>},
    {"MaxPooling2D", pool<PoolFunction::Max, 2>},
};

}  // namespace

const std::span<const LayerRow> kPoolingLayers = kRows;

}  // namespace figment::converter
