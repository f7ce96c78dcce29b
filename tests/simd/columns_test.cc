// One row of a transposed convolution's output against a plain scatter-add in double precision, and
// what it may touch.
#include <cmath>
#include <limits>

#include "tests/simd/tables.h"

namespace figment::simd {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kUntouched = 99;

struct Sizes {
  int kernel, stride, input_width, channels;
  int crop = 0;
  int more = 0;  // pixels of output past the last that a column reaches; negative: cut off there
  int rows = 2;
  float slope = 1, low = -kInfinity, high = kInfinity;

  int output_width() const { return (input_width - 1) * stride + kernel - crop + more; }
};

// `rows` rows of columns [input_width, kernel, channels] with gaps of NaN between pixels and rows;
// behind the last, as many floats as a vector may read, all NaN.
void check(const Kernels& table, const Sizes& size) {
  if (size.output_width() <= 0) return;
  CAPTURE(size.kernel);
  CAPTURE(size.stride);
  CAPTURE(size.input_width);
  CAPTURE(size.channels);
  CAPTURE(size.crop);
  CAPTURE(size.more);
  const std::int64_t tap_floats = std::int64_t{size.kernel} * size.channels;
  const std::int64_t pixel_step = tap_floats + 3;
  const std::int64_t row_step = size.input_width * pixel_step + 7;
  const std::int64_t floats =
      std::max(0, size.rows - 1) * row_step + (size.input_width - 1) * pixel_step + tap_floats;
  const Guarded<float> columns(floats + table.lanes, kNaN);
  const std::vector<float> values = random_floats(floats, 1);
  const int block = size.stride * size.channels;
  const Guarded<float> bias(block + table.lanes, kNaN);
  const std::vector<float> channel_bias = random_floats(size.channels, 2);
  for (int at = 0; at < block; ++at)
    bias[at] = channel_bias[static_cast<std::size_t>(at % size.channels)];

  const int width = size.output_width();
  std::vector<double> expected;
  std::vector<double> magnitude;
  for (int at = 0; at < width * size.channels; ++at) {
    expected.push_back(channel_bias[static_cast<std::size_t>(at % size.channels)]);
    magnitude.push_back(std::fabs(expected.back()));
  }
  for (int row = 0; row < size.rows; ++row)
    for (int pixel = 0; pixel < size.input_width; ++pixel)
      for (int tap = 0; tap < size.kernel; ++tap)
        for (int channel = 0; channel < size.channels; ++channel) {
          const std::int64_t from =
              row * row_step + pixel * pixel_step + tap * size.channels + channel;
          const float value = columns[from] = values[static_cast<std::size_t>(from)];
          const int x = pixel * size.stride + tap - size.crop;
          if (x < 0 || x >= width) continue;
          const auto to = static_cast<std::size_t>(x * size.channels + channel);
          expected[to] += value;
          magnitude[to] += std::fabs(value);
        }

  // The row ends where nothing may be written; before it stand a few floats to be left alone.
  const int before = 2 * table.lanes;
  const Guarded<float> output(before + width * size.channels, kUntouched);
  table.sum_columns({columns.data(), size.rows, row_step, pixel_step, block - pixel_step,
                     size.kernel, size.stride, size.input_width, width, size.channels, size.crop,
                     bias.data(), size.slope, size.low, size.high, &output[before]});
  int touched = 0;
  for (int at = 0; at < before; ++at) touched += output[at] != kUntouched;
  CHECK(touched == 0);
  int wrong = 0;
  for (std::size_t at = 0; at < expected.size(); ++at) {
    double value = expected[at] < 0 ? size.slope * expected[at] : expected[at];
    value = std::clamp<double>(value, size.low, size.high);
    const double bound = 1e-6 * magnitude[at] * std::max(1.0F, std::fabs(size.slope));
    wrong += !(std::fabs(output[before + static_cast<std::int64_t>(at)] - value) <= bound);
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("every kernel and stride, with what is cut off on either side") {
  with_every_table([](const Kernels& table) {
    for (int kernel = 1; kernel <= 7; ++kernel)
      for (int stride = 1; stride <= 4; ++stride)
        for (const int input_width : {1, 2, 5})
          for (const int channels : {1, 3, 8, 17, 64})
            for (const int crop : {0, 1, 3})
              for (const int more : {-2, 0, stride - 1})
                check(table, {kernel, stride, input_width, channels, crop, more});
  });
}

TEST_CASE("no row, one row and many reach the output") {
  with_every_table([](const Kernels& table) {
    for (const int rows : {0, 1, 4})
      for (const int channels : {1, 3, 17}) {
        check(table, {4, 2, 7, channels, 1, -1, rows});
        check(table, {5, 2, 7, channels, 2, -2, rows});
        check(table, {1, 3, 7, channels, 0, 2, rows});
      }
  });
}

TEST_CASE("sums go through the activation's slope and clamps") {
  with_every_table([](const Kernels& table) {
    for (const int channels : {1, 3, 8, 17}) {
      check(table, {4, 2, 9, channels, 1, -1, 2, 0.2F});
      check(table, {4, 2, 9, channels, 1, -1, 2, -0.5F, -kInfinity, 1});
      check(table, {4, 2, 9, channels, 1, -1, 2, 1, 0});
      check(table, {3, 2, 9, channels, 1, -1, 2, 1, -0.5F, 0.25F});
    }
  });
}

TEST_CASE("rows of columns may stand in either order") {
  with_every_table([](const Kernels& table) {
    const std::vector<float> columns = random_floats(2 * 40 + table.lanes, 3);
    const std::vector<float> bias(static_cast<std::size_t>(2 * 2 + table.lanes), 0.5F);
    std::vector<float> down(2 * 11), up(2 * 11);
    // 5 pixels of 4 taps of 2 channels.
    ColumnRow task{columns.data(), 2, 40,         8,         -4,         4, 2, 5, 11, 2, 1,
                   bias.data(),    1, -kInfinity, kInfinity, down.data()};
    table.sum_columns(task);
    task.columns += 40;
    task.row_step = -40;
    task.output = up.data();
    table.sum_columns(task);
    int wrong = 0;
    for (std::size_t at = 0; at < down.size(); ++at)
      wrong += !(std::fabs(down[at] - up[at]) <= 1e-6F);
    CHECK(wrong == 0);
  });
}

TEST_CASE("NaN stays NaN through an activation and its clamps, in the pixels that it reaches") {
  with_every_table([](const Kernels& table) {
    for (const int channels : {1, 17}) {
      // 5 pixels, kernel 4, stride 2: pixel 2 reaches outputs 4 to 7.
      std::vector<float> columns = random_floats(std::int64_t{5} * 4 * channels + table.lanes, 3);
      std::fill_n(columns.begin() + 2 * 4 * channels, 4 * channels, kNaN);
      const std::vector<float> bias(static_cast<std::size_t>(2 * channels + table.lanes), 0.0F);
      std::vector<float> output(static_cast<std::size_t>(12 * channels));
      table.sum_columns({columns.data(), 1, 0, 4 * channels, -2 * channels, 4, 2, 5, 12, channels,
                         0, bias.data(), 0.1F, -1, 1, output.data()});
      for (int at = 0; at < 12 * channels; ++at)
        CHECK(std::isnan(output[static_cast<std::size_t>(at)]) ==
              (at / channels >= 4 && at / channels < 8));
    }
  });
}

}  // namespace figment::simd
