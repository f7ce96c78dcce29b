// Sorts once and reads off.
#include "targets/host/statistics.h"

#include <algorithm>
#include <cmath>

namespace figment::host {

Statistics summarize(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const std::size_t count = values.size();
  Statistics result;
  result.min = values.front();
  result.median =
      count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
  result.p95 = values[static_cast<std::size_t>(std::ceil(0.95 * static_cast<double>(count))) - 1];
  return result;
}

}  // namespace figment::host
