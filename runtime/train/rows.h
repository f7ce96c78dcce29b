// Loops over rows that several backward rooms share.
#pragma once

#include "figment/figment.h"

namespace figment::train {

// Every row of y [rows, columns] = `row` (`columns` floats; null: 0).
void fill_rows(const float* row, std::int64_t rows, std::int64_t columns, float* y,
               pthreadpool* threads);

void fill_zeros(float* y, std::int64_t count, pthreadpool* threads);

// sums [columns] = the sum of the rows of x [rows, columns]: in parts of some rows, each in order,
// whatever the number of threads.
void sum_rows(const float* x, std::int64_t rows, std::int64_t columns, float* sums,
              pthreadpool* threads);

}  // namespace figment::train
