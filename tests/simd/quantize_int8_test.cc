// Rows and windows as integers: those of the rule in runtime/math/quantize.h, of what im2col sees.
#include <cmath>
#include <cstring>
#include <limits>

#include "runtime/math/im2col.h"
#include "runtime/math/quantize.h"
#include "tests/simd/tables.h"

namespace figment::simd {
namespace {

struct Picture {
  int height, width, channels;
  math::Window window;
};

int steps_of(int extent, int kernel, int dilation, int stride, int pads) {
  return (extent + pads - (kernel - 1) * dilation - 1) / stride + 1;
}

// Every window of a picture, some at a time; `pixels` may hold anything.
void check(const Kernels& table, const Picture& picture, const std::vector<float>& pixels) {
  CAPTURE(picture.width);
  CAPTURE(picture.channels);
  CAPTURE(picture.window.stride_width);
  const math::Window& window = picture.window;
  const int down = steps_of(picture.height, window.kernel_height, window.dilation_height,
                            window.stride_height, 2 * window.pad_top);
  const int across = steps_of(picture.width, window.kernel_width, window.dilation_width,
                              window.stride_width, 2 * window.pad_left);
  const std::int64_t depth =
      std::int64_t{window.kernel_height} * window.kernel_width * picture.channels;
  const std::int64_t stride = (depth + table.depth_step - 1) / table.depth_step * table.depth_step;
  const int count = down * across;

  const Guarded<float> input(pixels);
  Windows windows{input.data(),
                  picture.height,
                  picture.width,
                  picture.channels,
                  window.kernel_height,
                  window.kernel_width,
                  window.stride_height,
                  window.stride_width,
                  window.dilation_height,
                  window.dilation_width,
                  window.pad_top,
                  window.pad_left,
                  across,
                  nullptr,
                  nullptr};
  const std::int64_t extremes = std::int64_t{picture.height} * windows.line_columns();
  const Guarded<std::int32_t> highest(extremes, -1);
  const Guarded<std::uint32_t> lowest(extremes, 77);
  windows.highest = highest.data();
  windows.lowest = lowest.data();
  table.find_extremes(windows, 0, picture.height / 2);
  table.find_extremes(windows, picture.height / 2, picture.height);
  const Guarded<std::uint8_t> integers(count * stride, 99);
  const Guarded<float> steps(count);
  const Guarded<std::int32_t> least(count);
  for (int first = 0; first < count; first += 71)
    table.quantize_windows({windows, first, std::min(71, count - first),
                            integers.data() + first * stride, stride, steps.data() + first,
                            least.data() + first});

  std::vector<float> row(static_cast<std::size_t>(depth));
  std::vector<std::uint8_t> expected(static_cast<std::size_t>(stride));
  const math::PictureChannels channels{pixels.data(), picture.height, picture.width,
                                       picture.channels, picture.channels};
  int wrong = 0;
  for (int index = 0; index < count; ++index) {
    math::im2col(window, channels, across, index, 1, row.data());
    const math::Steps found = math::find_steps(row.data(), depth);
    wrong += least[index] != found.least;
    if (std::isnan(found.step)) {  // whatever the integers
      wrong += !std::isnan(steps[index]);
      continue;
    }
    wrong += steps[index] != found.step;
    math::quantize_row(row.data(), depth, found, found.least, expected.data());
    wrong += std::memcmp(integers.data() + index * stride, expected.data(),
                         static_cast<std::size_t>(stride)) != 0;
  }
  CHECK(wrong == 0);
}

template <typename Check>
void with_every_integer_table(const Check& check_table) {
  with_every_table([&](const Kernels& table) {
    if (table.multiply_int8 != nullptr) check_table(table);
  });
}

std::vector<float> pixels_of(const Picture& picture) {
  return random_floats(std::int64_t{picture.height} * picture.width * picture.channels, 7);
}

}  // namespace

TEST_CASE("windows: every kind of channels, strides, dilations and paddings") {
  with_every_integer_table([](const Kernels& table) {
    for (const int channels : {1, 3, 15, 16, 17, 63, 64, 65, 130})
      for (const math::Window& window :
           {math::Window{3, 3, 1, 1, 1, 1, 1, 1}, math::Window{1, 1, 1, 1, 1, 1, 0, 0},
            math::Window{3, 2, 2, 3, 1, 1, 0, 1}, math::Window{2, 3, 1, 2, 3, 2, 2, 4},
            math::Window{5, 5, 1, 1, 1, 1, 4, 4}}) {
        const Picture picture{9, 13, channels, window};
        check(table, picture, pixels_of(picture));
      }
    const Picture wide{5, 150, 3, {3, 3, 1, 1, 1, 1, 1, 1}};
    check(table, wide, pixels_of(wide));
  });
}

TEST_CASE("windows: of one sign, of zeros, of halves, and of what is not to be told in steps") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  with_every_integer_table([](const Kernels& table) {
    const Picture picture{7, 9, 20, {3, 3, 1, 1, 1, 1, 1, 1}};
    for (const float sign : {1.0F, -1.0F, 0.0F, -0.0F, 1e-30F, 1e-42F, 3e38F}) {
      std::vector<float> pixels = pixels_of(picture);
      for (float& x : pixels) x = sign * std::fabs(x);
      check(table, picture, pixels);
    }
    std::vector<float> halves(pixels_of(picture).size());
    for (std::size_t i = 0; i < halves.size(); ++i)
      halves[i] = static_cast<float>(i % 256) - 127.5F + static_cast<float>(i % 2) / 2;
    check(table, picture, halves);
    for (const float bad : {kNaN, -kNaN, kInfinity, -kInfinity}) {
      std::vector<float> pixels = pixels_of(picture);
      pixels[611] = bad;
      check(table, picture, pixels);
    }
  });
}

TEST_CASE("rows: the same rule") {
  with_every_integer_table([](const Kernels& table) {
    for (const int depth : {1, 5, 16, 63, 64, 65, 200}) {
      // A picture of one column, seen by windows of one pixel, is rows.
      const Picture picture{11, 1, depth, {}};
      const std::vector<float> pixels = pixels_of(picture);
      check(table, picture, pixels);
      const std::int64_t stride =
          (depth + table.depth_step - 1) / table.depth_step * table.depth_step;
      const Guarded<float> x(pixels);
      const Guarded<std::uint8_t> integers(11 * stride, 99);
      const Guarded<float> steps(11);
      const Guarded<std::int32_t> least(11);
      table.quantize(
          {x.data(), depth, integers.data(), stride, steps.data(), least.data(), 11, depth});
      std::vector<std::uint8_t> expected(static_cast<std::size_t>(stride));
      for (int row = 0; row < 11; ++row) {
        const math::Steps found = math::find_steps(x.data() + row * depth, depth);
        math::quantize_row(x.data() + row * depth, depth, found, found.least, expected.data());
        CHECK(steps[row] == found.step);
        CHECK(least[row] == found.least);
        CHECK(std::memcmp(integers.data() + row * stride, expected.data(), expected.size()) == 0);
      }
    }
  });
}

namespace {

struct CenteredResult {
  std::vector<std::uint8_t> integers;
  float step;
};

// A row among others, with as much between them as points have.
CenteredResult center(const Kernels& table, const std::vector<float>& row) {
  constexpr int kRows = 3;
  const auto depth = static_cast<std::int64_t>(row.size());
  const int group = table.depth_step;
  const std::int64_t padded = (depth + group - 1) / group * group;
  const std::int64_t stride = padded + 8;
  std::vector<float> rows;
  for (int i = 0; i < kRows; ++i) rows.insert(rows.end(), row.begin(), row.end());
  rows[0] = 1e30F;
  const Guarded<float> x(rows);
  const Guarded<std::uint8_t> integers(stride * (kRows - 1) + padded, 77);
  const Guarded<float> steps(2 * kRows - 1, -1);
  table.quantize_centered(
      {x.data(), depth, integers.data(), stride, 2, steps.data(), kRows, depth});
  const std::uint8_t* last = integers.data() + (kRows - 1) * stride;
  for (std::int64_t k = depth; k < padded; ++k) CHECK(last[k] == 0);
  for (std::int64_t k = padded; k < stride; ++k) CHECK(integers[stride + k] == 77);
  CHECK(steps[1] == -1);
  return {{last, last + depth}, steps[2 * (kRows - 1)]};
}

}  // namespace

TEST_CASE("centered: integers are the nearest steps, of which the largest number has 127") {
  with_every_table([](const Kernels& table) {
    if (table.quantize_centered == nullptr) return;
    for (const int depth : {1, 3, 4, 7, 8, 9, 31, 32, 33, 64, 100})
      for (const float factor : {1.0F, -1.0F, 1e-20F, 1e30F}) {
        CAPTURE(depth);
        CAPTURE(factor);
        std::vector<float> row = random_floats(depth, static_cast<std::uint32_t>(depth));
        for (float& x : row) x *= factor;
        const CenteredResult result = center(table, row);
        float largest = 0;
        for (const float x : row) largest = std::max(largest, std::fabs(x));
        CHECK(result.step == largest / 127);
        int ends = 0;
        for (std::size_t k = 0; k < row.size(); ++k) {
          const int integer = result.integers[k] - 128;
          CHECK(std::abs(integer - double{row[k]} / double{result.step}) < 0.50001);
          ends += std::abs(integer) == 127;
        }
        CHECK(ends > 0);
      }
  });
}

TEST_CASE("centered: zeros stay zeros; a NaN or an infinity spoils its row") {
  with_every_table([](const Kernels& table) {
    if (table.quantize_centered == nullptr) return;
    for (const float tiny : {0.0F, -0.0F, 1e-42F}) {
      const CenteredResult result = center(table, std::vector<float>(19, tiny));
      CHECK(std::isfinite(result.step));
      for (const std::uint8_t integer : result.integers) CHECK(integer == 128);
    }
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN(),
          std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()})
      for (const std::size_t at : {0U, 8U, 18U}) {
        std::vector<float> row = random_floats(19, 1);
        row[at] = bad;
        CHECK(std::isnan(center(table, row).step));
      }
  });
}

}  // namespace figment::simd
