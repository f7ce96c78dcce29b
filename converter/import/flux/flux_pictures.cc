// Pools and what makes pictures larger.
#include "converter/import/flux/flux_layer.h"

namespace figment::converter {
namespace {

constexpr auto kMax = format::PoolFunction::Max;
constexpr auto kAverage = format::PoolFunction::Average;

// Flux counts padding for the mean.
template <format::PoolFunction kFunction>
TensorId pool(FluxLayer& layer, TensorId x) {
  const TensorId picture = layer.to_picture(x);
  const auto axes = static_cast<std::size_t>(layer.rank(x)) - 2;
  const std::vector<std::int64_t> kernel = layer.integers(layer.required("k"), axes);
  const std::vector<std::int64_t> stride = layer.integers(layer.required("stride"), axes);
  const JuliaValue& pad = layer.required("pad");
  const bool both = pad.items.size() == axes && axes > 0;
  const std::vector<std::int64_t> pads = layer.integers(pad, both ? axes : 2 * axes);
  format::Pool2DT options;
  options.function = kFunction;
  options.count_include_pad = true;
  options.kernel_height = 1;
  options.kernel_width = layer.checked_int(kernel[0], "kernel", 1);
  options.stride_width = layer.checked_int(stride[0], "stride", 1);
  options.pad_left = layer.checked_int(pads[0], "padding");
  options.pad_right = layer.checked_int(pads[both ? 0 : 1], "padding");
  if (axes > 1) {
    options.kernel_height = layer.checked_int(kernel[1], "kernel", 1);
    options.stride_height = layer.checked_int(stride[1], "stride", 1);
    options.pad_top = layer.checked_int(pads[both ? 1 : 2], "padding");
    options.pad_bottom = layer.checked_int(pads[both ? 1 : 3], "padding");
  }
  return layer.from_picture(layer.emit(options, {picture}), layer.rank(x));
}

template <format::ReduceFunction kFunction>
TensorId global_pool(FluxLayer& layer, TensorId x) {
  if (layer.rank(x) < 3) layer.refuse("its input has no spatial axes");
  format::ReduceT options;
  options.function = kFunction;
  options.keep_axes = true;
  for (int axis = 2; axis < layer.rank(x); ++axis) options.axes.push_back(axis);
  return layer.emit(std::move(options), {x});
}

// Windows of one size, so far apart that there are as many as are wanted.
template <format::PoolFunction kFunction>
TensorId adaptive_pool(FluxLayer& layer, TensorId x) {
  const TensorId picture = layer.to_picture(x);
  const auto axes = static_cast<std::size_t>(layer.rank(x)) - 2;
  const std::vector<std::int64_t> out = layer.integers(layer.required("out"), axes);
  format::Pool2DT options;
  options.function = kFunction;
  const auto fit = [&](std::int64_t wanted, int extent, std::int32_t& kernel,
                       std::int32_t& stride) {
    if (wanted < 1 || wanted > extent)
      layer.refuse("it wants " + std::to_string(wanted) + " of " + std::to_string(extent) +
                   " pixels");
    stride = extent / static_cast<int>(wanted);
    kernel = extent - (static_cast<int>(wanted) - 1) * stride;
  };
  options.kernel_height = 1;
  fit(out[0], layer.shape(picture)[2], options.kernel_width, options.stride_width);
  if (axes > 1) fit(out[1], layer.shape(picture)[1], options.kernel_height, options.stride_height);
  return layer.from_picture(layer.emit(options, {picture}), layer.rank(x));
}

bool holds_something(const JuliaValue* value) {
  return value != nullptr && !value->is(JuliaKind::kNothing);
}

// The mode is a parameter of the type; bilinear keeps the corners in place.
TensorId upsample(FluxLayer& layer, TensorId x) {
  if (layer.rank(x) != 4) layer.refuse("only pictures (W, H, C, N) can be made larger");
  const JuliaValue* type = layer.value().type;
  const std::string mode =
      type != nullptr && !type->items.empty() && type->items[0]->is(JuliaKind::kSymbol)
          ? type->items[0]->text
          : "nearest";
  if (mode != "nearest" && mode != "bilinear")
    layer.refuse("its mode '" + mode + "' is not supported; use :nearest or :bilinear");
  const TensorId picture = layer.to_picture(x);
  const int extents[2] = {layer.shape(picture)[2], layer.shape(picture)[1]};  // as Julia has them
  std::int64_t wanted[2] = {};
  if (const JuliaValue* scale = layer.field("scale"); holds_something(scale)) {
    for (std::size_t axis = 0; axis < 2; ++axis) {
      const bool list = scale->is(JuliaKind::kList);
      if (list && scale->items.size() != 2) layer.refuse("its scale is not of two numbers");
      const double factor =
          number_of(list ? *scale->items[axis] : *scale, "'" + layer.place() + ".scale'");
      if (!(factor >= 1 && factor <= 1024)) layer.refuse("its scale is not between 1 and 1024");
      wanted[axis] = static_cast<std::int64_t>(factor * extents[axis]);
    }
  } else {
    const std::vector<std::int64_t> size = layer.integers(layer.required("size"), 2);
    wanted[0] = size[0];
    wanted[1] = size[1];
  }
  format::ResizeT options;
  options.width = layer.checked_int(wanted[0], "width", 1);
  options.height = layer.checked_int(wanted[1], "height", 1);
  if (mode == "bilinear") {
    options.mode = format::ResizeMode::Linear;
    options.coordinates = format::ResizeCoordinates::AlignCorners;
  } else {
    if (wanted[0] % extents[0] != 0 || wanted[1] % extents[1] != 0)
      layer.refuse("nearest neighbours can be repeated whole times only");
    options.mode = format::ResizeMode::Nearest;
    options.coordinates = format::ResizeCoordinates::Asymmetric;
    options.rounding = format::ResizeRounding::Floor;
  }
  return layer.from_picture(layer.emit(options, {picture}), 4);
}

// Of a picture's channels the column runs fastest, then the row, then the new channel.
TensorId pixel_shuffle(FluxLayer& layer, TensorId x) {
  if (layer.rank(x) != 4) layer.refuse("only pictures (W, H, C, N) can be shuffled");
  format::DepthToSpaceT options;
  options.block = layer.checked_int(layer.integer("r", 0), "r", 1);
  options.order = format::DepthOrder::ColumnRowDepth;
  return layer.from_picture(layer.emit(options, {layer.to_picture(x)}), 4);
}

constexpr FluxRow kRows[] = {
    {"AdaptiveMaxPool", adaptive_pool<kMax>},
    {"AdaptiveMeanPool", adaptive_pool<kAverage>},
    {"GlobalMaxPool", global_pool<format::ReduceFunction::Max>},
    {"GlobalMeanPool", global_pool<format::ReduceFunction::Mean>},
    {"MaxPool", pool<kMax>},
    {"MeanPool", pool<kAverage>},
    {"PixelShuffle", pixel_shuffle},
    {"Upsample", upsample},
};

}  // namespace

const std::span<const FluxRow> kFluxPictures = kRows;

}  // namespace figment::converter
