// Operators that cut tensors, put them together, pad them, and choose a branch.
#include <algorithm>
#include <limits>

#include "converter/import/onnx_families.h"
#include "converter/import/onnx_selection.h"

namespace figment::converter {

namespace {

void concat(OnnxNode& node) {
  if (!node.has("axis") && node.opset() >= 4)
    node.refuse("it lacks the attribute 'axis'; the file is damaged");
  // Shapes of no extents are put together with others; the runtime has no empty tensors.
  std::vector<TensorId> parts;
  for (int index = 0; index < node.input_count(); ++index)
    if (node.shape(node.input(index)).elements() > 0) parts.push_back(node.input(index));
  if (parts.empty()) return node.set_output(0, node.input(0));
  const int axis = node.checked_axis(node.integer("axis", 1), node.rank(parts[0]));
  node.set_output(0, node.concat(std::move(parts), axis));
}

// ---- Slice ----

// A slice of everything, to be narrowed axis by axis.
format::SliceT whole(const Shape& shape) {
  format::SliceT options;
  options.starts.assign(static_cast<std::size_t>(shape.rank), 0);
  options.sizes.assign(static_cast<std::size_t>(shape.rank), -1);
  options.steps.assign(static_cast<std::size_t>(shape.rank), 1);
  return options;
}

// Narrows `axis` to start, start+step, ... before end, as Python's slices do; its extent then.
std::int64_t narrow(format::SliceT& options, const Shape& shape, int axis, std::int64_t start,
                    std::int64_t end, std::int64_t step) {
  const std::int64_t extent = shape[axis];
  if (start < 0) start += extent;
  if (end < 0) end += extent;
  start = std::clamp<std::int64_t>(start, 0, step > 0 ? extent : extent - 1);
  end = std::clamp<std::int64_t>(end, step > 0 ? 0 : -1, extent);
  const std::int64_t size =
      step > 0 ? (end - start + step - 1) / step : (end - start + step + 1) / step;
  const auto at = static_cast<std::size_t>(axis);
  const std::int64_t all = step > 0 ? (extent - start + step - 1) / step : start / -step + 1;
  options.starts[at] = static_cast<std::int32_t>(start);
  // -1 rather than the number: the same options then serve every batch.
  options.sizes[at] = size == all ? -1 : static_cast<std::int32_t>(std::max<std::int64_t>(size, 0));
  options.steps[at] = static_cast<std::int32_t>(step);
  return std::max<std::int64_t>(size, 0);
}

bool is_whole(const format::SliceT& options) {
  return std::ranges::all_of(options.starts, [](int start) { return start == 0; }) &&
         std::ranges::all_of(options.sizes, [](int size) { return size == -1; }) &&
         std::ranges::all_of(options.steps, [](int step) { return step == 1; });
}

// Starts, ends, axes and steps are attributes before opset 10 and operands from there on.
void slice(OnnxNode& node) {
  const TensorId x = node.input(0);
  const Shape shape = node.shape(x);
  std::vector<std::int64_t> bounds[2], steps;
  std::optional<std::vector<std::int64_t>> axes;
  const char* const names[] = {"starts", "ends"};
  for (int index = 0; index < 2; ++index) {
    if (node.opset() >= 10) {
      bounds[index] = node.integers(node.input(index + 1), names[index]);
    } else {
      const auto list = node.integer_list(names[index]);
      if (!list)
        node.refuse(std::string("it lacks the attribute '") + names[index] +
                    "'; the file is damaged");
      bounds[index] = *list;
    }
  }
  if (node.opset() < 10) axes = node.integer_list("axes");
  if (node.opset() >= 10 && node.has_input(3)) axes = node.integers(node.input(3), "axes");
  steps.assign(bounds[0].size(), 1);
  if (node.opset() >= 10 && node.has_input(4)) steps = node.integers(node.input(4), "steps");
  if (bounds[1].size() != bounds[0].size() || steps.size() != bounds[0].size() ||
      (axes && axes->size() != bounds[0].size()))
    node.refuse("its starts, ends, axes and steps differ in number; the file is damaged");

  format::SliceT options = whole(shape);
  Shape result = shape;
  for (std::size_t index = 0; index < steps.size(); ++index) {
    const int axis =
        node.checked_axis(axes ? (*axes)[index] : static_cast<std::int64_t>(index), shape.rank);
    if (steps[index] == 0) node.refuse("it has a step of 0; the file is damaged");
    result[axis] = static_cast<std::int32_t>(
        narrow(options, shape, axis, bounds[0][index], bounds[1][index], steps[index]));
  }
  if (result.elements() == 0) {
    if (!node.constant(x))
      node.refuse("it would leave nothing of a tensor of shape " + describe(shape));
    OnnxArray empty;
    empty.type = node.type(x);
    empty.shape = result;
    return node.set_output(0, node.add_array(std::move(empty)));
  }
  node.set_output(0, is_whole(options) ? x : node.emit(std::move(options), {x}));
}

// The parts' extents: an attribute before opset 13 (in opset 1 also an operand), an operand from
// there on, else equal parts (the last one smaller).
std::vector<std::int64_t> split_sizes(const OnnxNode& node, std::int64_t extent) {
  if (node.opset() < 13) {
    if (auto list = node.integer_list("split")) return *list;
  }
  if ((node.opset() >= 13 || node.opset() < 2) && node.has_input(1))
    return node.integers(node.input(1), "split");
  const std::int64_t count = node.integer("num_outputs", node.output_count());
  if (count <= 0 || count != node.output_count())
    node.refuse("it says " + std::to_string(count) + " outputs, but has " +
                std::to_string(node.output_count()));
  if (node.opset() < 18 && extent % count != 0)
    node.refuse("an extent of " + std::to_string(extent) + " does not divide into " +
                std::to_string(count) + " parts");
  const std::int64_t part = (extent + count - 1) / count;
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(count), part);
  sizes.back() = extent - part * (count - 1);
  return sizes;
}

}  // namespace

TensorId take_part(OnnxNode& node, TensorId x, int axis, std::int64_t start, std::int64_t end) {
  const Shape shape = node.shape(x);
  format::SliceT options = whole(shape);
  narrow(options, shape, axis, start, end, 1);
  return is_whole(options) ? x : node.emit(std::move(options), {x});
}

namespace {

void split(OnnxNode& node) {
  const TensorId x = node.input(0);
  const Shape shape = node.shape(x);
  const int axis = node.checked_axis(node.integer("axis", 0), shape.rank);
  const std::vector<std::int64_t> sizes = split_sizes(node, shape[axis]);
  if (sizes.size() != static_cast<std::size_t>(node.output_count()))
    node.refuse("it has " + std::to_string(node.output_count()) + " outputs, but " +
                std::to_string(sizes.size()) + " parts");
  std::int64_t start = 0;
  for (std::size_t index = 0; index < sizes.size(); ++index) {
    const std::int64_t end = start + sizes[index];
    if (sizes[index] <= 0 || end > shape[axis])
      node.refuse("its parts do not fit an extent of " + std::to_string(shape[axis]) +
                  " without empty ones");
    if (node.output_used(static_cast<int>(index)))
      node.set_output(static_cast<int>(index), take_part(node, x, axis, start, end));
    start = end;
  }
  if (start != shape[axis])
    node.refuse("its parts make " + std::to_string(start) + ", but the extent is " +
                std::to_string(shape[axis]));
}

// ---- If ----

// A condition that is known when the model is converted leaves one of the branches.
void branch(OnnxNode& node) {
  const TensorId condition = node.input(0);
  if (!node.constant(condition) || node.type(condition) != DataType::kInt32 ||
      node.shape(condition).elements() != 1)
    node.refuse(
        "its condition depends on the model's data; export the branch that is wanted alone");
  const onnx::GraphProto& then_branch = node.branch("then_branch");
  const onnx::GraphProto& else_branch = node.branch("else_branch");
  const std::vector<TensorId> outputs =
      node.import_branch(node.known(condition).integers()[0] != 0 ? then_branch : else_branch);
  if (outputs.size() != static_cast<std::size_t>(node.output_count()))
    node.refuse("its branch has another number of outputs; the file is damaged");
  for (std::size_t index = 0; index < outputs.size(); ++index)
    node.set_output(static_cast<int>(index), outputs[index]);
}

// ---- Pad ----

// Pads are an attribute before opset 11 and an operand from there on; for all axes, or for those of
// operand 3.
std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>> read_pads(const OnnxNode& node,
                                                                          int rank) {
  std::vector<std::int64_t> pads;
  std::vector<int> axes;
  if (node.opset() < 11) {
    const std::string name = node.opset() < 2 ? "paddings" : "pads";
    const auto list = node.integer_list(name);
    if (!list) node.refuse("it lacks the attribute '" + name + "'; the file is damaged");
    pads = *list;
  } else {
    pads = node.integers(node.input(1), "padding");
  }
  if (node.opset() >= 18 && node.has_input(3)) {
    for (const std::int64_t axis : node.integers(node.input(3), "axes"))
      axes.push_back(node.checked_axis(axis, rank));
  } else {
    for (int axis = 0; axis < rank; ++axis) axes.push_back(axis);
  }
  if (pads.size() != 2 * axes.size())
    node.refuse("it has " + std::to_string(pads.size()) + " pads for " +
                std::to_string(axes.size()) + " axes");
  std::vector<std::int64_t> before(static_cast<std::size_t>(rank), 0), after = before;
  for (std::size_t index = 0; index < axes.size(); ++index) {
    before[static_cast<std::size_t>(axes[index])] = pads[index];
    after[static_cast<std::size_t>(axes[index])] = pads[index + axes.size()];
  }
  return {before, after};
}

void pad(OnnxNode& node) {
  TensorId x = node.input(0);
  const Shape shape = node.shape(x);
  const std::string mode = node.text("mode", "constant");
  format::PadT options;
  if (mode == "reflect") {
    options.mode = format::PadMode::Reflect;
  } else if (mode == "edge") {
    options.mode = format::PadMode::Edge;
  } else if (mode != "constant") {
    node.refuse("its mode '" + mode + "' is not supported; use constant, reflect or edge");
  }
  if (node.opset() < 11) options.value = node.number_attribute("value", 0);
  if (node.opset() >= 11 && node.has_input(2)) options.value = node.number(node.input(2), "value");
  const auto [before, after] = read_pads(node, shape.rank);

  // Negative padding crops.
  format::SliceT crop = whole(shape);
  bool padded = false;
  for (int axis = 0; axis < shape.rank; ++axis) {
    const std::int64_t first = before[static_cast<std::size_t>(axis)],
                       last = after[static_cast<std::size_t>(axis)];
    if (first < 0 || last < 0) {
      const std::int64_t start = std::max<std::int64_t>(-first, 0);
      const std::int64_t end = shape[axis] - std::max<std::int64_t>(-last, 0);
      if (start >= end)
        node.refuse("it would leave nothing of a tensor of shape " + describe(shape));
      narrow(crop, shape, axis, start, end, 1);
    }
    options.before.push_back(node.checked_int(std::max<std::int64_t>(first, 0), "padding"));
    options.after.push_back(node.checked_int(std::max<std::int64_t>(last, 0), "padding"));
    padded = padded || first > 0 || last > 0;
  }
  if (!is_whole(crop)) x = node.emit(std::move(crop), {x});
  node.set_output(0, padded ? node.emit(std::move(options), {x}) : x);
}

constexpr OnnxOperator kRows[] = {
    {"Concat", concat}, {"If", branch}, {"Pad", pad}, {"Slice", slice}, {"Split", split},
};

}  // namespace

const std::span<const OnnxOperator> kOnnxSelection = kRows;

}  // namespace figment::converter
