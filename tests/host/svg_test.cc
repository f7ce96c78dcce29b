// The picture of a graph.
#include "targets/host/svg.h"

#include <doctest/doctest.h>

#include "tests/host/small_model.h"

namespace figment::host {
namespace {

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

// Every element that is opened is closed, in order: what an XML parser insists on.
bool is_balanced(const std::string& svg) {
  std::vector<std::string> open;
  for (std::size_t at = svg.find('<'); at != std::string::npos; at = svg.find('<', at + 1)) {
    const std::size_t end = svg.find('>', at);
    if (end == std::string::npos) return false;
    const std::string tag = svg.substr(at + 1, end - at - 1);
    if (tag.starts_with("/")) {
      if (open.empty() || open.back() != tag.substr(1)) return false;
      open.pop_back();
    } else if (!tag.ends_with("/")) {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
  }
  return open.empty();
}

}  // namespace

TEST_CASE("every operator is a box with its shape, every flow an arrow") {
  const testing::SmallModel small;
  const std::string svg = draw_svg(small.model, {});
  CHECK(svg.starts_with("<svg"));
  CHECK(is_balanced(svg));
  CHECK(count(svg, ">Dense<") == 1);
  CHECK(count(svg, ">Relu<") == 1);
  CHECK(count(svg, ">Add<") == 1);
  CHECK(count(svg, ">input Nx4<") == 1);
  CHECK(count(svg, ">output Nx4<") == 1);
  CHECK(count(svg, ">Nx4<") == 3);
  // x to Dense, Dense to Relu, Relu to Add, x to Add, Add to y.
  CHECK(count(svg, "marker-end") == 5);
}

TEST_CASE("a profile colours the boxes and is written into them") {
  const testing::SmallModel small;
  const std::string svg = draw_svg(small.model, {{0.9, 0.9}, {0.05, 0.05}, {0.05, 0.05}});
  CHECK(is_balanced(svg));
  CHECK(count(svg, "0.9 ms, 90.0 %") == 1);
  CHECK(count(svg, "0.05 ms, 5.0 %") == 2);
  CHECK(count(svg, "share of the time") == 1);
  CHECK(svg != draw_svg(small.model, {{0.05, 0.05}, {0.9, 0.9}, {0.05, 0.05}}));
}

TEST_CASE("names from strangers cannot break out of the picture") {
  const testing::SmallModel small("<script>&\"\x01\xff");
  const std::string svg = draw_svg(small.model, {});
  CHECK(is_balanced(svg));
  CHECK(count(svg, "<script") == 0);
  CHECK(count(svg, "&lt;script&gt;&amp;&quot;??") == 1);
}

}  // namespace figment::host
