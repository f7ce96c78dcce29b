// Four steps: layers, points where long arrows pass a layer, order within the layers, positions.
#include "targets/host/graph_layout.h"

#include <algorithm>
#include <cstddef>

namespace figment::host {
namespace {

constexpr double kColumnGap = 28;
constexpr double kRowGap = 34;
constexpr double kPassWidth = 10;  // what a passing arrow takes
constexpr int kOrderSweeps = 24;
constexpr int kSettleSweeps = 300;  // long chains straighten slowly

// A box, or a point where an arrow passes a layer.
struct Place {
  int layer = 0;
  double width = kPassWidth, x = 0;
  bool passes = true;
  std::vector<std::size_t> above, below;  // neighbours in the layers next to this one
};

class Sugiyama {
 public:
  explicit Sugiyama(Layout& layout) : layout_(layout) {}

  void run() {
    make_layers();
    make_places();
    for (int sweep = 0; sweep < kOrderSweeps; ++sweep) order(sweep % 2 == 0);
    for (auto& layer : layers_) pack(layer);
    for (int sweep = 0; sweep < kSettleSweeps; ++sweep) {
      if (sweep % 2 == 0)
        for (std::size_t index = 0; index < layers_.size(); ++index) settle(layers_[index]);
      else
        for (std::size_t index = layers_.size(); index-- > 0;) settle(layers_[index]);
    }
    write_answer();
  }

 private:
  // The longest way from any source; then what has no predecessor moves down beside its first
  // reader.
  void make_layers() {
    const std::size_t count = layout_.boxes.size();
    depth_.assign(count, 0);
    std::vector<LayoutArrow*> arrows;
    for (LayoutArrow& arrow : layout_.arrows) arrows.push_back(&arrow);
    std::sort(arrows.begin(), arrows.end(),
              [](const auto* a, const auto* b) { return a->from < b->from; });
    std::vector<bool> has_source(count);
    for (const LayoutArrow* arrow : arrows) {
      int& depth = depth_[static_cast<std::size_t>(arrow->to)];
      depth = std::max(depth, depth_[static_cast<std::size_t>(arrow->from)] + 1);
      has_source[static_cast<std::size_t>(arrow->to)] = true;
    }
    for (std::size_t box = 0; box < count; ++box) {
      if (has_source[box]) continue;
      int nearest = -1;
      for (const LayoutArrow* arrow : arrows)
        if (static_cast<std::size_t>(arrow->from) == box) {
          const int reader = depth_[static_cast<std::size_t>(arrow->to)] - 1;
          nearest = nearest < 0 ? reader : std::min(nearest, reader);
        }
      if (nearest > 0) depth_[box] = nearest;
    }
  }

  void make_places() {
    for (std::size_t box = 0; box < layout_.boxes.size(); ++box) {
      Place place;
      place.layer = depth_[box];
      place.width = layout_.boxes[box].width;
      place.passes = false;
      add(place);
    }
    for (const LayoutArrow& arrow : layout_.arrows) {
      std::vector<std::size_t> way{static_cast<std::size_t>(arrow.from)};
      const int last = depth_[static_cast<std::size_t>(arrow.to)];
      for (int layer = depth_[static_cast<std::size_t>(arrow.from)] + 1; layer < last; ++layer) {
        Place place;
        place.layer = layer;
        way.push_back(add(place));
      }
      way.push_back(static_cast<std::size_t>(arrow.to));
      for (std::size_t step = 0; step + 1 < way.size(); ++step) {
        places_[way[step]].below.push_back(way[step + 1]);
        places_[way[step + 1]].above.push_back(way[step]);
      }
      ways_.push_back(std::move(way));
    }
  }

  std::size_t add(const Place& place) {
    const std::size_t index = places_.size();
    places_.push_back(place);
    if (layers_.size() <= static_cast<std::size_t>(place.layer))
      layers_.resize(static_cast<std::size_t>(place.layer) + 1);
    layers_[static_cast<std::size_t>(place.layer)].push_back(index);
    return index;
  }

  // Sorts each layer by the mean rank of its neighbours in the layer that was sorted before.
  void order(bool downwards) {
    const std::size_t count = layers_.size();
    std::vector<double> rank(places_.size());
    for (const auto& layer : layers_)
      for (std::size_t index = 0; index < layer.size(); ++index)
        rank[layer[index]] = static_cast<double>(index);
    for (std::size_t step = 1; step < count; ++step) {
      auto& layer = layers_[downwards ? step : count - 1 - step];
      std::vector<double> wanted(places_.size());
      for (const std::size_t place : layer) {
        const auto& neighbours = downwards ? places_[place].above : places_[place].below;
        wanted[place] = neighbours.empty() ? rank[place] : mean(neighbours, rank);
      }
      std::stable_sort(layer.begin(), layer.end(),
                       [&](auto a, auto b) { return wanted[a] < wanted[b]; });
      for (std::size_t index = 0; index < layer.size(); ++index)
        rank[layer[index]] = static_cast<double>(index);
    }
  }

  static double mean(const std::vector<std::size_t>& places, const std::vector<double>& values) {
    double sum = 0;
    for (const std::size_t place : places) sum += values[place];
    return sum / static_cast<double>(places.size());
  }

  double distance(std::size_t left, std::size_t right) const {
    return (places_[left].width + places_[right].width) / 2 + kColumnGap;
  }

  // Side by side, centred on 0.
  void pack(const std::vector<std::size_t>& layer) {
    double x = 0;
    for (std::size_t index = 0; index < layer.size(); ++index) {
      if (index > 0) x += distance(layer[index - 1], layer[index]);
      places_[layer[index]].x = x;
    }
    for (const std::size_t place : layer) places_[place].x -= x / 2;
  }

  // How much it matters that a stretch stands upright: boxes in line most, then long arrows.
  static double stiffness(const Place& a, const Place& b) {
    if (!a.passes && !b.passes) return 8;
    return a.passes && b.passes ? 4 : 1;
  }

  // Moves the places of a layer to where the squared leanings of all stretches from and to it are
  // least, under the least distances: solved exactly by pooling neighbours that would collide
  // (isotonic regression). Each call lowers one sum for the whole picture, so going over the layers
  // again and again comes to rest.
  void settle(const std::vector<std::size_t>& layer) {
    struct Pool {
      double sum, weight;
      std::size_t count;
    };
    std::vector<Pool> pools;
    std::vector<double> shifts;
    double shift = 0;
    for (std::size_t index = 0; index < layer.size(); ++index) {
      const Place& place = places_[layer[index]];
      if (index > 0) shift += distance(layer[index - 1], layer[index]);
      shifts.push_back(shift);
      double sum = 0, weight = 0;
      for (const auto* neighbours : {&place.above, &place.below})
        for (const std::size_t neighbour : *neighbours) {
          const double stiff = stiffness(place, places_[neighbour]);
          sum += stiff * (places_[neighbour].x - shift);
          weight += stiff;
        }
      if (weight == 0) {
        weight = 0.001;
        sum = weight * (place.x - shift);
      }
      pools.push_back({sum, weight, 1});
      while (pools.size() > 1) {
        Pool& left = pools[pools.size() - 2];
        const Pool& right = pools.back();
        if (left.sum / left.weight <= right.sum / right.weight) break;
        left = {left.sum + right.sum, left.weight + right.weight, left.count + right.count};
        pools.pop_back();
      }
    }
    std::size_t index = 0;
    for (const Pool& pool : pools)
      for (std::size_t step = 0; step < pool.count; ++step, ++index)
        places_[layer[index]].x = pool.sum / pool.weight + shifts[index];
  }

  void write_answer() {
    double left = 0, right = 0;
    for (const Place& place : places_) {
      left = std::min(left, place.x - place.width / 2);
      right = std::max(right, place.x + place.width / 2);
    }
    std::vector<double> top(layers_.size()), height(layers_.size());
    for (std::size_t box = 0; box < layout_.boxes.size(); ++box) {
      double& tallest = height[static_cast<std::size_t>(places_[box].layer)];
      tallest = std::max(tallest, layout_.boxes[box].height);
    }
    double y = 0;
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
      top[layer] = y;
      y += height[layer] + kRowGap;
    }
    layout_.width = right - left;
    layout_.height = std::max(0.0, y - kRowGap);
    for (std::size_t box = 0; box < layout_.boxes.size(); ++box) {
      const auto layer = static_cast<std::size_t>(places_[box].layer);
      layout_.boxes[box].x = places_[box].x - left;
      layout_.boxes[box].y = top[layer] + (height[layer] - layout_.boxes[box].height) / 2;
    }
    for (std::size_t index = 0; index < ways_.size(); ++index) {
      auto& points = layout_.arrows[index].points;
      for (const std::size_t place : ways_[index]) {
        const auto layer = static_cast<std::size_t>(places_[place].layer);
        const double x = places_[place].x - left;
        if (place < layout_.boxes.size()) {
          const LayoutBox& box = layout_.boxes[place];
          points.emplace_back(x, points.empty() ? box.y + box.height : box.y);
        } else {
          points.emplace_back(x, top[layer]);
          points.emplace_back(x, top[layer] + height[layer]);
        }
      }
    }
  }

  Layout& layout_;
  std::vector<int> depth_;
  std::vector<Place> places_;  // the boxes first
  std::vector<std::vector<std::size_t>> layers_;
  std::vector<std::vector<std::size_t>> ways_;  // places that each arrow meets
};

}  // namespace

void lay_out(Layout& layout) { Sugiyama(layout).run(); }

}  // namespace figment::host
