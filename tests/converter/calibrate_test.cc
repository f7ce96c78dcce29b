// Histograms of every tensor over a calibration set, and sets that do not fit.
#include "converter/calibrate.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

using namespace figment::converter;
namespace format = figment::format;

namespace {

TensorId add_batch_input(Graph& graph, const std::string& name,
                         const std::vector<std::int64_t>& shape) {
  graph.any_batch = true;
  const TensorId id = graph.add_input(name, figment::DataType::kFloat32, make_shape(shape));
  graph.tensor(id).batch_axis = 0;
  return id;
}

// x [N,3,2], which is [N,2,3] in the source, added to itself.
Graph doubling() {
  Graph graph;
  const TensorId x = add_batch_input(graph, "x", {1, 3, 2});
  graph.inputs[0].source_axes = {0, 2, 1};
  const TensorId twice = graph.add_node(
      "twice", make_options(format::BinaryT{{}, format::BinaryFunction::Add}), {x, x});
  graph.outputs.push_back({"y", twice, {}});
  return graph;
}

Calibration data(std::vector<std::int64_t> shape, std::vector<float> values) {
  return {0, "data.npy", std::move(shape), std::move(values)};
}

double total(const Histogram& histogram) {
  return std::accumulate(histogram.counts.begin(), histogram.counts.end(), 0.0);
}

std::string error_of(const Graph& graph, const Calibration& calibration) {
  try {
    observe(graph, {}, calibration);
  } catch (const ConvertError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("given numbers: limits and counts of inputs and results") {
  const Graph graph = doubling();
  const auto histograms =
      observe(graph, {}, data({2, 2, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -7}));
  const Histogram& x = histograms[static_cast<std::size_t>(graph.inputs[0].tensor)];
  const Histogram& y = histograms[static_cast<std::size_t>(graph.outputs[0].tensor)];
  CHECK(x.low == -7);
  CHECK(x.high == 10);
  CHECK(y.low == -14);
  CHECK(y.high == 20);
  CHECK(total(x) == 12);
  CHECK(total(y) == 12);
  CHECK(x.counts.front() == 1);
  CHECK(x.counts.back() == 1);
  CHECK(x.middle(0) > -7);
  CHECK(x.middle(0) < -6.99);
}

TEST_CASE("the source's order of axes is ours turned") {
  // Only the first row of ours counts: x[0] of both columns.
  Graph graph = doubling();
  graph.outputs[0].tensor =
      graph.add_node("first", make_options(format::SliceT{{}, {0, 0, 0}, {-1, 1, -1}, {1, 1, 1}}),
                     {graph.inputs[0].tensor});
  const auto histograms = observe(graph, {}, data({1, 2, 3}, {1, 50, 60, 4, 70, 80}));
  const Histogram& row = histograms[static_cast<std::size_t>(graph.outputs[0].tensor)];
  CHECK(row.low == 1);
  CHECK(row.high == 4);
}

TEST_CASE("latents come from the prior, the same each time") {
  const Graph graph = doubling();
  Calibration latents;
  latents.latents = 50;
  const format::PriorT prior{{}, format::Distribution::Uniform, 6, 2.0f, 3.0f};
  const auto histograms = observe(graph, prior, latents);
  const Histogram& x = histograms[static_cast<std::size_t>(graph.inputs[0].tensor)];
  CHECK(total(x) == 300);
  CHECK(x.low >= 2);
  CHECK(x.low < 2.1);
  CHECK(x.high < 3);
  CHECK(observe(graph, prior, latents)[0].counts == histograms[0].counts);
  CHECK(error_of(graph, latents).find("no prior that latents could come from") !=
        std::string::npos);
}

TEST_CASE("a tensor that is not finite has no histogram") {
  Graph graph;
  const TensorId x = add_batch_input(graph, "x", {1, 2});
  const TensorId log =
      graph.add_node("log", make_options(format::UnaryT{{}, format::UnaryFunction::Log}), {x});
  graph.outputs.push_back({"y", log, {}});
  const auto histograms = observe(graph, {}, data({2, 2}, {1, 2, 3, 0}));
  CHECK(histograms[static_cast<std::size_t>(graph.outputs[0].tensor)].empty());
  CHECK_FALSE(histograms[static_cast<std::size_t>(x)].empty());
}

TEST_CASE("sets that do not fit are one sentence") {
  const Graph graph = doubling();
  CHECK(error_of(graph, data({2, 3, 2}, std::vector<float>(12))) ==
        "the calibration data data.npy has shape 2x3x2 but input 'x' takes Nx2x3");
  CHECK(error_of(graph, data({2, 3}, std::vector<float>(6))).find("takes Nx2x3") !=
        std::string::npos);
  CHECK(error_of(graph, data({}, {1})).find("has shape scalar") != std::string::npos);
  CHECK(error_of(graph, data({0, 2, 3}, {})).find("has shape 0x2x3") != std::string::npos);
  CHECK(error_of(graph, data({1, 2, 3}, {1, 2, 3, 4, 5, std::nanf("")})) ==
        "the calibration data data.npy holds a number that is not finite");
  Graph two = doubling();
  add_batch_input(two, "second", {1, 2});
  CHECK(error_of(two, data({1, 2, 3}, std::vector<float>(6))).find("has 2 inputs") !=
        std::string::npos);
}
