// The three products of a convolution, which a transposed convolution has too, with the roles of
// its operands changed:
//
//   a window slides over a picture [batch, height, width, groups * channels], and a map
//   [batch, height, width, groups * channels] has one pixel for each of its places;
//
//   picture_to_map   map = columns(picture) weights^T       a convolution; a transposed one's dx
//   map_to_picture   picture = the sum of map weights       a transposed convolution; a
//                    where the columns came from            convolution's dx
//   weights_of_both  weights' gradient = map^T columns(picture)
//
// Columns are made for a part of the map and for some rows of the kernel at a time: scratch does
// not grow with the picture.
#pragma once

#include <algorithm>

#include "runtime/math/im2col.h"
#include "runtime/train/product.h"

namespace figment::train {

// How weights lie in memory.
enum class WeightOrder : std::uint8_t {
  kMapFirst,  // [groups, map channels, kernel_h, kernel_w, picture channels]: Conv2D
  kMapLast,   // [groups, kernel_h, kernel_w, picture channels, map channels]: ConvTranspose2D
};

struct Convolution {
  math::Window window;
  std::int64_t batch;
  int groups;
  int picture_height, picture_width, picture_channels;  // channels of one group
  int map_height, map_width, map_channels;
  WeightOrder order;

  bool depthwise() const { return groups > 1 && picture_channels == 1 && map_channels == 1; }
  std::int64_t picture_pixel() const { return std::int64_t{groups} * picture_channels; }
  std::int64_t map_pixel() const { return std::int64_t{groups} * map_channels; }
  std::int64_t map_pixels() const { return batch * map_height * map_width; }
  std::int64_t picture_pixels() const { return batch * picture_height * picture_width; }
  std::int64_t taps() const { return std::int64_t{window.kernel_height} * window.kernel_width; }
};

// Places of the map, from `first` to before `last`, whose tap k lies in the picture: along one
// axis.
struct PlaceRange {
  std::int64_t first, last;

  PlaceRange(std::int64_t offset, std::int64_t stride, std::int64_t picture, std::int64_t map)
      : first(offset >= 0 ? 0 : (-offset - 1) / stride + 1),
        last(offset >= picture ? 0 : std::min(map, (picture - offset - 1) / stride + 1)) {
    first = std::min(first, last);
  }
};

// What a call of these products works with.
struct Workspace {
  const Loops* loops;
  std::byte* scratch;  // convolution_scratch_bytes, aligned to 64
  pthreadpool* threads;
};

std::size_t convolution_scratch_bytes(const Convolution& convolution, pthreadpool* threads);

// `bias`: of the result's channels, or null.
void picture_to_map(const Convolution& convolution, const float* picture, const float* weights,
                    const float* bias, float* map, const Workspace& workspace);
void map_to_picture(const Convolution& convolution, const float* map, const float* weights,
                    const float* bias, float* picture, const Workspace& workspace);

// Map channels `first` to before `first` + `count`, counted over all groups, which are rows of the
// gradient in the order kMapFirst; in the order kMapLast it must be all of them.
void weights_of_both(const Convolution& convolution, const float* picture, const float* map,
                     std::int64_t first, std::int64_t count, float* gradient,
                     const Workspace& workspace);

}  // namespace figment::train
