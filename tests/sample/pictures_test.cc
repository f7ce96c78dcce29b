// Numbers to bytes: rounding, range, channels, and what is refused.
#include <doctest/doctest.h>

#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "figment/figment.h"

using namespace figment;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

Tensor view(std::vector<float>& values, std::initializer_list<int> extents) {
  Tensor tensor;
  tensor.data = values.data();
  for (const int extent : extents) tensor.shape[tensor.shape.rank++] = extent;
  return tensor;
}

// The grey level of each of `values`.
std::vector<int> levels(std::vector<float> values, float low, float high) {
  const int width = static_cast<int>(values.size());
  std::vector<std::uint8_t> pixels(3 * values.size());
  const Status status = to_rgb8(view(values, {1, 1, width, 1}), {1, width, 1, low, high}, pixels);
  REQUIRE(status.ok());
  std::vector<int> result;
  for (std::size_t i = 0; i < values.size(); ++i) {
    CHECK(pixels[3 * i] == pixels[3 * i + 1]);
    CHECK(pixels[3 * i] == pixels[3 * i + 2]);
    result.push_back(pixels[3 * i]);
  }
  return result;
}

void check_refused(const Tensor& image, const ImageReading& reading, std::size_t room, int index,
                   const char* words) {
  std::vector<std::uint8_t> pixels(room);
  const Status status = to_rgb8(image, reading, pixels, index);
  CHECK(status.code == ErrorCode::kBadArgument);
  const std::string sentence(status.message());
  CAPTURE(sentence);
  CHECK(sentence.find(words) != std::string::npos);
}

}  // namespace

TEST_CASE("levels are rounded to the nearest, halves up, and clamped; NaN is black") {
  CHECK(levels({0.0F, 1.0F, 0.5F, 0.25F}, 0, 1) == std::vector{0, 255, 128, 64});
  CHECK(levels({0.5F, 1.5F, 1.4999F, 254.5F, 254.4F}, 0, 255) == std::vector{1, 2, 1, 255, 254});
  CHECK(levels({-0.1F, 1.1F, -kInfinity, kInfinity, kNaN, 1e30F}, 0, 1) ==
        std::vector{0, 255, 0, 255, 0, 255});
  CHECK(levels({-1.0F, 0.0F, 1.0F, kNaN}, -1, 1) == std::vector{0, 128, 255, 0});
  CHECK(levels({0.0F, 1.0F, 0.2F}, 1, 0) == std::vector{255, 0, 204});
}

TEST_CASE("colours keep their order, and the index chooses the picture") {
  std::vector<float> values(2 * 2 * 3 * 3);
  std::iota(values.begin(), values.end(), 0.0F);
  const ImageReading reading{2, 3, 3, 0, 255};
  std::vector<std::uint8_t> pixels(19, 77);
  for (const int index : {0, 1}) {
    REQUIRE(to_rgb8(view(values, {2, 2, 3, 3}), reading, pixels, index).ok());
    for (int i = 0; i < 18; ++i) CHECK(pixels[static_cast<std::size_t>(i)] == 18 * index + i);
  }
  REQUIRE(to_rgb8(view(values, {2, 18}), reading, pixels, 1).ok());
  CHECK(pixels[0] == 18);
  CHECK(pixels[18] == 77);
}

TEST_CASE("what cannot be a picture is refused") {
  std::vector<float> values(36);
  const Tensor image = view(values, {1, 3, 4, 3});
  const ImageReading sound{3, 4, 3, 0, 1};
  std::vector<std::uint8_t> pixels(36);
  CHECK(to_rgb8(image, sound, pixels).ok());
  check_refused(image, sound, 35, 0, "takes 36 bytes");
  check_refused(image, sound, 36, 1, "picture 1");
  check_refused(image, sound, 36, -1, "picture -1");
  check_refused(image, {3, 4, 1, 0, 1}, 36, 0, "holds no pictures");
  check_refused(image, {4, 4, 3, 0, 1}, 48, 0, "holds no pictures");
  check_refused(image, {6, 2, 3, 0, 1}, 35, 0, "takes 36 bytes");
  check_refused(image, {3, 4, 2, 0, 1}, 36, 0, "1 or 3 channels");
  check_refused(image, {0, 0, 0, 0, 1}, 36, 0, "not say that this output is a picture");
  check_refused(image, {1 << 30, 1 << 30, 3, 0, 1}, 36, 0, "holds no pictures");
  check_refused(image, {3, 4, 3, 1, 1}, 36, 0, "range");
  check_refused(image, {3, 4, 3, kNaN, 1}, 36, 0, "range");
  check_refused(image, {3, 4, 3, 0, kInfinity}, 36, 0, "range");
  Tensor integers = image;
  integers.type = DataType::kInt32;
  check_refused(integers, sound, 36, 0, "float32");
  check_refused(view(values, {36}), sound, 36, 0, "holds no pictures");
}
