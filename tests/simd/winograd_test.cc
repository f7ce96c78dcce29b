// Winograd's transforms, each alone, against the matrices of runtime/simd/winograd.cc in double
// precision. Whole convolutions are in tests/ops/conv2d_test.cc.
#include <cmath>
#include <limits>

#include "tests/simd/tables.h"

namespace figment::simd {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kUntouched = 99;
constexpr int kMost = 6;

// The matrices for a side of `width` points, from the definition.
struct Matrices {
  double to_points[kMost][kMost] = {};   // B^T
  double to_outputs[kMost][kMost] = {};  // A^T, `step` rows

  Matrices(int width, int step) {
    const double root = std::sqrt(2.0);
    const std::vector<double> four{0, 1, -1};
    const std::vector<double> six{0, root / 2, -root / 2, root, -root};
    const std::vector<double>& points = width == 4 ? four : six;
    for (int j = 0; j < width; ++j) {
      // The product of (x - a_k), k != j; of all for the last row.
      std::vector<double> polynomial{1};
      for (int k = 0; k < width - 1; ++k) {
        if (k == j) continue;
        polynomial.push_back(0);
        for (std::size_t power = polynomial.size() - 1; power > 0; --power)
          polynomial[power] =
              polynomial[power - 1] - points[static_cast<std::size_t>(k)] * polynomial[power];
        polynomial[0] *= -points[static_cast<std::size_t>(k)];
      }
      std::copy(polynomial.begin(), polynomial.end(), to_points[j]);
    }
    for (int i = 0; i < step; ++i)
      for (int j = 0; j < width - 1; ++j)
        to_outputs[i][j] = std::pow(points[static_cast<std::size_t>(j)], i);
    to_outputs[step - 1][width - 1] = 1;
  }
};

// matrix * square * matrix^T, element (i, j), and the same of all magnitudes.
struct Sum {
  double value = 0, magnitude = 0;
  bool near(double other) const { return std::fabs(other - value) <= 1e-6 * magnitude + 1e-30; }
};
Sum transform(const double (&matrix)[kMost][kMost], int width, const double (&square)[kMost][kMost],
              int i, int j) {
  Sum sum;
  for (int y = 0; y < width; ++y)
    for (int x = 0; x < width; ++x) {
      const double term = matrix[i][y] * square[y][x] * matrix[j][x];
      sum.value += term;
      sum.magnitude += std::fabs(term);
    }
  return sum;
}

// Every width and step that is compiled.
constexpr int kSides[][2] = {{4, 2}, {4, 3}, {6, 2}, {6, 3}, {6, 4}, {6, 5}};

void check_input(const Kernels& table, WinogradInput task) {
  CAPTURE(task.width);
  CAPTURE(task.step);
  CAPTURE(task.channels);
  const int channels = task.channels;
  const int pictures = 3;
  const Guarded<float> picture(random_floats(
      std::int64_t{pictures} * task.picture_height * task.picture_width * channels, 1));
  task.picture = picture.data();
  task.point_stride = std::int64_t{task.tiles.count} * channels + 5;
  const int count = task.width * task.width;
  const Guarded<float> points(
      (count - 1) * task.point_stride + std::int64_t{task.tiles.count} * channels, kUntouched);
  task.points = points.data();
  table.winograd_input(task);

  const Matrices matrices(task.width, task.step);
  const int each = task.tiles.down * task.tiles.across;
  int wrong = 0;
  for (int tile = 0; tile < task.tiles.count; ++tile)
    for (int channel = 0; channel < channels; ++channel) {
      const int index = task.tiles.first + tile;
      const int top = index % each / task.tiles.across * task.step - task.pad_top;
      const int left = index % task.tiles.across * task.step - task.pad_left;
      double square[kMost][kMost] = {};
      for (int y = std::max(0, -top); y < std::min(task.width, task.picture_height - top); ++y)
        for (int x = std::max(0, -left); x < std::min(task.width, task.picture_width - left); ++x)
          square[y][x] = picture[((std::int64_t{index / each} * task.picture_height + top + y) *
                                      task.picture_width +
                                  left + x) *
                                     channels +
                                 channel];
      for (int y = 0; y < task.width; ++y)
        for (int x = 0; x < task.width; ++x)
          wrong += !transform(matrices.to_points, task.width, square, y, x)
                        .near(points[(y * task.width + x) * task.point_stride + tile * channels +
                                     channel]);
    }
  CHECK(wrong == 0);
  int touched = 0;
  for (int point = 0; point + 1 < count; ++point)
    for (std::int64_t at = (point + 1) * task.point_stride - 5;
         at < (point + 1) * task.point_stride; ++at)
      touched += points[at] != kUntouched;
  CHECK(touched == 0);
}

struct OutputCase {
  WinogradOutput task;
  bool has_bias;
};

void check_output(const Kernels& table, const OutputCase& example) {
  WinogradOutput task = example.task;
  CAPTURE(task.width);
  CAPTURE(task.step);
  CAPTURE(task.channels);
  CAPTURE(task.stride_height);
  CAPTURE(task.stride_width);
  const int channels = task.channels;
  const int phases = task.stride_height * task.stride_width;
  const int pictures = 3;
  const std::int64_t tile_floats = std::int64_t{phases} * channels;
  task.point_stride = task.tiles.count * tile_floats + 3;
  const int count = task.width * task.width;
  const Guarded<float> points(
      random_floats((count - 1) * task.point_stride + task.tiles.count * tile_floats, 1));
  const Guarded<float> bias(random_floats(channels, 2));
  const Guarded<float> picture(
      std::int64_t{pictures} * task.picture_height * task.picture_width * channels, kUntouched);
  task.points = points.data();
  task.bias = example.has_bias ? bias.data() : nullptr;
  task.picture = picture.data();
  table.winograd_output(task);

  const Matrices matrices(task.width, task.step);
  const int each = task.tiles.down * task.tiles.across;
  std::vector<int> written(picture.size(), 0);
  int wrong = 0;
  for (int tile = 0; tile < task.tiles.count; ++tile)
    for (std::int64_t at = 0; at < tile_floats; ++at) {
      const int index = task.tiles.first + tile;
      const int channel = static_cast<int>(at % channels);
      const int phase = static_cast<int>(at / channels);
      double square[kMost][kMost] = {};
      for (int point = 0; point < count; ++point)
        square[point / task.width][point % task.width] =
            points[point * task.point_stride + tile * tile_floats + at];
      for (int i = 0; i < task.step; ++i)
        for (int j = 0; j < task.step; ++j) {
          const int row = index % each / task.tiles.across * task.step + i;
          const int column = index % task.tiles.across * task.step + j;
          const int y = row * task.stride_height + phase / task.stride_width - task.crop_top;
          const int x = column * task.stride_width + phase % task.stride_width - task.crop_left;
          if (y < 0 || y >= task.picture_height || x < 0 || x >= task.picture_width) continue;
          Sum sum = transform(matrices.to_outputs, task.width, square, i, j);
          if (example.has_bias) sum.value += bias[channel];
          if (sum.value < 0) sum.value *= task.slope;
          sum.value = std::clamp<double>(sum.value, task.low, task.high);
          sum.magnitude += 1;
          const std::int64_t to =
              ((std::int64_t{index / each} * task.picture_height + y) * task.picture_width + x) *
                  channels +
              channel;
          ++written[static_cast<std::size_t>(to)];
          wrong += !sum.near(picture[to]);
        }
    }
  CHECK(wrong == 0);
  int touched = 0;
  for (std::size_t at = 0; at < picture.size(); ++at)
    touched += written[at] == 0 && picture[static_cast<std::int64_t>(at)] != kUntouched;
  CHECK(touched == 0);
  CHECK(*std::max_element(written.begin(), written.end()) == 1);
}

struct Activation {
  float slope, low, high;
};
constexpr Activation kActivations[] = {
    {0.2F, -kInfinity, kInfinity}, {1, 0, kInfinity}, {1, -0.5F, 0.25F}, {-0.5F, -kInfinity, 2}};

// Tiles 1 and on of three pictures, less the last: a part that begins and ends within a picture.
Tiles all_but_ends(int down, int across) { return {down, across, 1, 3 * down * across - 2}; }

}  // namespace

TEST_CASE("tiles to points: every width and step, borders, several pictures") {
  with_every_table([](const Kernels& table) {
    for (const auto& [width, step] : kSides)
      for (const int channels : {1, 3, 16, 19})
        for (const int pad : {0, 1, 4}) {
          // The last tiles hang over the picture's lower and right edge.
          const int height = 2 * step + 1;
          const int across = 3;
          check_input(table,
                      {all_but_ends(3, across), width, step, nullptr, height,
                       (across - 1) * step + 2, channels, pad, pad == 0 ? 2 : pad - 1, nullptr, 0});
        }
    // A picture that is smaller than a tile, and one tile alone.
    for (const auto& [width, step] : kSides)
      check_input(table, {{1, 1, 2, 1}, width, step, nullptr, 2, 1, 5, 1, 2, nullptr, 0});
  });
}

TEST_CASE("points to outputs: every width and step, borders, several pictures, bias or none") {
  with_every_table([](const Kernels& table) {
    for (const auto& [width, step] : kSides)
      for (const int channels : {1, 3, 16, 19})
        for (const bool has_bias : {true, false})
          check_output(table,
                       {{all_but_ends(2, 3), width, step, 1, 1, nullptr, 0, nullptr, 2 * step - 1,
                         3 * step - 1, channels, 0, 0, nullptr, 1, -kInfinity, kInfinity},
                        has_bias});
  });
}

TEST_CASE("points to outputs that lie a stride apart, with a crop") {
  with_every_table([](const Kernels& table) {
    for (const auto& [width, step] : kSides)
      for (const int channels : {1, 3, 16, 19})
        for (const auto& [down, across] : {std::pair{2, 2}, {2, 1}, {1, 3}}) {
          const int crop_top = down == 2 ? 1 : 0;
          const int crop_left = across - 1;
          check_output(table, {{all_but_ends(2, 2), width, step, down, across, nullptr, 0, nullptr,
                                2 * step * down - crop_top - 1, 2 * step * across - crop_left - 2,
                                channels, crop_top, crop_left, nullptr, 1, -kInfinity, kInfinity},
                               true});
        }
  });
}

TEST_CASE("outputs go through the activation's slope and clamps") {
  with_every_table([](const Kernels& table) {
    for (const auto& [width, step] : kSides)
      for (const Activation& fused : kActivations)
        for (const int channels : {3, 19})
          check_output(table,
                       {{all_but_ends(2, 2), width, step, 2, 2, nullptr, 0, nullptr, 4 * step - 1,
                         4 * step - 2, channels, 1, 0, nullptr, fused.slope, fused.low, fused.high},
                        channels == 19});
  });
}

TEST_CASE("NaN stays NaN through an activation and its clamps, in its channel alone") {
  with_every_table([](const Kernels& table) {
    const int channels = 19;
    for (const int spoiled : {0, 17}) {
      std::vector<float> points(static_cast<std::size_t>(16 * channels), 1.0F);
      for (int point = 0; point < 16; ++point)
        points[static_cast<std::size_t>(point * channels + spoiled)] =
            std::numeric_limits<float>::quiet_NaN();
      std::vector<float> picture(static_cast<std::size_t>(4 * channels));
      table.winograd_output({{1, 1, 0, 1},
                             4,
                             2,
                             1,
                             1,
                             points.data(),
                             channels,
                             picture.data(),
                             2,
                             2,
                             channels,
                             0,
                             0,
                             nullptr,
                             0.1F,
                             -1,
                             1});
      for (int at = 0; at < 4 * channels; ++at)
        CHECK(std::isnan(picture[static_cast<std::size_t>(at)]) == (at % channels == spoiled));
    }
  });
}

}  // namespace figment::simd
