// Convolutions whose columns are made in several parts: parts of the batch, of a picture, and of
// the kernel. All three products are one sum over the same triples, so each can be held to the
// others; the first is held to the operator's definition.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/train/backward/harness.h"

#include "runtime/train/convolution.h"
#include "tests/support/threads.h"

namespace figment::testing {
namespace {

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

std::vector<float> numbers(std::int64_t count, std::uint32_t seed) {
  return random_operand({static_cast<std::int32_t>(count)}, seed).values;
}

Shape shape_of(std::initializer_list<std::int32_t> extents) {
  Shape shape;
  for (const std::int32_t extent : extents) shape[shape.rank++] = extent;
  return shape;
}

// The map with its window's options made into an operator's.
std::vector<float> as_defined(const train::Convolution& convolution, std::vector<float>& picture,
                              std::vector<float>& weights, std::int64_t map_floats) {
  const math::Window& window = convolution.window;
  format::Conv2DT options;
  options.stride_height = window.stride_height;
  options.stride_width = window.stride_width;
  options.dilation_height = window.dilation_height;
  options.dilation_width = window.dilation_width;
  options.groups = convolution.groups;
  options.pad_top = window.pad_top;
  options.pad_left = window.pad_left;
  options.pad_bottom = (convolution.map_height - 1) * window.stride_height +
                       (window.kernel_height - 1) * window.dilation_height + 1 - window.pad_top -
                       convolution.picture_height;
  options.pad_right = (convolution.map_width - 1) * window.stride_width +
                      (window.kernel_width - 1) * window.dilation_width + 1 - window.pad_left -
                      convolution.picture_width;
  REQUIRE(options.pad_bottom >= 0);
  REQUIRE(options.pad_right >= 0);
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(format::Conv2D::Pack(builder, &options));
  const auto pixels = static_cast<std::int32_t>(convolution.picture_pixel());
  const auto outputs = static_cast<std::int32_t>(convolution.map_pixel());
  Tensor inputs[2];
  inputs[0].shape = shape_of({static_cast<std::int32_t>(convolution.batch),
                              convolution.picture_height, convolution.picture_width, pixels});
  inputs[0].data = picture.data();
  inputs[1].shape =
      shape_of({outputs, window.kernel_height, window.kernel_width, convolution.picture_channels});
  inputs[1].data = weights.data();
  Operation operation;
  operation.options = flatbuffers::GetRoot<std::byte>(builder.GetBufferPointer());
  operation.inputs = inputs;
  const ops::OperatorRoom& room =
      *ops::kOperators[static_cast<int>(format::OperatorOptions::Conv2D)].room;
  Tensor output;
  REQUIRE(room.shape(operation, output).ok());
  REQUIRE(output.elements() == map_floats);
  std::vector<float> map(static_cast<std::size_t>(map_floats));
  output.data = map.data();
  operation.outputs = {&output, 1};
  std::vector<double> scratch(room.scratch_bytes(operation) / sizeof(double) + 1);
  operation.scratch = reinterpret_cast<std::byte*>(scratch.data());
  room.forward(operation);
  return map;
}

struct alignas(64) Line {
  std::byte bytes[64];
};

void check(const train::Convolution& convolution, pthreadpool* threads) {
  CAPTURE(convolution.groups);
  CAPTURE(convolution.map_height);
  CAPTURE(convolution.map_channels);
  const std::int64_t depth = convolution.taps() * convolution.picture_channels;
  std::vector<float> picture =
      numbers(convolution.picture_pixels() * convolution.picture_pixel(), 1);
  std::vector<float> weights = numbers(depth * convolution.map_pixel(), 2);
  const std::vector<float> map = numbers(convolution.map_pixels() * convolution.map_pixel(), 3);
  std::vector<Line> scratch(convolution_scratch_bytes(convolution, threads) / sizeof(Line) + 1);
  const train::Workspace workspace{&train::loops_of(Backend::kXnnpack), scratch.data()->bytes,
                                   threads};

  std::vector<float> seen(map.size());
  picture_to_map(convolution, picture.data(), weights.data(), nullptr, seen.data(), workspace);
  const std::vector<float> defined =
      as_defined(convolution, picture, weights, static_cast<std::int64_t>(map.size()));
  double worst = 0;
  for (std::size_t i = 0; i < seen.size(); ++i)
    worst = std::max(worst, std::fabs(double{seen[i]} - double{defined[i]}));
  CHECK(worst <= 1e-4 * std::sqrt(static_cast<double>(depth)));

  const double expected = dot(seen, map);
  const double bound = 1e-5 * std::sqrt(static_cast<double>(map.size() * picture.size()));
  std::vector<float> scattered(picture.size());
  map_to_picture(convolution, map.data(), weights.data(), nullptr, scattered.data(), workspace);
  CHECK(std::fabs(dot(scattered, picture) - expected) <= bound);
  std::vector<float> gradient(weights.size());
  weights_of_both(convolution, picture.data(), map.data(), 0, convolution.map_pixel(),
                  gradient.data(), workspace);
  CHECK(std::fabs(dot(gradient, weights) - expected) <= bound);
}

train::Convolution square(int batch, int groups, int picture, int picture_channels, int map,
                          int map_channels, int kernel, int stride, int pad, int dilation = 1) {
  return {.window = {kernel, kernel, stride, stride, dilation, dilation, pad, pad},
          .batch = batch,
          .groups = groups,
          .picture_height = picture,
          .picture_width = picture,
          .picture_channels = picture_channels,
          .map_height = map,
          .map_width = map,
          .map_channels = map_channels,
          .order = train::WeightOrder::kMapFirst};
}

void check_all(pthreadpool* threads) {
  check(square(3, 1, 40, 70, 20, 5, 4, 2, 1), threads);    // parts of a picture
  check(square(20, 1, 14, 40, 7, 9, 4, 2, 1), threads);    // parts of the batch
  check(square(5, 1, 9, 300, 9, 3, 3, 1, 2, 2), threads);  // slices of the kernel
  check(square(2, 2, 33, 150, 17, 5, 3, 2, 1), threads);   // with groups
  check(square(1, 1, 70, 64, 24, 3, 2, 3, 1), threads);    // rows that no window sees
}

TEST_CASE("convolutions in parts") {
  check_all(nullptr);
  const test::Threads pool(3);
  check_all(pool.get());
}

}  // namespace
}  // namespace figment::testing
