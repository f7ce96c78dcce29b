// A transposed convolution as matrix products and col2im.
//
// XNNPACK's own operator takes its one-row kernel at batch 1, pads few output channels to a full
// vector and keeps a pointer for every tap of every output pixel. The product of the input's pixels
// [height*width, inputs] with the weights [kernel_height*kernel_width*outputs, inputs] needs none
// of that; col2im then sums the columns that meet in each output pixel, adds the bias and applies
// the activation while the row is in the cache.
#pragma once

#include "runtime/math/im2col.h"
#include "runtime/xnnpack/matrix_product.h"

namespace figment::xnnpack {

struct Columns {
  math::Window window;
  // One product for each `band_rows` kernel rows. Near the upper and lower edge some kernel rows
  // fall outside the picture; a product of its own leaves those input rows out.
  xnn_operator_t* bands;
  int band_rows;
  int tile_rows;                    // input rows whose columns are made at a time
  int kept_rows;                    // of the tile before, which the next output rows read too
  const format::Unary* activation;  // applied to rows as they are written; null: none
};

Status create_columns(const Operation& operation, Build& build, Columns& columns);

// The columns stand in operation.scratch.
bool run_columns(const Operation& operation, const Columns& columns);

}  // namespace figment::xnnpack
