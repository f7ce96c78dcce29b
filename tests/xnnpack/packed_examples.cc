// Builds the graphs and writes them with the converter's own means.
#include "tests/xnnpack/packed_examples.h"

#include <cstring>
#include <random>

#include "converter/emit/flatbuffer.h"
#include "runtime/math/half.h"
#include "runtime/simd/kernels.h"

namespace figment::testing {
namespace {

using namespace converter;

std::vector<float> random_values(std::int64_t count, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(generator() >> 8) / 8388608.0F - 1.0F;
  return values;
}

TensorId add_weights(Graph& graph, DataType type, const std::vector<std::int64_t>& extents,
                     std::int64_t channels) {
  const Shape shape = make_shape(extents);
  const std::vector<float> values = random_values(shape.elements(), 7);
  if (type == DataType::kFloat32) return graph.add_floats("weights", shape, values);
  std::vector<std::byte> bytes;
  for (const float value : values)
    if (type == DataType::kFloat16) {
      const std::uint16_t half = math::narrow_to_half(value);
      bytes.push_back(static_cast<std::byte>(half & 255));
      bytes.push_back(static_cast<std::byte>(half >> 8));
    } else {
      bytes.push_back(static_cast<std::byte>(static_cast<std::int8_t>(value * 127)));
    }
  const TensorId weights = graph.add_constant("weights", type, shape, std::move(bytes));
  if (type == DataType::kInt8)
    for (const float value : random_values(channels, 8))
      graph.tensor(weights).scales.push_back(0.01F + value / 200);
  return weights;
}

// A graph of one node over `x` and constants, whose batch may be any.
class Layer {
 public:
  Layer(const std::vector<std::int64_t>& x, int batch_axis) {
    graph_.name = "one layer";
    graph_.any_batch = true;
    operands_.push_back(graph_.add_input("x", DataType::kFloat32, make_shape(x)));
    graph_.tensor(operands_[0]).batch_axis = batch_axis;
  }

  Layer& weights(DataType type, const std::vector<std::int64_t>& extents,
                 std::int64_t channels = 0) {
    example_.weights.push_back(static_cast<int>(operands_.size()));
    operands_.push_back(add_weights(graph_, type, extents, channels));
    return *this;
  }
  Layer& bias(const std::vector<std::int64_t>& extents) {
    const Shape shape = make_shape(extents);
    operands_.push_back(graph_.add_floats("bias", shape, random_values(shape.elements(), 9)));
    return *this;
  }

  template <typename Options>
  Example finish(const std::string& name, const std::string& lowering, Options options) {
    const TensorId y =
        graph_.add_node("layer", make_options(std::move(options)), std::move(operands_));
    const Shape two = infer(graph_, graph_.nodes.back(), 2).shape;
    for (int axis = 0; axis < two.rank; ++axis)
      if (two[axis] != graph_.tensor(y).shape[axis]) graph_.tensor(y).batch_axis = axis;
    graph_.outputs.push_back({"y", y, {}});
    example_.name = name;
    example_.lowering = lowering;
    example_.file = emit(graph_, {});
    return std::move(example_);
  }

 private:
  Graph graph_;
  std::vector<TensorId> operands_;
  Example example_;
};

// 4x4, stride 2: 5x5x19 to 10x10x21.
Example conv_transpose_example(DataType type, const std::string& lowering) {
  format::ConvTranspose2DT options;
  options.stride_height = options.stride_width = 2;
  options.pad_top = options.pad_bottom = options.pad_left = options.pad_right = 1;
  Example example = Layer({1, 5, 5, 19}, 0)
                        .weights(type, {1, 4, 4, 21, 19}, 21)
                        .bias({21})
                        .finish("ConvTranspose2D", lowering, options);
  example.packs = lowering != "xnnpack";  // XNNPACK's own looks nothing up
  return example;
}

// One pixel to 4x4.
Example one_pixel_example(DataType type) {
  return Layer({1, 1, 1, 19}, 0)
      .weights(type, {1, 4, 4, 21, 19}, 21)
      .bias({21})
      .finish("ConvTranspose2D of one pixel", "gemm", format::ConvTranspose2DT{});
}

Example grouped_example(DataType type, int groups, int channels) {
  format::Conv2DT options;
  options.groups = groups;
  options.pad_top = options.pad_bottom = options.pad_left = options.pad_right = 1;
  Example example = Layer({1, 6, 5, channels}, 0)
                        .weights(type, {channels, 3, 3, channels / groups}, channels)
                        .bias({channels})
                        .finish("Conv2D in groups", "xnnpack", options);
  example.packs = false;
  return example;
}

// Of 4 positions; `type` is that of the weights.
Example recurrent_example(DataType type, format::RecurrentCell cell) {
  format::RecurrentT options;
  options.cell = cell;
  options.direction = format::RecurrentDirection::Bidirectional;
  const int rows = cell == format::RecurrentCell::Gru ? 3 * 13 : 4 * 13;
  return Layer({4, 1, 11}, 1)
      .weights(type, {2, rows, 11})
      .weights(type, {2, rows, 13})
      .bias({2, 2 * rows})
      .finish("Recurrent", "gemm", std::move(options));
}

}  // namespace

Example dense_example(DataType type, int outputs, int inputs) {
  return Layer({1, inputs}, 0)
      .weights(type, {outputs, inputs}, outputs)
      .bias({outputs})
      .finish("Dense", "gemm", format::DenseT{});
}

Example conv2d_example(DataType type, const std::string& lowering) {
  format::Conv2DT options;
  options.pad_top = options.pad_bottom = options.pad_left = options.pad_right = 1;
  return Layer({1, 9, 7, 19}, 0)
      .weights(type, {37, 3, 3, 19}, 37)
      .bias({37})
      .finish("Conv2D", lowering, options);
}

std::vector<Example> packed_examples() {
  std::vector<Example> examples;
  for (const DataType type : {DataType::kFloat32, DataType::kFloat16, DataType::kInt8}) {
    if (type == DataType::kInt8 && simd::kernels().multiply_int8 == nullptr) continue;
    examples.push_back(dense_example(type, 45, 37));
    examples.push_back(one_pixel_example(type));
    for (const char* lowering : {"xnnpack", "gemm + col2im", "winograd 4x4", "winograd 6x6"}) {
      examples.push_back(conv2d_example(type, lowering));
      examples.push_back(conv_transpose_example(type, lowering));
    }
    examples.push_back(grouped_example(type, 12, 12));
    examples.push_back(grouped_example(type, 2, 12));
    if (type == DataType::kInt8) {
      examples.push_back(conv2d_example(type, "im2col + gemm"));
      if (simd::kernels().multiply_centered != nullptr)
        for (const char* lowering : {"winograd 4x4 int8", "winograd 6x6 int8"}) {
          examples.push_back(conv2d_example(type, lowering));
          examples.push_back(conv_transpose_example(type, lowering));
        }
      if (simd::kernels().multiply_taps_int8 != nullptr)
        examples.push_back(conv_transpose_example(type, "gemm by phases"));
      continue;
    }
    examples.push_back(recurrent_example(type, format::RecurrentCell::Lstm));
    examples.push_back(recurrent_example(type, format::RecurrentCell::Gru));
  }
  return examples;
}

}  // namespace figment::testing
