// Nearest up-sampling and a convolution become one transposed convolution; other resizing stays.
#include <doctest/doctest.h>

#include "converter/passes/passes.h"
#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;

namespace {

format::ResizeT to_size(int height, int width,
                        format::ResizeMode mode = format::ResizeMode::Nearest) {
  format::ResizeT resize;
  resize.mode = mode;
  resize.height = height;
  resize.width = width;
  return resize;
}

TensorId picture(Graph& graph) { return add_batch_input(graph, "x", {1, 5, 6, 2}); }

struct Kernel {
  int height, width;
  int pad_top, pad_bottom, pad_left, pad_right;
};

TensorId convolve(Graph& graph, TensorId x, const Kernel& kernel,
                  format::Conv2DT options = format::Conv2DT()) {
  options.pad_top = kernel.pad_top;
  options.pad_bottom = kernel.pad_bottom;
  options.pad_left = kernel.pad_left;
  options.pad_right = kernel.pad_right;
  const int inputs = graph.tensor(x).shape[3] / options.groups;
  return graph.add_node(
      "convolution", make_options(options),
      {x, add_some(graph, {4, kernel.height, kernel.width, inputs}, 7), add_some(graph, {4}, 8)});
}

}  // namespace

TEST_CASE("every scale, kernel and padding that has its transposed convolution") {
  for (const auto& [height, width] : {std::pair{10, 12}, {15, 12}, {5, 18}, {20, 24}})
    for (const Kernel& kernel :
         {Kernel{3, 3, 1, 1, 1, 1}, Kernel{3, 3, 0, 0, 0, 0}, Kernel{3, 3, 2, 0, 1, 2},
          Kernel{5, 3, 2, 2, 1, 1}, Kernel{2, 2, 1, 0, 0, 1}, Kernel{1, 4, 0, 0, 3, 1}}) {
      CAPTURE(height);
      CAPTURE(width);
      CAPTURE(kernel.height);
      CAPTURE(kernel.width);
      Graph before;
      const TensorId large =
          before.add_node("up", make_options(to_size(height, width)), {picture(before)});
      add_output(before, convolve(before, large, kernel));
      Graph after = before;
      CHECK(fold_upsampling(after).changes == 1);
      CHECK(after.nodes.size() == 1);
      CHECK(count<format::ConvTranspose2DT>(after) == 1);
      CHECK(difference(before, after) < 1e-6);
    }
}

TEST_CASE("however the Resize says that it repeats pixels") {
  for (const format::ResizeCoordinates coordinates : format::EnumValuesResizeCoordinates())
    for (const format::ResizeRounding rounding : format::EnumValuesResizeRounding()) {
      Graph before;
      format::ResizeT resize = to_size(10, 12);
      resize.coordinates = coordinates;
      resize.rounding = rounding;
      const TensorId large = before.add_node("up", make_options(resize), {picture(before)});
      add_output(before, convolve(before, large, {3, 3, 1, 1, 1, 1}));
      Graph after = before;
      // What is folded is the same; what is not is another way of resizing.
      if (fold_upsampling(after).changes == 1) CHECK(difference(before, after) < 1e-6);
      const bool usual = coordinates == format::ResizeCoordinates::HalfPixel &&
                         rounding == format::ResizeRounding::RoundPreferFloor;
      if (usual) CHECK(count<format::ResizeT>(after) == 0);
    }
}

TEST_CASE("what is no repetition, or no plain convolution, stays") {
  Graph graph;
  const TensorId x = picture(graph);
  SUBCASE("linear") {
    convolve(graph,
             graph.add_node("up", make_options(to_size(10, 12, format::ResizeMode::Linear)), {x}),
             {3, 3, 1, 1, 1, 1});
  }
  SUBCASE("one and a half times") {
    convolve(graph, graph.add_node("up", make_options(to_size(10, 9)), {x}), {3, 3, 1, 1, 1, 1});
  }
  SUBCASE("stride") {
    format::Conv2DT options;
    options.stride_height = 2;
    convolve(graph, graph.add_node("up", make_options(to_size(10, 12)), {x}), {3, 3, 1, 1, 1, 1},
             options);
  }
  SUBCASE("groups") {
    format::Conv2DT options;
    options.groups = 2;
    convolve(graph, graph.add_node("up", make_options(to_size(10, 12)), {x}), {3, 3, 1, 1, 1, 1},
             options);
  }
  SUBCASE("padding wider than the kernel") {
    convolve(graph, graph.add_node("up", make_options(to_size(10, 12)), {x}), {3, 3, 3, 1, 1, 1});
  }
  SUBCASE("one tap") {
    convolve(graph, graph.add_node("up", make_options(to_size(10, 12)), {x}), {1, 1, 0, 0, 0, 0});
  }
  add_output(graph, graph.nodes.back().output);
  CHECK(fold_upsampling(graph).changes == 0);
  CHECK(count<format::ResizeT>(graph) == 1);
}

TEST_CASE("a large picture that others read too stays") {
  Graph graph;
  const TensorId large = graph.add_node("up", make_options(to_size(10, 12)), {picture(graph)});
  add_output(graph, convolve(graph, large, {3, 3, 1, 1, 1, 1}));
  add_output(graph, large);
  CHECK(fold_upsampling(graph).changes == 0);
}
