// What the normalizations share: statistics that lose nothing to a large mean, and the loops over
// rows of channels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "figment/figment.h"

namespace figment::train {

// Of some numbers.
struct Moments {
  double count = 0;
  double mean = 0;
  double squares = 0;  // the sum of the squared distances from the mean

  // The numbers of both together.
  void merge(const Moments& more);
};

// Of `count` numbers that lie without gaps.
Moments moments_of(const float* x, std::int64_t count);

// Of columns `first` to before `last` of x [rows, columns]: into moments[column].
void column_moments(const float* x, std::int64_t rows, std::int64_t columns, std::int64_t first,
                    std::int64_t last, Moments* moments);

// How numbers are normalized: to (x - centre) * factor + shift. The centre is the mean in float32,
// and the shift what that leaves out: a mean of thousands does not blur a variance of hundredths.
struct Normal {
  float centre, factor, shift;
};
// factor is 1 / sqrt(variance + epsilon).
Normal normal_of(double mean, double variance, double epsilon);

// Sums over rows of gradients, for each column.
struct ColumnSums {
  double gradients = 0;
  double products = 0;  // of the gradients by (x - centre)

  // Of the gradients by the normalized numbers.
  double normalized(const Normal& normal) const {
    return static_cast<double>(normal.factor) * products +
           static_cast<double>(normal.shift) * gradients;
  }
};
// For columns `first` to before `last` of dy and x [rows, columns]; centres [columns].
void column_sums(const float* dy, const float* x, const float* centres, std::int64_t rows,
                 std::int64_t columns, std::int64_t first, std::int64_t last, ColumnSums* sums);

// Likewise where it is the rows that were normalized: `products` are of the gradients by the
// normalized numbers; normals [rows].
void row_sums(const float* dy, const float* x, const Normal* normals, std::int64_t rows,
              std::int64_t columns, std::int64_t first, std::int64_t last, ColumnSums* sums);

// y = (x - centre) * factor + offset for x, y [rows, columns]; the rest [columns]. y may be x.
void scale_rows(const float* x, const float* centres, const float* factors, const float* offsets,
                std::int64_t rows, std::int64_t columns, float* y);

// dx = dy * factor + (x - centre) * slope + offset, likewise. dx may be dy.
void gradient_rows(const float* dy, const float* x, const float* centres, const float* factors,
                   const float* slopes, const float* offsets, std::int64_t rows,
                   std::int64_t columns, float* dx);

// dx = dy * factor, likewise.
void multiply_rows(const float* dy, const float* factors, std::int64_t rows, std::int64_t columns,
                   float* dx);

// Channels that threads take together: a line of the cache.
inline constexpr std::int64_t kChannelsTogether = 16;

}  // namespace figment::train
