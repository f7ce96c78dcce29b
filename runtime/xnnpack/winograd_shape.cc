// Geometry and tiling of Winograd's convolutions.
#include "runtime/xnnpack/winograd_shape.h"

#include <pthreadpool.h>

#include <algorithm>

namespace figment::xnnpack {
namespace {

// What a vector of a tile costs on its way to or from a point, for each of its floats (see Cost);
// channels that fill no vector go one by one, each in the time of three vectors.
constexpr double kTransformCost = 14;
constexpr int kLonelyChannel = 3;
// Tiles that a thread takes at least.
constexpr std::int64_t kLeastShare = 4;

int ceiling(int a, int b) { return (a + b - 1) / b; }

double transform_cost(int channels) {
  const int lanes = simd::kernels().lanes;
  const int vectors = channels / lanes + kLonelyChannel * (channels % lanes);
  return kTransformCost * lanes * vectors;
}

template <typename Options>
bool is_plain(const Options& options) {
  return options.groups() == 1 && options.dilation_height() == 1 && options.dilation_width() == 1;
}

}  // namespace

WinogradGeometry winograd_geometry(const Operation& operation) {
  const Kernel kernel = kernel_of(operation);
  const Shape& out = operation.out().shape;
  if (!is_transposed(operation)) {
    const auto& options = operation.as<format::Conv2D>();
    return {kernel.height,
            1,
            1,
            options.pad_top(),
            options.pad_left(),
            0,
            0,
            out[1],
            out[2],
            kernel.inputs,
            kernel.outputs};
  }
  const auto& options = operation.as<format::ConvTranspose2D>();
  WinogradGeometry geometry;
  geometry.stride_height = options.stride_height();
  geometry.stride_width = options.stride_width();
  geometry.taps = ceiling(kernel.height, geometry.stride_height);
  geometry.pad_top = geometry.pad_left = geometry.taps - 1;
  geometry.crop_top = options.pad_top();
  geometry.crop_left = options.pad_left();
  geometry.down = ceiling(out[1] + geometry.crop_top, geometry.stride_height);
  geometry.across = ceiling(out[2] + geometry.crop_left, geometry.stride_width);
  geometry.inputs = kernel.inputs;
  geometry.outputs = kernel.outputs;
  return geometry;
}

WinogradTiling winograd_tiling(const WinogradGeometry& geometry, int width) {
  const int step = width + 1 - geometry.taps;
  return {width, step, ceiling(geometry.down, step), ceiling(geometry.across, step)};
}

bool winograd_suits(const Operation& operation, int width) {
  const Kernel kernel = kernel_of(operation);
  int taps = kernel.height;
  if (is_transposed(operation)) {
    const auto& options = operation.as<format::ConvTranspose2D>();
    taps = ceiling(kernel.height, options.stride_height());
    if (!is_plain(options) || taps != ceiling(kernel.width, options.stride_width())) return false;
  } else {
    const auto& options = operation.as<format::Conv2D>();
    if (!is_plain(options) || options.stride_height() != 1 || options.stride_width() != 1 ||
        kernel.height != kernel.width)
      return false;
  }
  // At least two outputs a tile.
  if (taps < 2 || taps > width - 1) return false;
  // Weights and scratch are larger than what the border has bounded.
  const WinogradGeometry geometry = winograd_geometry(operation);
  const auto columns = static_cast<double>(geometry.phases()) * geometry.outputs;
  const double weights = width * width * columns * geometry.inputs;
  const double block = width * width * static_cast<double>(kLeastTiles) *
                       (columns + geometry.inputs + 2 * kPointGap);
  const auto most = static_cast<double>(kMaxElements);
  return weights <= most && block <= most;
}

Cost winograd_transform_cost(const WinogradGeometry& geometry, const WinogradTiling& tiling) {
  return tiling.points() *
         (transform_cost(geometry.inputs) + geometry.phases() * transform_cost(geometry.outputs));
}

TileShares share_tiles(std::int64_t tiles, std::int64_t most, pthreadpool* threads) {
  std::int64_t lanes = 1;
  if (threads != nullptr)
    lanes = std::min(static_cast<std::int64_t>(pthreadpool_get_threads_count(threads)),
                     (tiles + kLeastShare - 1) / kLeastShare);
  const std::int64_t blocks = (tiles + most * lanes - 1) / (most * lanes) * lanes;
  return {lanes, (tiles + blocks - 1) / blocks};
}

Status keep_bias(const Operation& operation, Build& build, const float*& bias) {
  bias = nullptr;
  if (!operation.has(2)) return {};
  const auto count = static_cast<std::size_t>(operation.in(2).elements());
  float* copy = build.arena.allocate_array<float>(count);
  if (copy == nullptr) return backend_error({"the arena is full"});
  std::copy_n(operation.in(2).floats(), count, copy);
  bias = copy;
  return {};
}

WinogradTasks winograd_tasks(const Operation& operation, const WinogradGeometry& geometry,
                             const WinogradTiling& tiling, const float* bias, const Fused& fused) {
  const Shape& in = operation.in(0).shape;
  const Shape& out = operation.out().shape;
  const simd::Tiles tiles{tiling.down, tiling.across, 0, 0};
  return {{tiles, tiling.width, tiling.step, operation.in(0).floats(), in[1], in[2], in[3],
           geometry.pad_top, geometry.pad_left, nullptr, 0},
          {tiles, tiling.width, tiling.step, geometry.stride_height, geometry.stride_width, nullptr,
           0, operation.out().floats(), out[1], out[2], out[3], geometry.crop_top,
           geometry.crop_left, bias, fused.slope, fused.limits.low, fused.limits.high}};
}

}  // namespace figment::xnnpack
