// Places the boxes of a directed graph on a plane: layers by depth, few crossings, straight long
// arrows. Pure geometry; the method is that of Sugiyama, Tagawa and Toda (1981).
#pragma once

#include <utility>
#include <vector>

namespace figment::host {

struct LayoutBox {
  double width = 0, height = 0;
  double x = 0, y = 0;  // the answer: the centre's x, the upper edge's y
};

// An arrow from the lower edge of one box to the upper edge of another, by way of points that keep
// clear of the boxes between.
struct LayoutArrow {
  int from = 0, to = 0;
  std::vector<std::pair<double, double>> points;  // the answer: from first to last
};

struct Layout {
  std::vector<LayoutBox> boxes;
  std::vector<LayoutArrow> arrows;
  double width = 0, height = 0;
};

// `layout` has the boxes' sizes and the arrows' ends; arrows go from a smaller index to a larger
// one.
void lay_out(Layout& layout);

}  // namespace figment::host
