// Elements of both sizes that lie apart.
#include "runtime/math/copy.h"

#include <doctest/doctest.h>

#include <numeric>
#include <vector>

using namespace figment;

TEST_CASE_TEMPLATE("a transposed tensor, and one element many times", Element, std::uint8_t,
                   std::int32_t) {
  std::vector<Element> x(15);
  std::iota(x.begin(), x.end(), Element{1});
  std::vector<Element> y(16, Element{99});
  math::Axes<1> axes;  // 3x5 -> 5x3
  axes.add(3, {5});
  axes.add(5, {1});
  math::copy_elements(axes, reinterpret_cast<const std::byte*>(x.data()),
                      reinterpret_cast<std::byte*>(y.data()), sizeof(Element));
  for (int row = 0; row < 5; ++row)
    for (int column = 0; column < 3; ++column)
      CHECK(y[static_cast<std::size_t>(3 * row + column)] ==
            x[static_cast<std::size_t>(5 * column + row)]);
  CHECK(y[15] == Element{99});

  math::repeat_element(reinterpret_cast<const std::byte*>(&x[6]),
                       reinterpret_cast<std::byte*>(y.data()), 4, sizeof(Element));
  for (std::size_t i = 0; i < 4; ++i) CHECK(y[i] == Element{7});
  CHECK(y[4] == x[6]);  // untouched: row 1, column 1 of the transposed tensor
}
