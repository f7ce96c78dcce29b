// Operators that cut tensors, put them together, pad them, and look numbers up.
#include <algorithm>

#include "converter/import/tflite/families.h"

namespace figment::converter {
namespace {

// A slice of everything, to be narrowed axis by axis.
struct Cut {
  Shape shape;  // that remains
  format::SliceT options;

  explicit Cut(const Shape& whole) : shape(whole) {
    const auto rank = static_cast<std::size_t>(whole.rank);
    options.starts.assign(rank, 0);
    options.sizes.assign(rank, -1);
    options.steps.assign(rank, 1);
  }

  // To start, start + step, ...: `size` of them. All that there are is -1, which serves every
  // batch.
  void narrow(int axis, std::int64_t start, std::int64_t size, std::int64_t step) {
    const auto at = static_cast<std::size_t>(axis);
    const std::int64_t all = size == 0  ? 0
                             : step > 0 ? (shape[axis] - start + step - 1) / step
                                        : start / -step + 1;
    options.starts[at] = static_cast<std::int32_t>(start);
    options.sizes[at] = size == all ? -1 : static_cast<std::int32_t>(size);
    options.steps[at] = static_cast<std::int32_t>(step);
    shape[axis] = static_cast<std::int32_t>(size);
  }

  bool is_whole() const {
    return std::ranges::all_of(options.starts, [](int start) { return start == 0; }) &&
           std::ranges::all_of(options.sizes, [](int size) { return size == -1; }) &&
           std::ranges::all_of(options.steps, [](int step) { return step == 1; });
  }
};

TensorId take(TfliteNode& node, TensorId x, const Cut& cut) {
  if (cut.shape.elements() == 0) {
    if (!node.constant(x))
      node.refuse("it would leave nothing of a tensor of shape " + describe(node.shape(x)));
    return node.graph().add_constant(node.label(), node.type(x), cut.shape, {});
  }
  return cut.is_whole() ? x : node.emit(format::SliceT(cut.options), {x});
}

// ---- Slices ----

// x, begin, size: -1 is what there is from begin on
void slice(TfliteNode& node) {
  const TensorId x = node.input(0);
  const std::vector<std::int64_t> begin = node.integers(1, "begin");
  const std::vector<std::int64_t> size = node.integers(2, "size");
  const auto rank = static_cast<std::size_t>(node.rank(x));
  if (begin.size() != rank || size.size() != rank)
    node.refuse("its begin and size have another number of axes than " + describe(node.shape(x)));
  Cut cut(node.shape(x));
  for (int axis = 0; axis < node.rank(x); ++axis) {
    const std::int64_t extent = cut.shape[axis];
    const std::int64_t from = begin[static_cast<std::size_t>(axis)];
    const std::int64_t asked = size[static_cast<std::size_t>(axis)];
    const std::int64_t count = asked == -1 ? extent - from : asked;
    if (from < 0 || from > extent || count < 0 || count > extent - from)
      node.refuse("it cuts " + std::to_string(asked) + " from " + std::to_string(from) +
                  " on out of an axis of " + std::to_string(extent));
    cut.narrow(axis, from, count, 1);
  }
  node.set_output(0, take(node, x, cut));
}

// One entry of a strided slice: begin, end and stride as Python's.
struct Stride {
  std::int64_t begin, end, step;
  bool from_start, to_end, one;  // masks

  void narrow(const TfliteNode& node, Cut& cut, int axis) const {
    const std::int64_t extent = cut.shape[axis];
    if (one) {
      const std::int64_t at = begin < 0 ? begin + extent : begin;
      if (at < 0 || at >= extent)
        node.refuse("its index " + std::to_string(begin) + " is outside an axis of " +
                    std::to_string(extent));
      return cut.narrow(axis, at, 1, 1);
    }
    const std::int64_t least = step > 0 ? 0 : -1, most = step > 0 ? extent : extent - 1;
    const auto bound = [&](std::int64_t at) {
      return std::clamp(at < 0 ? at + extent : at, least, most);
    };
    const std::int64_t first = from_start ? (step > 0 ? 0 : extent - 1) : bound(begin);
    const std::int64_t last = to_end ? (step > 0 ? extent : -1) : bound(end);
    const std::int64_t size =
        step > 0 ? (last - first + step - 1) / step : (last - first + step + 1) / step;
    cut.narrow(axis, first, std::max<std::int64_t>(size, 0), step);
  }
};

// x, begin, end, strides, with masks: an entry takes part of an axis, one position of it (and
// drops the axis), all axes between (ellipsis), or makes an axis of 1.
void strided_slice(TfliteNode& node) {
  const TensorId x = node.input(0);
  const auto& options = node.options<tflite::StridedSliceOptions>();
  const std::vector<std::int64_t> begin = node.integers(1, "begin");
  const std::vector<std::int64_t> end = node.integers(2, "end");
  const std::vector<std::int64_t> step = node.integers(3, "strides");
  if (begin.size() != end.size() || begin.size() != step.size() || begin.size() > 2 * kMaxRank)
    node.refuse("its begin, end and strides differ in number; the file is damaged");
  const auto has = [](std::int32_t mask, std::size_t entry) {
    return ((static_cast<std::uint32_t>(mask) >> entry) & 1U) != 0;
  };
  int taken = 0;  // axes that entries name
  for (std::size_t entry = 0; entry < begin.size(); ++entry)
    if (!has(options.ellipsis_mask(), entry) && !has(options.new_axis_mask(), entry)) ++taken;
  if (taken > node.rank(x))
    node.refuse("it has more entries than " + describe(node.shape(x)) + " has axes");
  Cut cut(node.shape(x));
  std::vector<std::int64_t> to;
  int axis = 0;
  for (std::size_t entry = 0; entry < begin.size(); ++entry) {
    if (has(options.ellipsis_mask(), entry)) {
      for (int skipped = node.rank(x) - taken; skipped > 0; --skipped)
        to.push_back(cut.shape[axis++]);
      taken = node.rank(x);  // a second ellipsis is nothing
      continue;
    }
    if (has(options.new_axis_mask(), entry)) {
      to.push_back(1);
      continue;
    }
    const bool one = has(options.shrink_axis_mask(), entry);
    const std::int64_t stride = one ? 1 : step[entry];
    if (stride == 0) node.refuse("it has a stride of 0; the file is damaged");
    Stride{begin[entry],
           options.offset() ? begin[entry] + end[entry] : end[entry],
           stride,
           has(options.begin_mask(), entry) && !one,
           has(options.end_mask(), entry),
           one}
        .narrow(node, cut, axis);
    if (!one) to.push_back(cut.shape[axis]);
    ++axis;
  }
  for (; axis < node.rank(x); ++axis) to.push_back(cut.shape[axis]);
  node.set_output(0, node.reshape_to(take(node, x, cut), to));
}

// ---- Parts ----

// Consecutive parts of x along `axis`, one an output.
void give_parts(TfliteNode& node, TensorId x, int axis, const std::vector<std::int64_t>& sizes) {
  if (sizes.size() != static_cast<std::size_t>(node.output_count()))
    node.refuse("it has " + std::to_string(node.output_count()) + " outputs for " +
                std::to_string(sizes.size()) + " parts; the file is damaged");
  std::int64_t start = 0;
  for (std::size_t part = 0; part < sizes.size(); ++part) {
    if (sizes[part] < 0 || sizes[part] > node.shape(x)[axis] - start)
      node.refuse("its parts do not fit an axis of " + std::to_string(node.shape(x)[axis]));
    Cut cut(node.shape(x));
    cut.narrow(axis, start, sizes[part], 1);
    node.set_output(static_cast<int>(part), take(node, x, cut));
    start += sizes[part];
  }
}

// axis, x
void split(TfliteNode& node) {
  const TensorId x = node.input(1);
  const int axis = node.checked_axis(node.integer_operand(0, "axis"), node.rank(x));
  const int parts = std::max(node.output_count(), 1);
  if (node.shape(x)[axis] % parts != 0)
    node.refuse("an axis of " + std::to_string(node.shape(x)[axis]) + " does not split into " +
                std::to_string(parts));
  give_parts(
      node, x, axis,
      std::vector<std::int64_t>(static_cast<std::size_t>(parts), node.shape(x)[axis] / parts));
}

// x, sizes, axis
void split_sizes(TfliteNode& node) {
  const TensorId x = node.input(0);
  const int axis = node.checked_axis(node.integer_operand(2, "axis"), node.rank(x));
  std::vector<std::int64_t> sizes = node.integers(1, "sizes");
  std::int64_t known = 0;
  for (const std::int64_t size : sizes) known += std::max<std::int64_t>(size, 0);
  for (std::int64_t& size : sizes)  // -1: the rest
    if (size == -1) size = std::max<std::int64_t>(node.shape(x)[axis] - known, 0);
  give_parts(node, x, axis, sizes);
}

void unpack(TfliteNode& node) {
  const TensorId x = node.input(0);
  const int axis = node.checked_axis(node.options<tflite::UnpackOptions>().axis(), node.rank(x));
  if (node.shape(x)[axis] != node.output_count())
    node.refuse("it has " + std::to_string(node.output_count()) + " outputs for an axis of " +
                std::to_string(node.shape(x)[axis]) + "; the file is damaged");
  for (int part = 0; part < node.output_count(); ++part) {
    Cut cut(node.shape(x));
    cut.narrow(axis, part, 1, 1);
    std::vector<std::int64_t> to;
    for (int other = 0; other < cut.shape.rank; ++other)
      if (other != axis) to.push_back(cut.shape[other]);
    node.set_output(part, node.reshape_to(take(node, x, cut), to));
  }
}

void concatenate(TfliteNode& node) {
  const auto& options = node.options<tflite::ConcatenationOptions>();
  std::vector<TensorId> parts;  // without those of no numbers
  for (int index = 0; index < node.input_count(); ++index)
    if (node.shape(node.input(index)).elements() > 0) parts.push_back(node.input(index));
  if (parts.empty()) return node.set_output(0, node.input(0));
  const int axis = node.checked_axis(options.axis(), node.rank(parts[0]));
  const TensorId y = node.concat(std::move(parts), axis);
  if (options.fused_activation_function() != tflite::ActivationFunctionType::NONE &&
      node.gives_int8())
    node.refuse("it puts int8 together with a fused activation, which is not supported");
  node.set_output(0, node.activate(y, options.fused_activation_function()));
}

// ---- Padding ----

// x, paddings [rank, 2]
format::PadT read_padding(TfliteNode& node, TensorId x) {
  const std::vector<std::int64_t> pads = node.integers(1, "paddings");
  if (pads.size() != 2 * static_cast<std::size_t>(node.rank(x)))
    node.refuse("its paddings do not fit " + describe(node.shape(x)) + "; the file is damaged");
  format::PadT options;
  for (std::size_t at = 0; at < pads.size(); at += 2) {
    options.before.push_back(node.checked_int(pads[at], "padding"));
    options.after.push_back(node.checked_int(pads[at + 1], "padding"));
  }
  return options;
}

// x, paddings, and for PADV2 the number to pad with
void pad(TfliteNode& node) {
  const TensorId x = node.input(0);
  format::PadT options = read_padding(node, x);
  if (node.type(x) == DataType::kInt8)
    options.value = static_cast<float>(node.output_range().zero_point);
  if (node.has_input(2)) {
    const TensorId value = node.input(2);
    if (!node.constant(value) || node.shape(value).elements() != 1 ||
        node.type(value) != node.type(x))
      node.refuse("the number that it pads with must be a constant of its input's type");
    const GraphTensor& number = node.known(value);
    options.value = node.type(x) == DataType::kInt8
                        ? static_cast<float>(static_cast<std::int8_t>((*number.data)[0]))
                    : node.type(x) == DataType::kInt32 ? static_cast<float>(number.integers()[0])
                                                       : number.floats()[0];
  }
  node.set_output(0, node.emit(std::move(options), {x}));
}

// `count` numbers of an axis backwards, from `start` on.
TensorId backwards(TfliteNode& node, TensorId x, int axis, int start, int count) {
  Cut cut(node.shape(x));
  cut.narrow(axis, start, count, -1);
  return take(node, x, cut);
}

// Mirrored without the edge (REFLECT) or with it (SYMMETRIC).
void mirror_pad(TfliteNode& node) {
  TensorId x = node.input(0);
  format::PadT options = read_padding(node, x);
  const tflite::MirrorPadMode mode = node.options<tflite::MirrorPadOptions>().mode();
  if (mode == tflite::MirrorPadMode::REFLECT) {
    options.mode = format::PadMode::Reflect;
    return node.set_output(0, node.emit(std::move(options), {x}));
  }
  if (mode != tflite::MirrorPadMode::SYMMETRIC)
    node.refuse("its mode " + std::to_string(static_cast<int>(mode)) +
                " is unknown; the file is damaged");
  for (int axis = 0; axis < node.rank(x); ++axis) {
    const int extent = node.shape(x)[axis];
    const int before = options.before[static_cast<std::size_t>(axis)];
    const int after = options.after[static_cast<std::size_t>(axis)];
    if (before > extent || after > extent)
      node.refuse("it mirrors more than the " + std::to_string(extent) + " numbers of an axis");
    std::vector<TensorId> parts;
    if (before > 0) parts.push_back(backwards(node, x, axis, before - 1, before));
    parts.push_back(x);
    if (after > 0) parts.push_back(backwards(node, x, axis, extent - 1, after));
    x = node.concat(std::move(parts), axis);
  }
  node.set_output(0, x);
}

// ---- Look-ups ----

TensorId look_up(TfliteNode& node, TensorId data, TensorId indices, std::int64_t axis) {
  if (node.type(indices) != DataType::kInt32)
    node.refuse("its indices must be whole numbers; the file is damaged");
  format::GatherT options;
  options.axis = node.checked_axis(axis, node.rank(data));
  return node.emit(options, {data, indices});
}

// data, indices
void gather(TfliteNode& node) {
  const auto* options = node.options_or_null<tflite::GatherOptions>();
  if (options != nullptr && options->batch_dims() != 0)
    node.refuse("its batch_dims are not supported; export it with batch_dims=0");
  const std::int64_t axis = options == nullptr ? 0 : options->axis();
  node.set_output(0, look_up(node, node.input(0), node.input(1), axis));
}

// ids, table
void embedding_lookup(TfliteNode& node) {
  node.set_output(0, look_up(node, node.input(1), node.input(0), 0));
}

constexpr TfliteForm kMoves = TfliteForm::kMoves;
constexpr TfliteOperator kRows[] = {
    {"CONCATENATION", concatenate, kMoves},
    {"EMBEDDING_LOOKUP", embedding_lookup, kMoves},
    {"GATHER", gather, kMoves},
    {"MIRROR_PAD", mirror_pad, kMoves},
    {"PAD", pad, kMoves},
    {"PADV2", pad, kMoves},
    {"SLICE", slice, kMoves},
    {"SPLIT", split, kMoves},
    {"SPLIT_V", split_sizes, kMoves},
    {"STRIDED_SLICE", strided_slice, kMoves},
    {"UNPACK", unpack, kMoves},
};

}  // namespace

const std::span<const TfliteOperator> kTfliteSelection = kRows;

}  // namespace figment::converter
