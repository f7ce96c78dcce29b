// Values out of nothing: constants, shapes, ranges, noise.
#include <bit>
#include <cmath>
#include <limits>

#include "converter/import/onnx_families.h"

namespace figment::converter {
namespace {

void constant(OnnxNode& node) {
  if (const auto array = node.constant_array("value")) return node.set_output(0, *array);
  if (node.has("value_float"))
    return node.set_output(0, node.scalar(node.number_attribute("value_float", 0)));
  if (node.has("value_int"))
    return node.set_output(0, node.integer_constant({node.integer("value_int", 0)}, Shape{}));
  if (const auto list = node.number_list("value_floats"))
    return node.set_output(
        0, node.float_constant(*list, make_shape({static_cast<std::int64_t>(list->size())})));
  if (const auto list = node.integer_list("value_ints"))
    return node.set_output(
        0, node.integer_constant(*list, make_shape({static_cast<std::int64_t>(list->size())})));
  node.refuse("it holds no numbers (texts and sparse arrays are not supported)");
}

void constant_of_shape(OnnxNode& node) {
  const Shape shape = make_shape(node.integers(node.input(0), "shape"));
  node.check_late(static_cast<double>(shape.elements()));
  OnnxArray value;
  value.source_type = onnx::TensorProto::FLOAT;
  value.bytes.resize(sizeof(float));
  value.shape = make_shape({1});
  value = node.array("value").value_or(std::move(value));
  if (value.shape.elements() != 1) node.refuse("its value must be one number; the file is damaged");
  const auto count = static_cast<std::size_t>(shape.elements());
  const TensorId id =
      node.graph().add_late(node.label(), value.type, shape, [count, bytes = value.bytes] {
        std::vector<std::byte> result;
        result.reserve(count * bytes.size());
        for (std::size_t index = 0; index < count; ++index)
          result.insert(result.end(), bytes.begin(), bytes.end());
        return result;
      });
  node.note_source_type(id, value.source_type);
  node.set_output(0, id);
}

void shape_of(OnnxNode& node) {
  const Shape shape = node.shape(node.input(0));
  const auto bound = [&](std::int64_t axis) -> std::int64_t {
    if (axis < 0) axis += shape.rank;
    return axis < 0 ? 0 : axis > shape.rank ? shape.rank : axis;
  };
  const std::int64_t start = bound(node.integer("start", 0));
  const std::int64_t end = bound(node.integer("end", shape.rank));
  std::vector<std::int64_t> extents;
  for (std::int64_t axis = start; axis < end; ++axis)
    extents.push_back(shape[static_cast<int>(axis)]);
  node.set_output(
      0, node.integer_constant(extents, make_shape({static_cast<std::int64_t>(extents.size())})));
}

void size_of(OnnxNode& node) {
  node.set_output(0, node.integer_constant({node.shape(node.input(0)).elements()}, Shape{}));
}

void range(OnnxNode& node) {
  const bool integers = node.type(node.input(0)) == DataType::kInt32;
  double bounds[3] = {};
  const char* const names[] = {"start", "limit", "step"};
  for (int index = 0; index < 3; ++index)
    bounds[index] = integers
                        ? static_cast<double>(node.integer_operand(node.input(index), names[index]))
                        : static_cast<double>(node.number(node.input(index), names[index]));
  const auto [start, limit, step] = bounds;
  const double steps = step != 0 ? std::ceil((limit - start) / step) : -1;
  if (!(step != 0) || !(steps < 1e9))
    node.refuse("it counts from " + std::to_string(start) + " to " + std::to_string(limit) +
                " in steps of " + std::to_string(step) + ", which is no sensible range");
  const std::int64_t count = steps > 0 ? static_cast<std::int64_t>(steps) : 0;
  node.check_made(static_cast<double>(count));
  std::vector<std::int64_t> whole;
  std::vector<float> broken;
  for (std::int64_t index = 0; index < count; ++index) {
    const double value = start + static_cast<double>(index) * step;
    if (integers) whole.push_back(static_cast<std::int64_t>(value));
    if (!integers) broken.push_back(static_cast<float>(value));
  }
  node.set_output(0, integers ? node.integer_constant(whole, make_shape({count}))
                              : node.float_constant(broken, make_shape({count})));
}

// ---- Noise ----

// Noise of `shape`: an operator with a seed, or an input of N(0,1) that the user fills.
void noise(OnnxNode& node, const Shape& shape) {
  const float mean = node.number_attribute("mean", 0);
  const float scale = node.number_attribute("scale", 1);
  node.ignore("dtype");
  // Without a seed in the source, every node draws its own numbers.
  const float seed = node.number_attribute("seed", 0);
  if (node.noise() == NoiseHandling::kInput) {
    TensorId input = node.graph().add_input(node.output_name(0), DataType::kFloat32, shape);
    if (scale != 1) input = node.binary(format::BinaryFunction::Mul, input, node.scalar(scale));
    if (mean != 0) input = node.binary(format::BinaryFunction::Add, input, node.scalar(mean));
    node.set_output(0, input);
    return;
  }
  format::RandomNormalT options;
  options.mean = mean;
  options.scale = scale;
  options.seed = node.has("seed") ? std::bit_cast<std::uint32_t>(seed)
                                  : static_cast<std::uint32_t>(node.position() + 1);
  node.set_output(0, node.emit(options, {}, shape));
}

void random_normal(OnnxNode& node) {
  const auto shape = node.integer_list("shape");
  if (!shape) node.refuse("it lacks the attribute 'shape'; the file is damaged");
  noise(node, make_shape(*shape));
}

void random_normal_like(OnnxNode& node) { noise(node, node.shape(node.input(0))); }

void refuse_random(OnnxNode& node) {
  node.refuse(
      "of the random operators only RandomNormal and RandomNormalLike are supported; make it an "
      "input");
}

constexpr OnnxOperator kRows[] = {
    {"Bernoulli", refuse_random},
    {"Constant", constant},
    {"ConstantOfShape", constant_of_shape},
    {"Multinomial", refuse_random},
    {"RandomNormal", random_normal},
    {"RandomNormalLike", random_normal_like},
    {"RandomUniform", refuse_random},
    {"RandomUniformLike", refuse_random},
    {"Range", range},
    {"Shape", shape_of},
    {"Size", size_of},
};

}  // namespace

const std::span<const OnnxOperator> kOnnxConstants = kRows;

}  // namespace figment::converter
