// Order statistics on small sets.
#include "targets/host/statistics.h"

#include <doctest/doctest.h>

namespace figment::host {

TEST_CASE("an odd and an even count") {
  const Statistics odd = summarize({3, 1, 2});
  CHECK(odd.min == 1);
  CHECK(odd.median == 2);
  CHECK(odd.p95 == 3);
  const Statistics even = summarize({4, 1, 3, 2});
  CHECK(even.min == 1);
  CHECK(even.median == 2.5);
  CHECK(even.p95 == 4);
}

TEST_CASE("one value is everything") {
  const Statistics one = summarize({7});
  CHECK(one.min == 7);
  CHECK(one.median == 7);
  CHECK(one.p95 == 7);
}

TEST_CASE("p95 of a hundred is the 95th, of twenty the 19th") {
  std::vector<double> hundred, twenty;
  for (int value = 100; value >= 1; --value) hundred.push_back(value);
  for (int value = 20; value >= 1; --value) twenty.push_back(value);
  CHECK(summarize(hundred).p95 == 95);
  CHECK(summarize(twenty).p95 == 19);
}

}  // namespace figment::host
