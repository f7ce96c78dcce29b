// Pools, resizes, and pixels that move to channels.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/import/tflite_builder.h"

namespace figment::testing::lite {
namespace {

const std::vector<float> kX = {1, 2, 3, 4, 5, 6, 7, 8, 9};  // 3 x 3

tflite::BuiltinOptionsUnion window(tflite::Padding padding, int kernel, int stride) {
  tflite::Pool2DOptionsT options;
  options.padding = padding;
  options.filter_height = options.filter_width = kernel;
  options.stride_h = options.stride_w = stride;
  return options_of(options);
}

// As TensorFlow Lite's reference computes it.
std::vector<double> resized(int from, int to, bool bilinear, bool corners, bool half) {
  const std::vector<float> x = random_numbers(from * from, 1);
  const double scale = corners && to > 1 ? double(from - 1) / (to - 1) : double(from) / to;
  const auto at = [&](int row, int column) {
    const int place = row * from + column;
    return double{x[static_cast<std::size_t>(place)]};
  };
  const auto nearest = [&](int i) {
    const double place = (i + (half ? 0.5 : 0)) * scale;
    return std::clamp(static_cast<int>(corners ? std::round(place) : std::floor(place)), 0,
                      from - 1);
  };
  const auto place = [&](int i) { return half ? (i + 0.5) * scale - 0.5 : i * scale; };
  std::vector<double> y;
  for (int i = 0; i < to; ++i)
    for (int j = 0; j < to; ++j) {
      if (!bilinear) {
        y.push_back(at(nearest(i), nearest(j)));
        continue;
      }
      const double down = place(i), across = place(j);
      const int top = std::max(static_cast<int>(std::floor(down)), 0);
      const int left = std::max(static_cast<int>(std::floor(across)), 0);
      const int bottom = std::min(top + 1, from - 1), right = std::min(left + 1, from - 1);
      const double u = std::max(down, 0.0) - top, v = std::max(across, 0.0) - left;
      y.push_back((1 - u) * ((1 - v) * at(top, left) + v * at(top, right)) +
                  u * ((1 - v) * at(bottom, left) + v * at(bottom, right)));
    }
  return y;
}

}  // namespace

TEST_CASE("pools") {
  using tflite::Padding;
  check_operator(BuiltinOperator::MAX_POOL_2D, {1, 3, 3, 1}, kX, {}, window(Padding::VALID, 2, 1),
                 {1, 2, 2, 1}, {5, 6, 8, 9});
  check_operator(BuiltinOperator::MAX_POOL_2D, {1, 3, 3, 1}, kX, {}, window(Padding::SAME, 2, 2),
                 {1, 2, 2, 1}, {5, 6, 8, 9});
  check_operator(BuiltinOperator::AVERAGE_POOL_2D, {1, 3, 3, 1}, kX, {},
                 window(Padding::VALID, 2, 1), {1, 2, 2, 1}, {3, 4, 6, 7});
  // Padding does not count.
  check_operator(BuiltinOperator::AVERAGE_POOL_2D, {1, 3, 3, 1}, kX, {},
                 window(Padding::SAME, 2, 2), {1, 2, 2, 1}, {3, 4.5, 7.5, 9});
}

TEST_CASE("resizes, by every way of counting pixels") {
  for (const auto& centers : {std::pair{false, false}, {true, false}, {false, true}})
    for (const auto& sizes : {std::pair{3, 6}, {4, 7}, {6, 3}, {3, 1}, {2, 8}}) {
      const bool corners = centers.first;
      const bool half = centers.second;
      const int from = sizes.first;
      const int to = sizes.second;
      CAPTURE(corners);
      CAPTURE(half);
      CAPTURE(to);
      const std::vector<float> x = random_numbers(from * from, 1);
      tflite::ResizeBilinearOptionsT bilinear;
      bilinear.align_corners = corners;
      bilinear.half_pixel_centers = half;
      check_operator(BuiltinOperator::RESIZE_BILINEAR, {1, from, from, 1}, x, {{{2}, {to, to}}},
                     options_of(bilinear), {1, to, to, 1}, resized(from, to, true, corners, half));
      tflite::ResizeNearestNeighborOptionsT nearest;
      nearest.align_corners = corners;
      nearest.half_pixel_centers = half;
      check_operator(BuiltinOperator::RESIZE_NEAREST_NEIGHBOR, {1, from, from, 1}, x,
                     {{{2}, {to, to}}}, options_of(nearest), {1, to, to, 1},
                     resized(from, to, false, corners, half));
    }
}

TEST_CASE("pixels to channels and back") {
  tflite::SpaceToDepthOptionsT deep;
  deep.block_size = 2;
  check_operator(BuiltinOperator::SPACE_TO_DEPTH, {1, 2, 4, 1}, {1, 2, 3, 4, 5, 6, 7, 8}, {},
                 options_of(deep), {1, 1, 2, 4}, {1, 2, 5, 6, 3, 4, 7, 8});
  tflite::DepthToSpaceOptionsT wide;
  wide.block_size = 2;
  check_operator(BuiltinOperator::DEPTH_TO_SPACE, {1, 1, 2, 4}, {1, 2, 5, 6, 3, 4, 7, 8}, {},
                 options_of(wide), {1, 2, 4, 1}, {1, 2, 3, 4, 5, 6, 7, 8});
}

TEST_CASE("nearest resizes and DEPTH_TO_SPACE of int8 move int8; pools of int8 round nothing") {
  for (const bool resize : {true, false}) {
    TfliteBuilder builder;
    const Quantized range{{0.5F}, {4}};
    const int x = builder.input({1, 1, 1, 4}, TensorType::INT8, range);
    const int y = builder.tensor({1, 2, 2, resize ? 4 : 1}, TensorType::INT8, range);
    if (resize) {
      builder.node(BuiltinOperator::RESIZE_NEAREST_NEIGHBOR, {x, builder.integers({2}, {1, 1})},
                   {y}, options_of(tflite::ResizeNearestNeighborOptionsT{}));
    } else {
      tflite::DepthToSpaceOptionsT options;
      options.block_size = 2;
      builder.node(BuiltinOperator::DEPTH_TO_SPACE, {x}, {y}, options_of(options));
    }
    builder.output(y);
    CHECK(builder.import().nodes.size() == 3);
    check_model(builder, {{1, 2, 3, 4}}, resize ? Extents{1, 1, 1, 4} : Extents{1, 2, 2, 1},
                {1, 2, 3, 4});
  }
  TfliteBuilder pool;
  const int x = pool.input({1, 3, 3, 1}, TensorType::INT8, {{1}, {0}});
  const int y = pool.tensor({1, 2, 2, 1}, TensorType::INT8, {{1}, {0}});
  pool.node(BuiltinOperator::MAX_POOL_2D, {x}, {y}, window(tflite::Padding::VALID, 2, 1)).output(y);
  check_model(pool, {kX}, {1, 2, 2, 1}, {5, 6, 8, 9});
}

TEST_CASE("options that exclude each other, and strides of 0") {
  TfliteBuilder builder;
  tflite::ResizeBilinearOptionsT options;
  options.align_corners = options.half_pixel_centers = true;
  const int x = builder.input({1, 2, 2, 1}), y = builder.tensor({1, 4, 4, 1});
  builder.node(BuiltinOperator::RESIZE_BILINEAR, {x, builder.integers({2}, {4, 4})}, {y},
               options_of(options));
  CHECK(builder.output(y).refusal().find("exclude each other") != std::string::npos);
  TfliteBuilder pool;
  const int a = pool.input({1, 2, 2, 1}), b = pool.tensor({1, 1, 1, 1});
  pool.node(BuiltinOperator::MAX_POOL_2D, {a}, {b}, window(tflite::Padding::VALID, 2, 0));
  CHECK(pool.output(b).refusal().find("its stride is 0") != std::string::npos);
}

}  // namespace figment::testing::lite
