// Runs a float32 model over a calibration set and counts its numbers.
#include "converter/calibrate.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "converter/golden.h"

namespace figment::converter {
namespace {

// Eight a step of an int8 number.
constexpr std::size_t kBins = 2048;
// Apart from those by which accuracy is measured, so that no latent is seen twice.
constexpr std::uint64_t kFirstSeed = 1'000'000;

// The same graph with every float32 tensor that is computed as an output: they all live to the end
// of a run. `shown`: the tensor of each output.
Graph show_all(const Graph& graph, std::vector<TensorId>& shown) {
  Graph all = graph;
  all.outputs.clear();
  for (const Node& node : graph.nodes) {
    if (graph.tensor(node.output).type != DataType::kFloat32) continue;
    shown.push_back(node.output);
    all.outputs.push_back({std::to_string(node.output), node.output, {}});
  }
  if (shown.empty()) throw BadCalibration("the model computes no float32 numbers to calibrate");
  return all;
}

// How many values of the calibration set one run takes; checks the set against the model's input.
std::int64_t values_per_run(const Graph& graph, const Calibration& set) {
  if (graph.inputs.size() != 1)
    throw BadCalibration("the model has " + std::to_string(graph.inputs.size()) +
                         " inputs, but calibration data is for one; give --calibrate a number of "
                         "latents instead");
  const GraphPort& port = graph.inputs[0];
  const GraphTensor& input = graph.tensor(port.tensor);
  if (input.type != DataType::kFloat32)
    throw BadCalibration("input '" + port.name + "' takes no float32 numbers to calibrate with");
  std::string takes;
  bool fits =
      set.shape.size() == static_cast<std::size_t>(input.shape.rank) && input.shape.rank > 0;
  for (int axis = 0; axis < input.shape.rank; ++axis) {
    const int ours =
        port.source_axes.empty() ? axis : port.source_axes[static_cast<std::size_t>(axis)];
    const std::int64_t extent = input.shape[ours];
    const std::string times = extent == 1 ? "N" : std::to_string(extent) + "N";
    takes += (axis > 0 ? "x" : "") + (axis == 0 ? times : std::to_string(extent));
    if (!fits) continue;
    const std::int64_t given = set.shape[static_cast<std::size_t>(axis)];
    fits = axis == 0 ? given > 0 && given % extent == 0 : given == extent;
  }
  if (!fits) {
    std::string given;
    for (const std::int64_t extent : set.shape)
      given += (given.empty() ? "" : "x") + std::to_string(extent);
    throw BadCalibration("the calibration data " + set.name + " has shape " +
                         (given.empty() ? "scalar" : given) + " but input '" + port.name +
                         "' takes " + takes);
  }
  if (!std::all_of(set.values.begin(), set.values.end(), [](float x) { return std::isfinite(x); }))
    throw BadCalibration("the calibration data " + set.name + " holds a number that is not finite");
  return input.shape.elements();
}

// Puts a run's values, in the source's order of axes, into the input.
void store(const GraphPort& port, const float* values, const Tensor& input) {
  const int rank = input.shape.rank;
  std::int64_t strides[kMaxRank] = {};
  std::int64_t stride = 1;
  for (int axis = rank - 1; axis >= 0; --axis) {
    strides[axis] = stride;
    stride *= input.shape[axis];
  }
  const auto ours = [&](int axis) {
    return port.source_axes.empty() ? axis : int{port.source_axes[static_cast<std::size_t>(axis)]};
  };
  std::int32_t position[kMaxRank] = {};  // in the source's order
  for (std::int64_t i = 0; i < input.elements(); ++i) {
    std::int64_t offset = 0;
    for (int axis = 0; axis < rank; ++axis) offset += position[axis] * strides[ours(axis)];
    input.floats()[offset] = values[i];
    for (int axis = rank - 1; axis >= 0; --axis) {
      if (++position[axis] < input.shape[ours(axis)]) break;
      position[axis] = 0;
    }
  }
}

// Calls `look` after each run of the set.
void run_all(const Graph& graph, const Calibration& set, GoldenSession& session,
             const std::function<void()>& look) {
  if (set.latents > 0) {
    for (int i = 0; i < set.latents; ++i) {
      // Each input of a run has a seed of its own.
      session.run(kFirstSeed + static_cast<std::uint64_t>(i) * graph.inputs.size());
      look();
    }
    return;
  }
  const std::size_t count = static_cast<std::size_t>(values_per_run(graph, set));
  for (std::size_t first = 0; first < set.values.size(); first += count) {
    store(graph.inputs[0], set.values.data() + first, session.session().input(0));
    session.run_as_filled(kFirstSeed + first / count);
    look();
  }
}

struct Limits {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  bool finite = true;
};

}  // namespace

std::vector<Histogram> observe(const Graph& graph, const std::optional<format::PriorT>& prior,
                               const Calibration& calibration) {
  if (calibration.latents > 0 && !prior)
    throw BadCalibration(
        "the model draws from no prior that latents could come from; give --calibrate a .npy file "
        "of its inputs, or --prior");
  std::vector<TensorId> shown;
  const Graph all = show_all(graph, shown);
  ModelFacts facts;
  facts.prior = prior;
  const AlignedBytes file(emit(all, facts));
  const Model model = open_model(file.span());
  GoldenSession session(model);

  // Every tensor that is looked at, with its id.
  std::vector<std::pair<TensorId, Tensor>> tensors;
  for (std::size_t i = 0; i < shown.size(); ++i)
    tensors.emplace_back(shown[i], session.output(static_cast<int>(i)));
  for (std::size_t i = 0; i < graph.inputs.size(); ++i)
    if (graph.tensor(graph.inputs[i].tensor).type == DataType::kFloat32)
      tensors.emplace_back(graph.inputs[i].tensor, session.session().input(static_cast<int>(i)));

  std::vector<Limits> limits(graph.tensors.size());
  run_all(graph, calibration, session, [&] {
    for (const auto& [id, tensor] : tensors) {
      Limits& seen = limits[static_cast<std::size_t>(id)];
      for (const float value : tensor.values()) {
        seen.finite &= std::isfinite(value);
        seen.low = std::min(seen.low, double{value});
        seen.high = std::max(seen.high, double{value});
      }
    }
  });
  std::vector<Histogram> histograms(graph.tensors.size());
  for (const auto& [id, tensor] : tensors) {
    const Limits& seen = limits[static_cast<std::size_t>(id)];
    if (seen.finite)
      histograms[static_cast<std::size_t>(id)] = {seen.low, seen.high,
                                                  std::vector<double>(kBins, 0.0)};
  }
  run_all(graph, calibration, session, [&] {
    for (const auto& [id, tensor] : tensors) {
      Histogram& histogram = histograms[static_cast<std::size_t>(id)];
      if (histogram.empty()) continue;
      const double span = histogram.high - histogram.low;
      const double bins_a_unit = span > 0 ? static_cast<double>(kBins) / span : 0;
      for (const float value : tensor.values()) {
        const auto bin = static_cast<std::size_t>((double{value} - histogram.low) * bins_a_unit);
        histogram.counts[std::min(bin, kBins - 1)] += 1;
      }
    }
  });
  return histograms;
}

}  // namespace figment::converter
