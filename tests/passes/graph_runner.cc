// Runs graphs, and builds them in few words.
#include "tests/passes/graph_runner.h"

#include <cmath>
#include <limits>

#include "converter/emit/flatbuffer.h"
#include "converter/golden.h"

namespace figment::converter {
namespace {

// Copies between a tensor of ours and the source's order: axis i of the source is our
// source_axes[i].
template <typename Visit>
void visit_in_source_order(const Shape& shape, const std::uint8_t* source_axes, Visit visit) {
  std::int64_t strides[kMaxRank];
  std::int64_t stride = 1;
  for (int axis = shape.rank - 1; axis >= 0; --axis) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  std::int32_t index[kMaxRank] = {};
  for (std::int64_t element = 0; element < shape.elements(); ++element) {
    std::int64_t ours = 0;
    for (int axis = 0; axis < shape.rank; ++axis) ours += index[axis] * strides[source_axes[axis]];
    visit(element, ours);
    for (int axis = shape.rank - 1; axis >= 0; --axis) {
      if (++index[axis] < shape[source_axes[axis]]) break;
      index[axis] = 0;
    }
  }
}

}  // namespace

std::vector<float> some_floats(std::size_t count, int seed) {
  std::vector<float> values(count);
  std::uint32_t state = 0x9e3779b9u * static_cast<std::uint32_t>(seed + 1);
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(static_cast<std::int32_t>(state >> 8) % 20001 - 10000) / 10000.0f;
  }
  return values;
}

std::vector<float> run_graph(const Graph& graph, int batch, int seed) {
  const AlignedBytes file(emit(graph, ModelFacts{}));
  const Model model = open_model(file.span());
  Options options;
  options.backend = Backend::kPortable;
  options.batch = batch;
  const Result<std::size_t> bytes = Session::arena_bytes(model, options);
  if (!bytes.ok()) throw ConvertError(std::string(bytes.status().message()));
  const AlignedBytes arena(*bytes);
  Result<Session> session = Session::create(model, arena.span(), options);
  if (!session.ok()) throw ConvertError(std::string(session.status().message()));
  for (int i = 0; i < model.input_count(); ++i) {
    const Tensor input = session->input(i);
    const auto values = some_floats(static_cast<std::size_t>(input.elements()), seed + i);
    visit_in_source_order(input.shape, model.input(i).source_axes,
                          [&](std::int64_t from, std::int64_t to) {
                            input.floats()[to] = values[static_cast<std::size_t>(from)];
                          });
  }
  const Status status = session->run();
  if (!status.ok()) throw ConvertError(std::string(status.message()));
  std::vector<float> results;
  for (int i = 0; i < model.output_count(); ++i) {
    const Tensor output = session->output(i);
    visit_in_source_order(
        output.shape, model.output(i).source_axes,
        [&](std::int64_t, std::int64_t from) { results.push_back(output.floats()[from]); });
  }
  return results;
}

double difference(const Graph& before, const Graph& after) {
  double largest = 0;
  for (const int batch : {1, 3}) {
    if (batch > 1 && !before.any_batch) continue;
    if (before.any_batch != after.any_batch) return std::numeric_limits<double>::infinity();
    const std::vector<float> expected = run_graph(before, batch), found = run_graph(after, batch);
    if (expected.size() != found.size() || expected.empty())
      return std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double value = static_cast<double>(expected[i]);
      const double error =
          std::fabs(value - static_cast<double>(found[i])) / std::fmax(1.0, std::fabs(value));
      // A NaN is no small difference.
      if (!(error <= largest))
        largest = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
    }
  }
  return largest;
}

TensorId add_batch_input(Graph& graph, const std::string& name,
                         const std::vector<std::int64_t>& shape) {
  graph.any_batch = true;
  const TensorId id = graph.add_input(name, DataType::kFloat32, make_shape(shape));
  graph.tensor(id).batch_axis = 0;
  return id;
}

TensorId add_some(Graph& graph, const std::vector<std::int64_t>& shape, int seed) {
  const Shape extents = make_shape(shape);
  return graph.add_floats("constant" + std::to_string(seed), extents,
                          some_floats(static_cast<std::size_t>(extents.elements()), seed));
}

TensorId add_number(Graph& graph, float value) {
  return graph.add_floats("number", Shape{}, {value});
}

void add_output(Graph& graph, TensorId id) {
  graph.outputs.push_back({"output" + std::to_string(graph.outputs.size()), id, {}});
}

TensorId transpose(Graph& graph, TensorId x, const std::vector<std::int32_t>& permutation) {
  return graph.add_node("transpose", make_options(format::TransposeT{{}, permutation}), {x});
}

TensorId to_last(Graph& graph, TensorId x) { return transpose(graph, x, {0, 2, 3, 1}); }
TensorId from_last(Graph& graph, TensorId x) { return transpose(graph, x, {0, 3, 1, 2}); }

TensorId reshape(Graph& graph, TensorId x, const std::vector<std::int64_t>& shape) {
  return graph.add_node("reshape", make_options(format::ReshapeT{}), {x}, make_shape(shape));
}

TensorId unary(Graph& graph, TensorId x, format::UnaryFunction function, float alpha, float beta) {
  return graph.add_node("unary", make_options(format::UnaryT{{}, function, alpha, beta}), {x});
}

TensorId binary(Graph& graph, TensorId a, TensorId b, format::BinaryFunction function) {
  return graph.add_node("binary", make_options(format::BinaryT{{}, function}), {a, b});
}

TensorId dense(Graph& graph, TensorId x, int outputs, int seed) {
  const Shape shape = graph.tensor(x).shape;
  const TensorId weights = add_some(graph, {outputs, shape[shape.rank - 1]}, seed);
  const TensorId bias = add_some(graph, {outputs}, seed + 1);
  return graph.add_node("dense", make_options(format::DenseT{}), {x, weights, bias});
}

TensorId convolution(Graph& graph, TensorId x, int outputs, int seed) {
  const TensorId weights = add_some(graph, {outputs, 3, 3, graph.tensor(x).shape[3]}, seed);
  const TensorId bias = add_some(graph, {outputs}, seed + 1);
  format::Conv2DT options;
  options.pad_top = options.pad_bottom = options.pad_left = options.pad_right = 1;
  return graph.add_node("convolution", make_options(options), {x, weights, bias});
}

TensorId transposed_convolution(Graph& graph, TensorId x, int outputs, int groups, int seed) {
  const int inputs = graph.tensor(x).shape[3];
  const TensorId weights = add_some(graph, {groups, 2, 2, outputs / groups, inputs / groups}, seed);
  format::ConvTranspose2DT options;
  options.stride_height = options.stride_width = 2;
  options.groups = groups;
  return graph.add_node("transposed_convolution", make_options(options), {x, weights, kAbsent});
}

TensorId batch_normalization(Graph& graph, TensorId x, int seed) {
  const Shape shape = graph.tensor(x).shape;
  const std::int64_t channels = shape[shape.rank - 1];
  std::vector<float> variance = some_floats(static_cast<std::size_t>(channels), seed + 3);
  for (float& value : variance) value = value * value + 0.1f;
  const TensorId scale = add_some(graph, {channels}, seed),
                 bias = add_some(graph, {channels}, seed + 1);
  const TensorId mean = add_some(graph, {channels}, seed + 2);
  const TensorId spread = graph.add_floats("variance", make_shape({channels}), variance);
  return graph.add_node("batch_normalization", make_options(format::BatchNormalizationT{}),
                        {x, scale, bias, mean, spread});
}

}  // namespace figment::converter
