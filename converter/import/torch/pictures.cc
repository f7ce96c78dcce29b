// Padding and what changes a picture's size by moving or mixing its pixels.
#include <cmath>
#include <numeric>

#include "converter/import/torch/padding.h"

namespace figment::converter {
namespace {

using Kind = TorchValue::Kind;
using format::ResizeCoordinates;
using format::ResizeMode;
using format::ResizeRounding;

TorchValue result(TensorId id) { return TorchValue::of_tensor(id); }

// ---- Padding ----

format::PadMode mode_of(const TorchCall& call, const std::string& mode) {
  if (mode == "constant" || mode == "zeros") return format::PadMode::Constant;
  if (mode == "reflect") return format::PadMode::Reflect;
  if (mode == "replicate") return format::PadMode::Edge;
  call.refuse("its padding mode '" + mode +
              "' is not supported; use zeros, constant, reflect or replicate");
}

// `amounts` as PyTorch has them: before and after the last axis, before and after the one before it
// ... Negative ones cut off.
TensorId pad_by(TorchCall& call, TensorId x, const std::vector<std::int64_t>& amounts,
                format::PadMode mode, float value) {
  const int rank = call.rank(x);
  if (amounts.size() % 2 != 0 || amounts.size() > 2 * static_cast<std::size_t>(rank))
    call.refuse("it has " + std::to_string(amounts.size()) + " paddings for " +
                std::to_string(rank) + " axes");
  format::PadT options;
  options.mode = mode;
  options.value = value;
  options.before.assign(static_cast<std::size_t>(rank), 0);
  options.after.assign(static_cast<std::size_t>(rank), 0);
  bool any = false;
  for (std::size_t pair = 0; pair < amounts.size() / 2; ++pair) {
    const int axis = rank - 1 - static_cast<int>(pair);
    const auto at = static_cast<std::size_t>(axis);
    const std::int64_t before = amounts[2 * pair], after = amounts[2 * pair + 1];
    const std::int64_t extent = call.shape(x)[axis];
    const std::int64_t start = before < 0 ? -std::max(before, -extent) : 0;
    const std::int64_t end = after < 0 ? extent + std::max(after, -extent) : extent;
    if (start >= end) call.refuse("its negative padding leaves nothing of its input");
    x = call.part(x, axis, start, end);
    options.before[at] = before > 0 ? call.checked_int(before, "padding") : 0;
    options.after[at] = after > 0 ? call.checked_int(after, "padding") : 0;
    any = any || before > 0 || after > 0;
  }
  return any ? call.emit(std::move(options), {x}) : x;
}

TorchValue pad(TorchCall& call) {
  const float value = call.given("value") ? static_cast<float>(call.number("value")) : 0;
  return result(pad_by(call, call.tensor("input"), call.integers("pad"),
                       mode_of(call, call.text("mode")), value));
}

template <format::PadMode kMode>
TorchValue pad_function(TorchCall& call) {
  const float value =
      kMode == format::PadMode::Constant ? static_cast<float>(call.number("value")) : 0;
  return result(pad_by(call, call.tensor("input"), call.integers("padding"), kMode, value));
}

// One number is for all sides of all spatial axes.
template <format::PadMode kMode, int kAxes>
TorchValue pad_layer(TorchCall& call) {
  std::vector<std::int64_t> amounts = call.integers("padding");
  if (amounts.size() == 1) amounts.assign(2 * kAxes, amounts[0]);
  if (amounts.size() != 2 * kAxes)
    call.refuse("its padding must be one number or " + std::to_string(2 * kAxes));
  const float value = call.given("value") ? static_cast<float>(call.number("value")) : 0;
  return result(pad_by(call, call.tensor("input"), amounts, kMode, value));
}

// ---- Resizing ----

struct Scaling {
  std::vector<std::int64_t> sizes;  // of the spatial axes
  std::vector<double> factors;      // empty: given by the sizes
};

TensorId resize(TorchCall& call, TensorId x, const std::string& mode, const Scaling& scaling,
                bool align_corners) {
  const int axes = spatial_rank(call, x);
  format::ResizeT options;
  if (mode == "nearest" || mode == "nearest-exact") {
    options.mode = ResizeMode::Nearest;
    options.coordinates =
        mode == "nearest" ? ResizeCoordinates::Asymmetric : ResizeCoordinates::HalfPixel;
    options.rounding = mode == "nearest" ? ResizeRounding::Floor : ResizeRounding::RoundPreferCeil;
  } else if (mode == "linear" || mode == "bilinear" || mode == "bicubic") {
    options.mode = mode == "bicubic" ? ResizeMode::Cubic : ResizeMode::Linear;
    options.coordinates =
        align_corners ? ResizeCoordinates::AlignCorners : ResizeCoordinates::HalfPixel;
  } else {
    call.refuse("its mode '" + mode +
                "' is not supported; use nearest, nearest-exact, linear, bilinear or bicubic");
  }
  int sizes[2] = {1, 1};
  float factors[2] = {0, 0};
  for (int axis = 0; axis < axes; ++axis) {
    const std::int64_t extent = call.shape(x)[2 + axis];
    const int at = 2 - axes + axis;
    if (scaling.factors.empty()) {
      sizes[at] = call.checked_int(
          scaling.sizes[scaling.sizes.size() == 1 ? 0 : static_cast<std::size_t>(axis)], "size", 1);
      continue;
    }
    const double factor =
        scaling.factors[scaling.factors.size() == 1 ? 0 : static_cast<std::size_t>(axis)];
    if (!(factor > 0) || !(factor < 1e6)) call.refuse("its scale_factor is no sensible factor");
    const double size = static_cast<double>(extent) * factor;
    sizes[at] = call.checked_int(static_cast<std::int64_t>(size), "size", 1);
    // A factor that says no more than the extents do is left out; aligned corners need none.
    factors[at] = size == std::floor(size) || align_corners ? 0 : static_cast<float>(factor);
  }
  options.height = sizes[0];
  options.width = sizes[1];
  options.scale_height = factors[0];
  options.scale_width = factors[1];
  return from_picture(call, call.emit(options, {to_picture(call, x)}), axes);
}

// Sizes or factors, as many as there are spatial axes, or one for all.
Scaling read_scaling(TorchCall& call, int axes, const char* sizes, const char* factors) {
  Scaling scaling;
  const auto fits = [&](std::size_t count) {
    return count == 1 || count == static_cast<std::size_t>(axes);
  };
  if (call.given(sizes)) {
    scaling.sizes = call.integers(sizes);
    if (!fits(scaling.sizes.size())) call.refuse("it has more sizes than spatial axes");
    return scaling;
  }
  const TorchValue& given = call.argument(factors);
  if (given.is_plain_number()) {
    scaling.factors = {given.as_number()};
  } else if (given.is(Kind::kList)) {
    for (const TorchValue& factor : given.items)
      if (factor.is_plain_number()) scaling.factors.push_back(factor.as_number());
  }
  if (!fits(scaling.factors.size()))
    call.refuse("it must have a size or a scale_factor, one or one a spatial axis");
  return scaling;
}

// interpolate, and the layer Upsample
TorchValue interpolate(TorchCall& call) {
  const TensorId x = call.tensor("input");
  const int axes = spatial_rank(call, x);
  Scaling scaling = read_scaling(call, axes, "size", "scale_factor");
  const bool align = call.given("align_corners") && call.flag("align_corners");
  if (call.given("recompute_scale_factor") && call.flag("recompute_scale_factor") &&
      !scaling.factors.empty()) {
    for (int axis = 0; axis < axes; ++axis)
      scaling.sizes.push_back(static_cast<std::int64_t>(
          call.shape(x)[2 + axis] *
          scaling.factors[scaling.factors.size() == 1 ? 0 : static_cast<std::size_t>(axis)]));
    scaling.factors.clear();
  }
  if (call.given("antialias") && call.flag("antialias"))
    call.refuse("antialiasing is not supported; use antialias=False");
  return result(resize(call, x, call.text("mode"), scaling, align));
}

// torch.upsample_NAME(input, output_size, [align_corners,] scale_factors) or, of one size, with a
// factor for each axis.
TorchValue upsample(TorchCall& call) {
  const std::string kind = call.kind();
  std::string mode = kind.starts_with("upsample_nearest")        ? "nearest"
                     : kind.starts_with("_upsample_nearest")     ? "nearest-exact"
                     : kind.find("bicubic") != std::string::npos ? "bicubic"
                                                                 : "bilinear";
  const TensorId x = call.tensor("input");
  Scaling scaling = read_scaling(call, spatial_rank(call, x), "output_size", "scale_factors");
  const bool align = call.given("align_corners") && call.flag("align_corners");
  return result(resize(call, x, mode, scaling, align));
}

// Older archives give the size, and factors axis by axis, which say no more.
TorchValue upsample_nearest(TorchCall& call) {
  if (call.given("output_size")) {
    Scaling scaling;
    scaling.sizes = call.integers("output_size");
    const TensorId x = call.tensor("input");
    if (scaling.sizes.size() == static_cast<std::size_t>(spatial_rank(call, x)))
      return result(resize(call, x, "nearest", scaling, false));
  }
  return upsample(call);
}

template <int kTwice>
TorchValue upsample_layer(TorchCall& call) {
  const TensorId x = call.tensor("input");
  return result(resize(call, x, kTwice == 0 ? "nearest" : "bilinear",
                       read_scaling(call, spatial_rank(call, x), "size", "scale_factor"),
                       kTwice != 0));
}

// ---- Pixels to channels and back ----

TorchValue pixel_shuffle(TorchCall& call) {
  format::DepthToSpaceT options;
  options.block = call.small_integer("upscale_factor", 1);
  options.order = format::DepthOrder::ColumnRowDepth;
  const TensorId x = call.tensor("input");
  if (call.rank(x) != 4) call.refuse("its input must be N,C,H,W");
  return result(from_picture(call, call.emit(options, {to_picture(call, x)}), 2));
}

// The runtime orders the new channels as block row, block column, C; PyTorch as C, row, column.
TorchValue pixel_unshuffle(TorchCall& call) {
  format::SpaceToDepthT options;
  options.block = call.small_integer("downscale_factor", 1);
  const TensorId x = call.tensor("input");
  if (call.rank(x) != 4) call.refuse("its input must be N,C,H,W");
  const int channels = call.shape(x)[1];
  const TensorId y = from_picture(call, call.emit(options, {to_picture(call, x)}), 2);
  std::vector<std::int64_t> order;
  for (int channel = 0; channel < channels; ++channel)
    for (int place = 0; place < options.block * options.block; ++place)
      order.push_back(std::int64_t{place} * channels + channel);
  format::GatherT gather;
  gather.axis = 1;
  return result(call.emit(
      gather,
      {y, call.integer_constant(order, make_shape({static_cast<std::int64_t>(order.size())}))}));
}

// Channels [groups, C/groups] to [C/groups, groups].
TorchValue channel_shuffle(TorchCall& call) {
  const TensorId x = call.tensor("input");
  const int groups = call.small_integer("groups", 1);
  const Shape shape = call.shape(x);
  if (shape.rank != 4 || shape[1] % groups != 0)
    call.refuse("its channels do not divide into " + std::to_string(groups) + " groups");
  const TensorId split =
      call.reshape_to(x, {shape[0], groups, shape[1] / groups, shape[2], shape[3]});
  return result(call.reshape(call.transpose(split, {0, 2, 1, 3, 4}), shape));
}

constexpr TorchFunction kRows[] = {
    {"_upsample_nearest_exact2d", "input, output_size, scale_factors=None", upsample},
    {"channel_shuffle", "input, groups", channel_shuffle},
    {"constant_pad_nd", "input, padding, value=0", pad_function<format::PadMode::Constant>},
    {"interpolate",
     "input, size=None, scale_factor=None, mode='nearest', align_corners=None, "
     "recompute_scale_factor=None, antialias=False",
     interpolate},
    {"pad", "input, pad, mode='constant', value=None", pad},
    {"pixel_shuffle", "input, upscale_factor", pixel_shuffle},
    {"pixel_unshuffle", "input, downscale_factor", pixel_unshuffle},
    {"reflection_pad1d", "input, padding", pad_function<format::PadMode::Reflect>},
    {"reflection_pad2d", "input, padding", pad_function<format::PadMode::Reflect>},
    {"replication_pad1d", "input, padding", pad_function<format::PadMode::Edge>},
    {"replication_pad2d", "input, padding", pad_function<format::PadMode::Edge>},
    {"upsample_bicubic2d", "input, output_size, align_corners, scale_factors=None, scales_w=None",
     upsample},
    {"upsample_bilinear2d", "input, output_size, align_corners, scale_factors=None, scales_w=None",
     upsample},
    {"upsample_linear1d", "input, output_size, align_corners, scale_factors=None", upsample},
    {"upsample_nearest1d", "input, output_size, scale_factors=None", upsample_nearest},
    {"upsample_nearest2d", "input, output_size, scale_factors=None, scales_w=None",
     upsample_nearest},
};

constexpr TorchFunction kLayers[] = {
    {"ChannelShuffle", "input, groups", channel_shuffle},
    {"ConstantPad1d", "input, padding, value", pad_layer<format::PadMode::Constant, 1>},
    {"ConstantPad2d", "input, padding, value", pad_layer<format::PadMode::Constant, 2>},
    {"PixelShuffle", "input, upscale_factor", pixel_shuffle},
    {"PixelUnshuffle", "input, downscale_factor", pixel_unshuffle},
    {"ReflectionPad1d", "input, padding", pad_layer<format::PadMode::Reflect, 1>},
    {"ReflectionPad2d", "input, padding", pad_layer<format::PadMode::Reflect, 2>},
    {"ReplicationPad1d", "input, padding", pad_layer<format::PadMode::Edge, 1>},
    {"ReplicationPad2d", "input, padding", pad_layer<format::PadMode::Edge, 2>},
    {"Upsample",
     "input, size=None, scale_factor=None, mode='nearest', align_corners=None, "
     "recompute_scale_factor=None",
     interpolate},
    {"UpsamplingBilinear2d", "input, size=None, scale_factor=None", upsample_layer<1>},
    {"UpsamplingNearest2d", "input, size=None, scale_factor=None", upsample_layer<0>},
    {"ZeroPad2d", "input, padding", pad_layer<format::PadMode::Constant, 2>},
};

}  // namespace

TensorId pad_spatially(TorchCall& call, TensorId x, const SlidingWindow& window,
                       const std::string& mode) {
  std::vector<std::int64_t> amounts;
  for (int axis = 1; axis >= 4 - call.rank(x); --axis) {
    amounts.push_back(window.before[axis]);
    amounts.push_back(window.after[axis]);
  }
  return pad_by(call, x, amounts, mode_of(call, mode), 0);
}

const std::span<const TorchFunction> kTorchPictures = kRows;
const std::span<const TorchFunction> kTorchPictureLayers = kLayers;

}  // namespace figment::converter
