// Follows, operator by operator, which pixels of the input each pixel of a tensor depends on.
#include "targets/host/reach.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "figment/format/model_generated.h"

namespace figment::host {
namespace {

using format::OperatorOptions;

// Along one axis: pixel i of a tensor depends on the input's pixels from step * i + low to
// step * i + high.
struct Sight {
  double step = 1, low = 0, high = 0;

  // Of a tensor whose pixel i depends on pixels `by` * i + first to `by` * i + last of this one.
  Sight seen(double by, double first, double last) const {
    return {step * by, low + step * first, high + step * last};
  }
};

constexpr int kSpatialAxes = 2;  // down, across: axes 1 and 2 of N,H,W,C

enum class Knowledge : std::uint8_t { kApart, kSeen, kUnknown };

// What a tensor has to do with the input picture: nothing (a constant, another input), something
// known, or something else.
struct View {
  Knowledge knowledge = Knowledge::kApart;
  Sight axes[kSpatialAxes];
};

constexpr View kUnknown{Knowledge::kUnknown, {}};

int extent(const format::Tensor& tensor, int axis) {
  return tensor.shape()->Get(static_cast<flatbuffers::uoffset_t>(axis));
}

int rank(const format::Tensor& tensor) {
  return tensor.shape() == nullptr ? 0 : static_cast<int>(tensor.shape()->size());
}

// Whether a tensor that is broadcast to N,H,W,C is the same everywhere in the picture.
bool is_even(const format::Tensor& tensor) {
  for (const int from_last : {3, 2}) {
    const int axis = rank(tensor) - from_last;
    if (axis >= 0 && extent(tensor, axis) != 1) return false;
  }
  return true;
}

class Follower {
 public:
  explicit Follower(const format::Model& root) : root_(root), views_(root.tensors()->size()) {}

  std::optional<PictureReach> follow(int input, int output);

 private:
  const format::Tensor& tensor(int id) const {
    return *root_.tensors()->Get(static_cast<flatbuffers::uoffset_t>(id));
  }
  View& view(int id) { return views_[static_cast<std::size_t>(id)]; }
  int operand(const format::Operator& node, std::size_t index) const {
    return node.inputs()->Get(static_cast<flatbuffers::uoffset_t>(index));
  }
  View joined(const format::Operator& node);
  View through(const format::Operator& node);
  View windowed(const View& x, const format::Conv2D& window, int height, int width) const;
  View transposed(const View& x, const int (&kernel)[2], const int (&stride)[2],
                  const int (&dilation)[2], const int (&pad)[2]) const;
  View resized(const View& x, const format::Operator& node, const format::Resize& options) const;

  const format::Model& root_;
  std::vector<View> views_;
  int alignment_[kSpatialAxes] = {1, 1};
};

// Of a number that depends on one number of each operand, at the same place.
View Follower::joined(const format::Operator& node) {
  View result;
  for (std::size_t index = 0; index < node.inputs()->size(); ++index) {
    const int id = operand(node, index);
    if (id < 0) continue;
    const View& one = view(id);
    if (one.knowledge == Knowledge::kUnknown) return kUnknown;
    if (one.knowledge == Knowledge::kApart) {
      if (!is_even(tensor(id))) return kUnknown;
      continue;
    }
    if (result.knowledge == Knowledge::kApart) {
      result = one;
      continue;
    }
    for (int axis = 0; axis < kSpatialAxes; ++axis) {
      Sight& sight = result.axes[axis];
      if (sight.step != one.axes[axis].step) return kUnknown;
      sight.low = std::min(sight.low, one.axes[axis].low);
      sight.high = std::max(sight.high, one.axes[axis].high);
    }
  }
  return result;
}

// y[i] sees x from i * stride - pad on.
View window_view(const View& x, const int (&kernel)[2], const int (&stride)[2],
                 const int (&dilation)[2], const int (&pad)[2]) {
  View result = x;
  for (int axis = 0; axis < kSpatialAxes; ++axis)
    result.axes[axis] = x.axes[axis].seen(stride[axis], -pad[axis],
                                          (kernel[axis] - 1) * dilation[axis] - pad[axis]);
  return result;
}

// Tap u brings x[i] to y[i * stride + u * dilation - pad].
View Follower::transposed(const View& x, const int (&kernel)[2], const int (&stride)[2],
                          const int (&dilation)[2], const int (&pad)[2]) const {
  View result = x;
  for (int axis = 0; axis < kSpatialAxes; ++axis)
    result.axes[axis] = x.axes[axis].seen(
        1.0 / stride[axis],
        static_cast<double>(pad[axis] - (kernel[axis] - 1) * dilation[axis]) / stride[axis],
        static_cast<double>(pad[axis]) / stride[axis]);
  return result;
}

View Follower::windowed(const View& x, const format::Conv2D& window, int height, int width) const {
  return window_view(x, {height, width}, {window.stride_height(), window.stride_width()},
                     {window.dilation_height(), window.dilation_width()},
                     {window.pad_top(), window.pad_left()});
}

View Follower::resized(const View& x, const format::Operator& node,
                       const format::Resize& options) const {
  if (options.coordinates() == format::ResizeCoordinates::AlignCorners) return kUnknown;
  const format::Tensor& from = tensor(operand(node, 0));
  const format::Tensor& to = tensor(node.outputs()->Get(0));
  const float scales[] = {options.scale_height(), options.scale_width()};
  // Neighbours of a place between pixels, on either side.
  const double around = options.mode() == format::ResizeMode::Cubic ? 2 : 1;
  View result = x;
  for (int axis = 0; axis < kSpatialAxes; ++axis) {
    const double factor = static_cast<double>(extent(to, axis + 1)) / extent(from, axis + 1);
    const double either = std::max(factor, 1 / factor);
    // A broken factor moves pixels against each other.
    if (either != std::floor(either)) return kUnknown;
    if (scales[axis] != 0 && double{scales[axis]} != factor) return kUnknown;
    // The place of output pixel i is i / factor + shift.
    const bool corner = options.coordinates() == format::ResizeCoordinates::Asymmetric;
    const double shift = corner ? 0 : 0.5 / factor - 0.5;
    result.axes[axis] = x.axes[axis].seen(1 / factor, shift - around, shift + around);
  }
  return result;
}

View Follower::through(const format::Operator& node) {
  const View all = joined(node);
  const View x = view(operand(node, 0));
  const format::Tensor& output = tensor(node.outputs()->Get(0));
  if (rank(output) != 4 || rank(tensor(operand(node, 0))) != 4) return kUnknown;
  // Whose further operands are weights.
  const auto weights = [&]() -> const format::Tensor& { return tensor(operand(node, 1)); };
  switch (node.options_type()) {
    case OperatorOptions::Unary:
    case OperatorOptions::Binary:
    case OperatorOptions::Compare:
    case OperatorOptions::Select:
    case OperatorOptions::Cast:
    case OperatorOptions::QuantizedAdd:
      return all;
    case OperatorOptions::Quantize:
    case OperatorOptions::Dequantize:
    case OperatorOptions::QuantizedUnary:
    case OperatorOptions::BatchNormalization:
    case OperatorOptions::Dense:
    case OperatorOptions::QuantizedDense:
      return x;
    case OperatorOptions::LayerNormalization:
      return node.options_as_LayerNormalization()->axes() == 1 ? x : kUnknown;
    case OperatorOptions::Softmax:
      return node.options_as_Softmax()->axis() == 3 ? x : kUnknown;
    case OperatorOptions::Concat:
      return node.options_as_Concat()->axis() == 3 ? all : kUnknown;
    case OperatorOptions::Conv2D:
      return windowed(x, *node.options_as_Conv2D(), extent(weights(), 1), extent(weights(), 2));
    case OperatorOptions::QuantizedConv2D:
      return windowed(x, *node.options_as_QuantizedConv2D()->window(), extent(weights(), 1),
                      extent(weights(), 2));
    case OperatorOptions::ConvTranspose2D: {
      const auto& window = *node.options_as_ConvTranspose2D();
      return transposed(x, {extent(weights(), 1), extent(weights(), 2)},
                        {window.stride_height(), window.stride_width()},
                        {window.dilation_height(), window.dilation_width()},
                        {window.pad_top(), window.pad_left()});
    }
    case OperatorOptions::QuantizedConvTranspose2D: {
      const auto& window = *node.options_as_QuantizedConvTranspose2D()->window();
      return transposed(x, {extent(weights(), 1), extent(weights(), 2)},
                        {window.stride_height(), window.stride_width()},
                        {window.dilation_height(), window.dilation_width()},
                        {window.pad_top(), window.pad_left()});
    }
    case OperatorOptions::Pool2D: {
      const auto& window = *node.options_as_Pool2D();
      return window_view(x, {window.kernel_height(), window.kernel_width()},
                         {window.stride_height(), window.stride_width()},
                         {window.dilation_height(), window.dilation_width()},
                         {window.pad_top(), window.pad_left()});
    }
    case OperatorOptions::Pad: {
      const auto& before = *node.options_as_Pad()->before();
      return window_view(x, {1, 1}, {1, 1}, {1, 1}, {before[1], before[2]});
    }
    case OperatorOptions::Slice: {
      const auto& slice = *node.options_as_Slice();
      const auto& steps = *slice.steps();
      if (steps[1] != 1 || steps[2] != 1) return kUnknown;
      return window_view(x, {1, 1}, {1, 1}, {1, 1},
                         {-slice.starts()->Get(1), -slice.starts()->Get(2)});
    }
    case OperatorOptions::Resize:
      return resized(x, node, *node.options_as_Resize());
    case OperatorOptions::DepthToSpace: {
      const int block = node.options_as_DepthToSpace()->block();
      return transposed(x, {block, block}, {block, block}, {1, 1}, {0, 0});
    }
    case OperatorOptions::SpaceToDepth: {
      const int block = node.options_as_SpaceToDepth()->block();
      return window_view(x, {block, block}, {block, block}, {1, 1}, {0, 0});
    }
    default:
      return kUnknown;
  }
}

std::optional<PictureReach> Follower::follow(int input, int output) {
  view(input).knowledge = Knowledge::kSeen;
  for (const format::Operator* node : *root_.operators()) {
    const auto sees = [&](int id) { return id >= 0 && view(id).knowledge != Knowledge::kApart; };
    if (node->inputs() == nullptr ||
        std::none_of(node->inputs()->begin(), node->inputs()->end(), sees))
      continue;
    View result = through(*node);
    // Weights that are made of the picture.
    if (result.knowledge == Knowledge::kApart) result = kUnknown;
    for (int axis = 0; axis < kSpatialAxes && result.knowledge == Knowledge::kSeen; ++axis) {
      const double step = result.axes[axis].step;
      const double either = std::max(step, 1 / step);
      const bool whole = std::fabs(either - std::round(either)) < 1e-6 && either < 1 << 15;
      if (!whole) result = kUnknown;
      if (whole && step > 1)
        alignment_[axis] = std::lcm(alignment_[axis], static_cast<int>(std::lround(step)));
    }
    view(node->outputs()->Get(0)) = result;
  }
  const View& result = view(output);
  if (result.knowledge != Knowledge::kSeen) return std::nullopt;
  PictureReach reach;
  for (int axis = 0; axis < kSpatialAxes; ++axis) {
    const Sight& sight = result.axes[axis];
    constexpr double kRounding = 1e-6;
    constexpr double kMost = 1 << 20;
    Reach& one = axis == 0 ? reach.down : reach.across;
    // The last of the output's pixels in a pixel of the input stands 1 - step behind it.
    const double before = std::ceil(-sight.low - kRounding);
    const double after = std::ceil(sight.high + 1 - sight.step - kRounding);
    if (before > kMost || after > kMost || alignment_[axis] > kMost) return std::nullopt;
    one.before = static_cast<int>(std::max(before, 0.0));
    one.after = static_cast<int>(std::max(after, 0.0));
    one.alignment = alignment_[axis];
  }
  return reach;
}

}  // namespace

std::optional<PictureReach> reach_of(const Model& model, int input, int output) {
  const format::Model& root = model.root();
  const auto at = [](const auto& ports, int index) {
    return ports->Get(static_cast<flatbuffers::uoffset_t>(index))->tensor();
  };
  return Follower(root).follow(at(root.inputs(), input), at(root.outputs(), output));
}

}  // namespace figment::host
