// Cuts a matrix product into panels that stay in the first-level cache, and shares them out.
#include "runtime/train/product.h"

#include <algorithm>
#include <cstring>

#include "runtime/train/product_tile.h"
#include "runtime/train/threads.h"
#ifdef FIGMENT_WITH_XNNPACK
#include <string_view>

#include "runtime/simd/kernels.h"
#endif

namespace figment::train {

namespace portable {
extern const Loops kLoops;
}
#ifdef FIGMENT_WITH_XNNPACK
namespace base {
extern const Loops kLoops;
}
#ifdef __x86_64__
namespace avx2 {
extern const Loops kLoops;
}
namespace avx512 {
extern const Loops kLoops;
}
#endif
#endif

const Loops& loops_of([[maybe_unused]] Backend backend) {
#ifdef FIGMENT_WITH_XNNPACK
  if (backend == Backend::kXnnpack) {
#ifdef __x86_64__
    if (simd::kernels().lanes == 16) return avx512::kLoops;
    if (simd::kernels().lanes == 8) return avx2::kLoops;
#endif
    return base::kLoops;
  }
#endif
  return portable::kLoops;
}

namespace {

constexpr std::int64_t kPanelFloats = kDepthPart * kMostPanelColumns;
// Square blocks in which a matrix is transposed: both sides stay in the cache.
constexpr std::int64_t kBlock = 16;
// A thread takes at least so many rows of a panel, or the panel is packed for too few.
constexpr std::int64_t kFewestRows = 64;
// Multiplications and additions below which waking a thread takes longer than they do.
constexpr std::int64_t kWorthThreads = 1 << 17;

// Lines [depth, columns] of b into a panel of `width` columns; the rest is 0.
void pack(const Matrix& b, std::int64_t depth, std::int64_t columns, std::int64_t width,
          float* panel) {
  if (columns < width)
    std::memset(panel, 0, static_cast<std::size_t>(depth * width) * sizeof(float));
  if (b.column_stride == 1) {
    for (std::int64_t k = 0; k < depth; ++k)
      std::memcpy(panel + k * width, b.data + k * b.row_stride,
                  static_cast<std::size_t>(columns) * sizeof(float));
    return;
  }
  for (std::int64_t first = 0; first < depth; first += kBlock) {
    const std::int64_t last = std::min(depth, first + kBlock);
    for (std::int64_t column = 0; column < columns; ++column) {
      const float* from = b.data + column * b.column_stride;
      for (std::int64_t k = first; k < last; ++k)
        panel[k * width + column] = from[k * b.row_stride];
    }
  }
}

// The same of line `k` and column `column` on of stored weights.
void pack_stored(const Matrix& b, std::int64_t first_line, std::int64_t first_column,
                 std::int64_t depth, std::int64_t columns, std::int64_t width, float* panel) {
  if (columns < width)
    std::memset(panel, 0, static_cast<std::size_t>(depth * width) * sizeof(float));
  if (b.column_stride == 1) {
    for (std::int64_t k = 0; k < depth; ++k)
      widen_row(*b.stored, first_line + k, first_column, columns, panel + k * width);
    return;
  }
  for (std::int64_t column = 0; column < columns; ++column) {
    float row[kDepthPart];
    widen_row(*b.stored, first_column + column, first_line, depth, row);
    for (std::int64_t k = 0; k < depth; ++k) panel[k * width + column] = row[k];
  }
}

void multiply_part(const Multiplication& product, const Loops& loops, float* panel,
                   std::int64_t first_row, std::int64_t last_row, std::int64_t first_column,
                   std::int64_t last_column) {
  const std::int64_t width = loops.panel_columns;
  for (std::int64_t k = 0; k < product.depth; k += kDepthPart) {
    const std::int64_t depth = std::min(kDepthPart, product.depth - k);
    for (std::int64_t column = first_column; column < last_column; column += width) {
      const std::int64_t columns = std::min(width, last_column - column);
      Matrix b = product.b;
      if (b.stored != nullptr) {
        pack_stored(b, k, column, depth, columns, width, panel);
      } else {
        b.data += k * b.row_stride + column * b.column_stride;
        pack(b, depth, columns, width, panel);
      }
      loops.multiply_tile({
          .a = product.a.data + first_row * product.a.row_stride + k * product.a.column_stride,
          .a_row = product.a.row_stride,
          .a_depth = product.a.column_stride,
          .panel = panel,
          .rows = static_cast<int>(last_row - first_row),
          .depth = static_cast<int>(depth),
          .columns = static_cast<int>(columns),
          .c = product.c + first_row * product.c_stride + column,
          .c_stride = product.c_stride,
          .add = product.add || k > 0,
      });
    }
  }
}

}  // namespace

std::size_t multiply_scratch_bytes(pthreadpool* threads) {
  return thread_count(threads) * static_cast<std::size_t>(kPanelFloats) * sizeof(float);
}

void multiply(const Multiplication& product, const Loops& loops, std::byte* scratch,
              pthreadpool* threads) {
  float* panels = reinterpret_cast<float*>(scratch);
  if (product.rows * product.columns * product.depth < kWorthThreads) threads = nullptr;
  if (product.depth == 0 && !product.add)
    for (std::int64_t row = 0; row < product.rows; ++row)
      std::memset(product.c + row * product.c_stride, 0,
                  static_cast<std::size_t>(product.columns) * sizeof(float));
  const std::int64_t width = loops.panel_columns;
  const std::int64_t panel_count = (product.columns + width - 1) / width;
  const auto parts = static_cast<std::int64_t>(thread_count(threads));
  if (product.rows >= parts * kFewestRows) {
    share(threads, product.rows, [&](std::size_t thread, std::int64_t first, std::int64_t last) {
      multiply_part(product, loops, panels + static_cast<std::int64_t>(thread) * kPanelFloats,
                    first, last, 0, product.columns);
    });
    return;
  }
  share(threads, panel_count, [&](std::size_t thread, std::int64_t first, std::int64_t last) {
    multiply_part(product, loops, panels + static_cast<std::int64_t>(thread) * kPanelFloats, 0,
                  product.rows, first * width, std::min(product.columns, last * width));
  });
}

}  // namespace figment::train
