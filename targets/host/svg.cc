// Boxes, arrows and a legend.
#include "targets/host/svg.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>

#include "figment/format/model_generated.h"
#include "targets/host/describe.h"
#include "targets/host/graph_layout.h"
#include "targets/host/ports.h"

namespace figment::host {
namespace {

constexpr double kMargin = 28;
constexpr double kTitleHeight = 62;
constexpr double kLineHeight = 17;
constexpr double kPadding = 11;

struct Colour {
  int red, green, blue;
};

std::string hexadecimal(const Colour& colour) {
  char text[8];
  std::snprintf(text, sizeof text, "#%02x%02x%02x", colour.red & 255, colour.green & 255,
                colour.blue & 255);
  return text;
}

// From white over amber to red; the square root keeps small shares apart.
Colour heat(double share) {
  constexpr Colour kStops[] = {{255, 253, 245}, {254, 224, 144}, {252, 141, 89}, {215, 48, 39}};
  const double position = std::sqrt(std::clamp(share, 0.0, 1.0)) * 3;
  const int stop = std::min(2, static_cast<int>(position));
  const double part = position - stop;
  const auto mix = [&](int from, int to) {
    return static_cast<int>(std::lround(from + (to - from) * part));
  };
  const Colour& a = kStops[stop];
  const Colour& b = kStops[stop + 1];
  return {mix(a.red, b.red), mix(a.green, b.green), mix(a.blue, b.blue)};
}

// Operators that do like work share a colour.
struct Family {
  const char* name;
  Colour colour;
};
constexpr Family kMatrixFamily{"matrix products and convolutions", {199, 221, 245}};
constexpr Family kNormalizationFamily{"normalization and reduction", {222, 212, 240}};
constexpr Family kElementwiseFamily{"elementwise", {209, 236, 212}};
constexpr Family kShapeFamily{"moving and resizing", {253, 232, 200}};
constexpr Colour kPortColour{236, 238, 241};

const Family& family_of(format::OperatorOptions kind) {
  using Kind = format::OperatorOptions;
  switch (kind) {
    case Kind::Dense:
    case Kind::MatMul:
    case Kind::Conv2D:
    case Kind::ConvTranspose2D:
      return kMatrixFamily;
    case Kind::BatchNormalization:
    case Kind::LayerNormalization:
    case Kind::GroupNormalization:
    case Kind::Softmax:
    case Kind::Reduce:
      return kNormalizationFamily;
    case Kind::Unary:
    case Kind::Binary:
    case Kind::Cast:
    case Kind::RandomNormal:
      return kElementwiseFamily;
    default:
      return kShapeFamily;
  }
}

// Text as XML has it. Bytes that are no UTF-8 of printable characters become '?': names come from
// strangers' files.
std::string escape(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte == '&') {
      result += "&amp;";
    } else if (byte == '<') {
      result += "&lt;";
    } else if (byte == '>') {
      result += "&gt;";
    } else if (byte == '"') {
      result += "&quot;";
    } else if (byte < 0x20 || byte >= 0x7f) {
      result += '?';
    } else {
      result += text[at];
    }
  }
  return result;
}

std::string shorten(const std::string& text, std::size_t most) {
  return text.size() <= most ? text : text.substr(0, most - 3) + "...";
}

// One box of the picture and what is written in it; the first line is bold.
struct Box {
  std::vector<std::string> lines;
  std::string hint;  // shown by a viewer when the pointer rests on the box
  Colour colour = kPortColour;
  bool port = false;
};

// The width of text in the font that most viewers have; DejaVu Sans is the widest of them.
double text_width(const std::string& text, bool bold) {
  return static_cast<double>(text.size()) * (bold ? 7.9 : 6.9);
}

std::string formatted(const char* format, double a) {
  char text[64];
  std::snprintf(text, sizeof text, format, a);
  return text;
}

class Drawing {
 public:
  Drawing(const Model& model, const std::vector<OperatorTime>& times)
      : model_(model), root_(model.root()), times_(times) {
    add_boxes();
    for (const Box& box : boxes_) {
      LayoutBox size;
      for (std::size_t line = 0; line < box.lines.size(); ++line)
        size.width = std::max(size.width, text_width(box.lines[line], line == 0));
      size.width = std::max(90.0, size.width + 2 * kPadding);
      size.height = static_cast<double>(box.lines.size()) * kLineHeight + kPadding;
      layout_.boxes.push_back(size);
    }
    lay_out(layout_);
  }

  std::string draw() {
    const std::string title = shorten(std::string(model_.name()), 60);
    double total = 0;
    for (const OperatorTime& time : times_) total += time.ms;
    std::string subtitle = model_kind_text(model_) + ", " +
                           std::to_string(model_.operator_count()) + " operators, " +
                           with_commas(model_.weight_bytes()) + " bytes of weights";
    if (!times_.empty()) subtitle += ", " + formatted("%.4g", total) + " ms a run";
    const double title_width = std::max(text_width(title, true) * 1.3, text_width(subtitle, false));
    width_ = std::max({layout_.width, title_width, 420.0}) + 2 * kMargin;
    left_ = (width_ - layout_.width) / 2;
    const double height = kTitleHeight + kMargin + layout_.height + 34 + kMargin;

    svg_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + formatted("%.0f", width_) +
           "\" height=\"" + formatted("%.0f", height) + "\" viewBox=\"0 0 " +
           formatted("%.0f", width_) + " " + formatted("%.0f", height) +
           "\" font-family=\"DejaVu Sans, Verdana, sans-serif\" font-size=\"11\">\n";
    svg_ +=
        "<defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" "
        "markerHeight=\"7\" "
        "orient=\"auto\"><path d=\"M0,0.5 L7.5,4 L0,7.5 z\" fill=\"#77808c\"/></marker></defs>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
    text(width_ / 2, 34, title,
         "font-size=\"17\" font-weight=\"bold\" text-anchor=\"middle\" fill=\"#1d232b\"");
    text(width_ / 2, 54, subtitle, "text-anchor=\"middle\" fill=\"#5b6570\"");
    for (const LayoutArrow& arrow : layout_.arrows) draw_arrow(arrow);
    for (std::size_t index = 0; index < boxes_.size(); ++index)
      draw_box(boxes_[index], layout_.boxes[index]);
    draw_legend(height - kMargin - 10);
    return svg_ + "</svg>\n";
  }

 private:
  double down(double y) const { return y + kTitleHeight + kMargin; }

  void text(double x, double y, const std::string& words, const std::string& style) {
    svg_ += "<text x=\"" + formatted("%.1f", x) + "\" y=\"" + formatted("%.1f", y) + "\" " + style +
            ">" + escape(words) + "</text>\n";
  }

  void add_boxes();
  Box operator_box(int index, const format::Operator& node) const;
  void draw_arrow(const LayoutArrow& arrow);
  void draw_box(const Box& box, const LayoutBox& place);
  void draw_legend(double y);

  const Model& model_;
  const format::Model& root_;
  const std::vector<OperatorTime>& times_;
  std::vector<Box> boxes_;
  Layout layout_;
  std::string svg_;
  double width_ = 0, left_ = 0;
};

// Inputs first, then operators, then outputs, so that every arrow goes from a smaller index to a
// larger one.
void Drawing::add_boxes() {
  std::map<int, int> writer;  // tensor -> box
  const auto add_port = [&](const char* what, const format::Port& port) {
    Box box;
    box.lines = {shorten(port.name() == nullptr ? "" : port.name()->str(), 36),
                 what + std::string(" ") + tensor_shape_text(root_, port.tensor())};
    box.port = true;
    boxes_.push_back(box);
    return static_cast<int>(boxes_.size()) - 1;
  };
  for (const format::Port* port : *root_.inputs())
    writer[port->tensor()] = add_port("input", *port);
  int index = 0;
  for (const format::Operator* node : *root_.operators()) {
    boxes_.push_back(operator_box(index++, *node));
    const int box = static_cast<int>(boxes_.size()) - 1;
    std::set<int> sources;
    if (node->inputs() != nullptr)
      for (const std::int32_t input : *node->inputs())
        if (const auto found = writer.find(input); found != writer.end())
          sources.insert(found->second);
    for (const int source : sources) layout_.arrows.push_back({source, box, {}});
    writer[node->outputs()->Get(0)] = box;
  }
  for (const format::Port* port : *root_.outputs()) {
    const int box = add_port("output", *port);
    if (const auto found = writer.find(port->tensor()); found != writer.end())
      layout_.arrows.push_back({found->second, box, {}});
  }
}

Box Drawing::operator_box(int index, const format::Operator& node) const {
  Box box;
  const std::string detail = operator_detail(root_, node);
  const std::string activation = activation_text(node.activation());
  // An elementwise function is known by its own name.
  const bool elementwise = node.options_type() == format::OperatorOptions::Unary ||
                           node.options_type() == format::OperatorOptions::Binary;
  std::string title =
      elementwise ? detail : operator_kind(node) + (detail.empty() ? "" : " " + detail);
  box.lines.push_back(shorten(title, 40));
  if (!activation.empty()) box.lines.push_back("then " + activation);
  box.lines.push_back(tensor_shape_text(root_, node.outputs()->Get(0)));
  box.colour = family_of(node.options_type()).colour;
  if (!times_.empty()) {
    const OperatorTime& time = times_[static_cast<std::size_t>(index)];
    box.lines.push_back(formatted("%.3g ms, ", time.ms) + formatted("%.1f %%", 100 * time.share));
    box.colour = heat(time.share);
  }
  box.hint = "operator " + std::to_string(index) + ": " +
             (node.name() == nullptr ? "" : node.name()->str());
  if (const std::string weights = weights_text(root_, node); !weights.empty())
    box.hint += "; constants " + weights;
  return box;
}

void Drawing::draw_arrow(const LayoutArrow& arrow) {
  std::string path;
  const auto at = [&](std::pair<double, double> point) {
    return formatted("%.1f", point.first + left_) + "," + formatted("%.1f", down(point.second));
  };
  path = "M" + at(arrow.points.front());
  for (std::size_t step = 1; step < arrow.points.size(); ++step) {
    const auto from = arrow.points[step - 1];
    auto to = arrow.points[step];
    if (step + 1 == arrow.points.size()) to.second -= 1;
    if (from.first == to.first) {
      path += " L" + at(to);
      continue;
    }
    const double middle = (from.second + to.second) / 2;
    path += " C" + at({from.first, middle}) + " " + at({to.first, middle}) + " " + at(to);
  }
  svg_ += "<path d=\"" + path +
          "\" fill=\"none\" stroke=\"#77808c\" stroke-width=\"1.3\" marker-end=\"url(#head)\"/>\n";
}

void Drawing::draw_box(const Box& box, const LayoutBox& place) {
  const double x = place.x - place.width / 2 + left_, y = down(place.y);
  // White letters where the box is dark.
  const bool dark = 0.3 * box.colour.red + 0.59 * box.colour.green + 0.11 * box.colour.blue < 140;
  svg_ += "<g>";
  if (!box.hint.empty()) svg_ += "<title>" + escape(box.hint) + "</title>";
  svg_ += "<rect x=\"" + formatted("%.1f", x) + "\" y=\"" + formatted("%.1f", y) + "\" width=\"" +
          formatted("%.1f", place.width) + "\" height=\"" + formatted("%.1f", place.height) +
          "\" rx=\"" + (box.port ? formatted("%.1f", place.height / 2) : "5") + "\" fill=\"" +
          hexadecimal(box.colour) + "\" stroke=\"#8b949e\"/>\n";
  for (std::size_t line = 0; line < box.lines.size(); ++line) {
    const double baseline = y + kPadding / 2 + kLineHeight * (static_cast<double>(line) + 0.72);
    std::string style = "text-anchor=\"middle\" fill=\"";
    style += dark ? "#ffffff" : line == 0 ? "#1d232b" : "#3d4650";
    style += line == 0 ? "\" font-size=\"12\" font-weight=\"bold\"" : "\"";
    text(place.x + left_, baseline, box.lines[line], style);
  }
  svg_ += "</g>\n";
}

void Drawing::draw_legend(double y) {
  if (!times_.empty()) {
    constexpr double kScaleWidth = 220;
    const double begin = (width_ - kScaleWidth) / 2;
    constexpr int kSteps = 44;
    for (int step = 0; step < kSteps; ++step)
      svg_ += "<rect x=\"" + formatted("%.1f", begin + step * kScaleWidth / kSteps) + "\" y=\"" +
              formatted("%.1f", y) + "\" width=\"" + formatted("%.1f", kScaleWidth / kSteps + 0.5) +
              "\" height=\"10\" fill=\"" + hexadecimal(heat((step + 0.5) / kSteps)) + "\"/>\n";
    text(begin - 8, y + 9, "share of the time: 0 %", "text-anchor=\"end\" fill=\"#5b6570\"");
    text(begin + kScaleWidth + 8, y + 9, "100 %", "fill=\"#5b6570\"");
    return;
  }
  std::vector<const Family*> families;
  for (const format::Operator* node : *root_.operators()) {
    const Family* family = &family_of(node->options_type());
    if (std::find(families.begin(), families.end(), family) == families.end())
      families.push_back(family);
  }
  double width = 0;
  for (const Family* family : families) width += 36 + text_width(family->name, false);
  // On two lines where one is too short.
  const bool stacked = width > width_ - 2 * kMargin;
  double x = stacked ? kMargin : (width_ - width) / 2;
  double line = stacked ? y - 4 : y;
  for (std::size_t index = 0; index < families.size(); ++index) {
    if (stacked && index == (families.size() + 1) / 2) {
      x = kMargin;
      line += 18;
    }
    svg_ += "<rect x=\"" + formatted("%.1f", x) + "\" y=\"" + formatted("%.1f", line) +
            "\" width=\"14\" height=\"10\" rx=\"2\" fill=\"" +
            hexadecimal(families[index]->colour) + "\" stroke=\"#8b949e\"/>\n";
    text(x + 20, line + 9, families[index]->name, "fill=\"#5b6570\"");
    x += 36 + text_width(families[index]->name, false);
  }
}

}  // namespace

std::string draw_svg(const Model& model, const std::vector<OperatorTime>& times) {
  return Drawing(model, times).draw();
}

}  // namespace figment::host
