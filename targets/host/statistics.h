// Order statistics of measured times.
#pragma once

#include <vector>

namespace figment::host {

struct Statistics {
  double min = 0, median = 0, p95 = 0;
};

// Of at least one value. The median of an even count is the mean of the two middle ones; p95 is the
// smallest value that at least 95 % of all do not exceed.
Statistics summarize(std::vector<double> values);

}  // namespace figment::host
