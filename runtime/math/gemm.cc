// The matrix product: tiles of dot products with eight interleaved partial sums.
#include "runtime/math/gemm.h"

#include <algorithm>
#include <cstring>

#include "runtime/math/half.h"

namespace figment::math {
namespace {

// Four numbers beside each other: elementwise arithmetic that compilers turn into SIMD.
typedef float Float4 __attribute__((vector_size(4 * sizeof(float))));
// The partial sums of one dot product.
struct Lanes {
  Float4 low, high;
};
constexpr int kLanes = 8;

// A tile of 2x2 dot products holds 8 registers of partial sums and uses every number it loads
// twice.
constexpr int kTileRows = 2;
constexpr int kTileColumns = 2;
// Rows of `a` that are used for all of `b` before the next: as many as this many floats, for the
// cache.
constexpr std::int64_t kBlockFloats = 16384;

inline Float4 load(const float* numbers) {
  Float4 result;
  std::memcpy(&result, numbers, sizeof(result));
  return result;
}

// Adds the products of the next kLanes columns of a (kRows rows) and b (kColumns rows) to the sums.
template <int kRows, int kColumns>
inline void add_products(const float* a, std::int64_t a_stride, const float* b,
                         std::int64_t b_stride, Lanes (&sums)[kRows][kColumns]) {
  for (int row = 0; row < kRows; ++row) {
    const Float4 low = load(a + row * a_stride);
    const Float4 high = load(a + row * a_stride + 4);
    for (int column = 0; column < kColumns; ++column) {
      sums[row][column].low += low * load(b + column * b_stride);
      sums[row][column].high += high * load(b + column * b_stride + 4);
    }
  }
}

template <int kRows, int kColumns>
void multiply_tile(const Gemm& product, const float* a, const float* b, const float* bias,
                   float* c) {
  const std::int64_t depth = product.depth;
  Lanes sums[kRows][kColumns] = {};
  std::int64_t k = 0;
  for (; k + kLanes <= depth; k += kLanes)
    add_products(a + k, product.a_stride, b + k, depth, sums);
  if (k < depth) {
    // The rest, filled up with zeros, so that the sums stay in registers.
    float a_rest[kRows][kLanes] = {};
    float b_rest[kColumns][kLanes] = {};
    const std::size_t bytes = static_cast<std::size_t>(depth - k) * sizeof(float);
    for (int row = 0; row < kRows; ++row)
      std::memcpy(a_rest[row], a + row * product.a_stride + k, bytes);
    for (int column = 0; column < kColumns; ++column)
      std::memcpy(b_rest[column], b + column * depth + k, bytes);
    add_products(&a_rest[0][0], kLanes, &b_rest[0][0], kLanes, sums);
  }
  for (int row = 0; row < kRows; ++row)
    for (int column = 0; column < kColumns; ++column) {
      const Float4 four = sums[row][column].low + sums[row][column].high;
      const float sum = (four[0] + four[2]) + (four[1] + four[3]);
      c[row * product.c_stride + column] = bias ? sum + bias[column] : sum;
    }
}

// All rows of `a` from `first` to `last` against kColumns rows of `b`, which are float32 now.
template <int kColumns>
void multiply_columns(const Gemm& product, std::int64_t first, std::int64_t last, const float* b,
                      std::int64_t column) {
  const float* bias = product.bias ? product.bias + column : nullptr;
  std::int64_t row = first;
  for (; row + kTileRows <= last; row += kTileRows)
    multiply_tile<kTileRows, kColumns>(product, product.a + row * product.a_stride, b, bias,
                                       product.c + row * product.c_stride + column);
  for (; row < last; ++row)
    multiply_tile<1, kColumns>(product, product.a + row * product.a_stride, b, bias,
                               product.c + row * product.c_stride + column);
}

bool is_integers(DataType type) { return type == DataType::kInt8 || type == DataType::kInt4; }

}  // namespace

std::int64_t gemm_scratch_bytes(DataType b_type, std::int64_t depth, std::int64_t rows) {
  if (b_type == DataType::kFloat32) return 0;
  if (is_integers(b_type)) return gemm_integers_scratch_bytes(b_type, depth, rows);
  return kTileColumns * depth * std::int64_t{sizeof(float)};
}

void gemm(const Gemm& product, std::byte* scratch) {
  if (is_integers(product.b.type)) return gemm_integers(product, scratch);
  const std::int64_t depth = product.depth;
  float* widened = reinterpret_cast<float*>(scratch);
  const std::int64_t block = std::max<std::int64_t>(8, kBlockFloats / depth);
  for (std::int64_t first = 0; first < product.rows; first += block) {
    const std::int64_t last = std::min(product.rows, first + block);
    std::int64_t column = 0;
    for (; column + kTileColumns <= product.columns; column += kTileColumns) {
      const float* b =
          as_floats(product.b, product.b_first + column * depth, kTileColumns * depth, widened);
      multiply_columns<kTileColumns>(product, first, last, b, column);
    }
    for (; column < product.columns; ++column) {
      const float* b = as_floats(product.b, product.b_first + column * depth, depth, widened);
      multiply_columns<1>(product, first, last, b, column);
    }
  }
}

}  // namespace figment::math
