// The products of convolutions, part by part.
#include "runtime/train/convolution.h"

#include <algorithm>

#include "runtime/train/depthwise.h"
#include "runtime/train/product_tile.h"
#include "runtime/train/rows.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

// Columns and pixels of the map in a part: 256 KB of floats, to stay in a cache, or one row of the
// map.
constexpr std::int64_t kPartFloats = 65536;
// Columns of as many rows of the kernel are made at once as have so many floats for a pixel, at
// least of one row: the fewer, the more pixels share the packing of the weights.
constexpr std::int64_t kSliceFloats = 2 * kDepthPart;

// Columns [pixels, depth] of some rows of the kernel. Where the columns are the picture itself
// nothing is copied.
struct Plan {
  bool direct;
  int kernel_rows;              // in a slice
  std::int64_t tap_row;         // floats of one kernel row
  std::int64_t depth;           // of all slices
  std::int64_t column_stride;   // floats from pixel to pixel
  std::int64_t pictures, rows;  // of the map in a part: whole pictures, or rows of one

  explicit Plan(const Convolution& convolution) {
    const math::Window& window = convolution.window;
    tap_row = std::int64_t{window.kernel_width} * convolution.picture_channels;
    depth = tap_row * window.kernel_height;
    // A window of one pixel that goes everywhere, or one that sees the whole picture.
    const bool unmoved = window.pad_top == 0 && window.pad_left == 0;
    const bool pointwise = convolution.taps() == 1 && window.stride_height == 1 &&
                           window.stride_width == 1 &&
                           convolution.map_height == convolution.picture_height &&
                           convolution.map_width == convolution.picture_width;
    const bool whole = convolution.map_height == 1 && convolution.map_width == 1 &&
                       window.kernel_height == convolution.picture_height &&
                       window.kernel_width == convolution.picture_width &&
                       window.dilation_height == 1 && window.dilation_width == 1 &&
                       convolution.groups == 1;
    direct = unmoved && (pointwise || whole);
    if (direct) {
      kernel_rows = window.kernel_height;
      column_stride = convolution.picture_pixel() * convolution.taps();
      pictures = convolution.batch;
      rows = convolution.map_height;
      return;
    }
    kernel_rows =
        static_cast<int>(std::clamp<std::int64_t>(kSliceFloats / tap_row, 1, window.kernel_height));
    column_stride = kernel_rows * tap_row;
    const std::int64_t row_floats =
        convolution.map_width * (column_stride + convolution.map_pixel());
    rows = std::clamp<std::int64_t>(kPartFloats / row_floats, 1, convolution.map_height);
    pictures =
        rows < convolution.map_height
            ? 1
            : std::clamp<std::int64_t>(kPartFloats / (row_floats * rows), 1, convolution.batch);
  }
  std::int64_t column_floats(const Convolution& convolution) const {
    return direct ? 0 : pictures * rows * convolution.map_width * column_stride;
  }
};

// Pixels of the map that are worked on together, [pictures, rows, map_width].
struct Part {
  std::int64_t picture, pictures, row, rows;

  std::int64_t first_pixel(const Convolution& convolution) const {
    return (picture * convolution.map_height + row) * convolution.map_width;
  }
  std::int64_t pixels(const Convolution& convolution) const {
    return pictures * rows * convolution.map_width;
  }
};

// Some rows of the kernel.
struct Slice {
  int first, count;
  std::int64_t begin, depth;  // floats of a pixel's whole columns
};

template <typename Function>
void for_each_part(const Convolution& convolution, const Plan& plan, const Function& body) {
  for (std::int64_t picture = 0; picture < convolution.batch; picture += plan.pictures)
    for (std::int64_t row = 0; row < convolution.map_height; row += plan.rows)
      body(Part{picture, std::min(plan.pictures, convolution.batch - picture), row,
                std::min(plan.rows, convolution.map_height - row)});
}

// Of the kernel's rows from `begin` to before `end`.
template <typename Function>
void for_each_slice(const Plan& plan, int begin, int end, const Function& body) {
  for (int first = begin; first < end; first += plan.kernel_rows) {
    const int count = std::min(plan.kernel_rows, end - first);
    body(Slice{first, count, first * plan.tap_row, count * plan.tap_row});
  }
}

template <typename Function>
void for_each_slice(const Convolution& convolution, const Plan& plan, const Function& body) {
  for_each_slice(plan, 0, convolution.window.kernel_height, body);
}

// What one thread needs that works by itself.
std::size_t scratch_of_one(const Convolution& convolution) {
  return multiply_scratch_bytes(nullptr) +
         static_cast<std::size_t>(Plan(convolution).column_floats(convolution)) * sizeof(float);
}

Workspace workspace_of(const Convolution& convolution, const Workspace& all, std::size_t thread) {
  return {all.loops, all.scratch + thread * scratch_of_one(convolution), nullptr};
}

// Threads share a batch by pictures: they meet once, not in every part.
bool shares_pictures(const Convolution& convolution, pthreadpool* threads) {
  return thread_count(threads) > 1 && convolution.batch > 1;
}

// Pictures `first` to before `last` of a batch.
Convolution some_pictures(const Convolution& convolution, std::int64_t first, std::int64_t last) {
  Convolution some = convolution;
  some.batch = last - first;
  return some;
}
std::int64_t picture_floats(const Convolution& convolution) {
  return std::int64_t{convolution.picture_height} * convolution.picture_width *
         convolution.picture_pixel();
}
std::int64_t map_floats(const Convolution& convolution) {
  return convolution.map_height * convolution.map_width * convolution.map_pixel();
}

// The weights of a group as a matrix [map channels, depth], from `begin` on.
Matrix weights_matrix(const Convolution& convolution, const Plan& plan, const float* weights,
                      int group, std::int64_t begin) {
  const float* data = weights + group * convolution.map_channels * plan.depth;
  if (convolution.order == WeightOrder::kMapFirst) return {data + begin, plan.depth, 1};
  return {data + begin * convolution.map_channels, 1, convolution.map_channels};
}

// The columns of a part, in the picture itself or made in scratch.
Matrix columns_of(const Convolution& convolution, const Plan& plan, const float* picture,
                  const Part& part, const Slice& slice, int group, const Workspace& workspace) {
  picture += std::int64_t{group} * convolution.picture_channels;
  if (plan.direct) return matrix(picture, plan.column_stride);
  float* columns =
      reinterpret_cast<float*>(workspace.scratch + multiply_scratch_bytes(workspace.threads));
  math::Window window = convolution.window;
  window.kernel_height = slice.count;
  window.pad_top -= slice.first * window.dilation_height;
  const std::int64_t in_picture = std::int64_t{convolution.picture_height} *
                                  convolution.picture_width * convolution.picture_pixel();
  const std::int64_t rows = part.pictures * part.rows;
  share(rows * convolution.map_width * slice.depth < kWorthSharing ? nullptr : workspace.threads,
        rows, [&](std::size_t, std::int64_t first, std::int64_t last) {
          for (std::int64_t row = first; row < last; ++row) {
            const math::PictureChannels channels{
                .pixels = picture + (part.picture + row / part.rows) * in_picture,
                .height = convolution.picture_height,
                .width = convolution.picture_width,
                .channels = convolution.picture_channels,
                .pixel_stride = convolution.picture_pixel()};
            math::im2col(window, channels, convolution.map_width,
                         (part.row + row % part.rows) * convolution.map_width,
                         convolution.map_width,
                         columns + row * convolution.map_width * slice.depth);
          }
        });
  return matrix(columns, slice.depth);
}

// Adds what the pixels of one map row have for one kernel row to the picture's row under it.
void add_row(const Convolution& convolution, const Loops& loops, const float* columns,
             std::int64_t column_stride, float* row) {
  const math::Window& window = convolution.window;
  const std::int64_t channels = convolution.picture_channels;
  const std::int64_t pixel = convolution.picture_pixel();
  // Pixels whose window is all inside, where a kernel row lies without gaps in the picture.
  std::int64_t first = 0, last = 0;
  if (window.dilation_width == 1 && convolution.groups == 1) {
    const PlaceRange left(-window.pad_left, window.stride_width, convolution.picture_width,
                          convolution.map_width);
    const PlaceRange right(window.kernel_width - 1 - window.pad_left, window.stride_width,
                           convolution.picture_width, convolution.map_width);
    first = left.first;
    last = std::max(first, right.last);
    loops.add_pixels({.x = columns + first * column_stride,
                      .x_step = column_stride,
                      .y = row + (first * window.stride_width - window.pad_left) * channels,
                      .y_step = window.stride_width * channels,
                      .pixels = last - first,
                      .channels = window.kernel_width * channels});
  }
  for (int kx = 0; kx < window.kernel_width; ++kx) {
    const std::int64_t offset = std::int64_t{kx} * window.dilation_width - window.pad_left;
    const PlaceRange range(offset, window.stride_width, convolution.picture_width,
                           convolution.map_width);
    const auto add = [&](std::int64_t begin, std::int64_t end) {
      if (begin < end)
        loops.add_pixels({.x = columns + begin * column_stride + kx * channels,
                          .x_step = column_stride,
                          .y = row + (begin * window.stride_width + offset) * pixel,
                          .y_step = window.stride_width * pixel,
                          .pixels = end - begin,
                          .channels = channels});
    };
    add(range.first, std::min(range.last, first));
    add(std::max(range.first, last), range.last);
  }
}

// The first picture row that no map row before `row` adds to, and from which on rows are begun
// with the bias when `row` comes; all rows when there is no further one.
std::int64_t begun_before(const Convolution& convolution, std::int64_t row) {
  if (row == 0) return 0;
  if (row == convolution.map_height) return convolution.picture_height;
  const math::Window& window = convolution.window;
  const std::int64_t end = (row - 1) * window.stride_height +
                           std::int64_t{window.kernel_height - 1} * window.dilation_height -
                           window.pad_top + 1;
  return std::clamp<std::int64_t>(end, 0, convolution.picture_height);
}

// Adds a part's columns to the pictures. Each row of a picture is one thread's.
void add_columns(const Convolution& convolution, const Part& part, const Slice& slice, int group,
                 const float* columns, const float* bias, float* picture,
                 const Workspace& workspace) {
  const math::Window& window = convolution.window;
  const std::int64_t pixel = convolution.picture_pixel();
  const std::int64_t row_floats = convolution.picture_width * pixel;
  const std::int64_t begun = begun_before(convolution, part.row);
  const std::int64_t end = begun_before(convolution, part.row + part.rows);
  const std::int64_t first_row =
      std::clamp<std::int64_t>(part.row * window.stride_height - window.pad_top, 0, begun);
  const std::int64_t rows = end - first_row;
  const bool begin = group == 0 && slice.first == 0;
  const auto add_rows = [&](std::size_t, std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t in_part = i / rows;
      const std::int64_t y = first_row + i % rows;
      float* row =
          picture + ((part.picture + in_part) * convolution.picture_height + y) * row_floats;
      if (begin && y >= begun) fill_rows(bias, convolution.picture_width, pixel, row, nullptr);
      for (int ky = 0; ky < slice.count; ++ky) {
        const std::int64_t place =
            y + window.pad_top - std::int64_t{slice.first + ky} * window.dilation_height;
        const std::int64_t map_row = place / window.stride_height - part.row;
        if (place < 0 || place % window.stride_height != 0 || map_row < 0 || map_row >= part.rows)
          continue;
        add_row(convolution, *workspace.loops,
                columns + (in_part * part.rows + map_row) * convolution.map_width * slice.depth +
                    ky * convolution.picture_channels * window.kernel_width,
                slice.depth, row + group * convolution.picture_channels);
      }
    }
  };
  share(part.pixels(convolution) * slice.depth < kWorthSharing ? nullptr : workspace.threads,
        part.pictures * rows, add_rows);
}

}  // namespace

std::size_t convolution_scratch_bytes(const Convolution& convolution, pthreadpool* threads) {
  if (convolution.depthwise()) return depthwise_scratch_bytes(convolution);
  // Threads that share the work within a part share its columns too.
  return std::max(multiply_scratch_bytes(threads) + scratch_of_one(convolution),
                  thread_count(threads) * scratch_of_one(convolution));
}

void picture_to_map(const Convolution& convolution, const float* picture, const float* weights,
                    const float* bias, float* map, const Workspace& workspace) {
  if (convolution.depthwise())
    return depthwise_picture_to_map(convolution, picture, weights, bias, map, workspace);
  if (shares_pictures(convolution, workspace.threads))
    return share(workspace.threads, convolution.batch,
                 [&](std::size_t thread, std::int64_t first, std::int64_t last) {
                   picture_to_map(some_pictures(convolution, first, last),
                                  picture + first * picture_floats(convolution), weights, bias,
                                  map + first * map_floats(convolution),
                                  workspace_of(convolution, workspace, thread));
                 });
  const Plan plan(convolution);
  const std::int64_t map_pixel = convolution.map_pixel();
  for_each_part(convolution, plan, [&](const Part& part) {
    float* to = map + part.first_pixel(convolution) * map_pixel;
    if (bias != nullptr)
      fill_rows(bias, part.pixels(convolution), map_pixel, to, workspace.threads);
    for (int group = 0; group < convolution.groups; ++group)
      for_each_slice(convolution, plan, [&](const Slice& slice) {
        const Matrix columns =
            columns_of(convolution, plan, picture, part, slice, group, workspace);
        multiply({.rows = part.pixels(convolution),
                  .columns = convolution.map_channels,
                  .depth = slice.depth,
                  .a = columns,
                  .b = weights_matrix(convolution, plan, weights, group, slice.begin).transposed(),
                  .c = to + std::int64_t{group} * convolution.map_channels,
                  .c_stride = map_pixel,
                  .add = bias != nullptr || slice.first > 0},
                 *workspace.loops, workspace.scratch, workspace.threads);
      });
  });
}

void map_to_picture(const Convolution& convolution, const float* map, const float* weights,
                    const float* bias, float* picture, const Workspace& workspace) {
  if (convolution.depthwise())
    return depthwise_map_to_picture(convolution, map, weights, bias, picture, workspace);
  if (shares_pictures(convolution, workspace.threads))
    return share(workspace.threads, convolution.batch,
                 [&](std::size_t thread, std::int64_t first, std::int64_t last) {
                   map_to_picture(some_pictures(convolution, first, last),
                                  map + first * map_floats(convolution), weights, bias,
                                  picture + first * picture_floats(convolution),
                                  workspace_of(convolution, workspace, thread));
                 });
  const Plan plan(convolution);
  if (plan.direct && bias != nullptr)
    fill_rows(bias, convolution.picture_pixels(), convolution.picture_pixel(), picture,
              workspace.threads);
  float* scratch =
      reinterpret_cast<float*>(workspace.scratch + multiply_scratch_bytes(workspace.threads));
  for_each_part(convolution, plan, [&](const Part& part) {
    for (int group = 0; group < convolution.groups; ++group)
      for_each_slice(convolution, plan, [&](const Slice& slice) {
        multiply({.rows = part.pixels(convolution),
                  .columns = slice.depth,
                  .depth = convolution.map_channels,
                  .a = matrix(map + part.first_pixel(convolution) * convolution.map_pixel() +
                                  std::int64_t{group} * convolution.map_channels,
                              convolution.map_pixel()),
                  .b = weights_matrix(convolution, plan, weights, group, slice.begin),
                  .c = plan.direct ? picture + std::int64_t{group} * convolution.picture_channels
                                   : scratch,
                  .c_stride = plan.direct ? plan.column_stride : slice.depth,
                  .add = plan.direct && bias != nullptr},
                 *workspace.loops, workspace.scratch, workspace.threads);
        if (!plan.direct)
          add_columns(convolution, part, slice, group, scratch, bias, picture, workspace);
      });
  });
}

void weights_of_both(const Convolution& convolution, const float* picture, const float* map,
                     std::int64_t first, std::int64_t count, float* gradient,
                     const Workspace& all) {
  if (convolution.depthwise())
    return depthwise_weights_of_both(convolution, picture, map, first, count, gradient, all);
  const Plan plan(convolution);
  const std::int64_t group_channels = convolution.map_channels;
  const std::int64_t map_pixel = convolution.map_pixel();
  const auto last_group = static_cast<int>((first + count - 1) / group_channels);
  // Rows of the kernel from `begin_row` to before `end_row`.
  const auto work = [&](const Workspace& workspace, int begin_row, int end_row) {
    for_each_part(convolution, plan, [&](const Part& part) {
      const bool later = part.picture > 0 || part.row > 0;
      const float* from = map + part.first_pixel(convolution) * map_pixel;
      for (auto group = static_cast<int>(first / group_channels); group <= last_group; ++group) {
        const std::int64_t begin = std::max(first, group * group_channels);
        const std::int64_t end = std::min(first + count, (group + 1) * group_channels);
        for_each_slice(plan, begin_row, end_row, [&](const Slice& slice) {
          const Matrix columns =
              columns_of(convolution, plan, picture, part, slice, group, workspace);
          Multiplication product{.rows = end - begin,
                                 .columns = slice.depth,
                                 .depth = part.pixels(convolution),
                                 .a = matrix(from + begin, map_pixel).transposed(),
                                 .b = columns,
                                 .c = gradient + (begin - first) * plan.depth + slice.begin,
                                 .c_stride = plan.depth,
                                 .add = later};
          if (convolution.order == WeightOrder::kMapLast) {
            std::swap(product.rows, product.columns);
            product.a = columns.transposed();
            product.b = matrix(from + begin, map_pixel);
            product.c = gradient + (group * plan.depth + slice.begin) * group_channels;
            product.c_stride = group_channels;
          }
          multiply(product, *workspace.loops, workspace.scratch, workspace.threads);
        });
      }
    });
  };
  // Threads share the rows of the kernel, each with columns of its own; where there are too few,
  // they share the products.
  const int kernel_rows = convolution.window.kernel_height;
  if (plan.direct || static_cast<std::size_t>(kernel_rows) < thread_count(all.threads))
    return work(all, 0, kernel_rows);
  share(all.threads, kernel_rows, [&](std::size_t thread, std::int64_t begin, std::int64_t end) {
    work(workspace_of(convolution, all, thread), static_cast<int>(begin), static_cast<int>(end));
  });
}

}  // namespace figment::train
