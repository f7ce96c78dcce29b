// Flux.jl's functions of shape, with names and without.
#include <doctest/doctest.h>

#include "converter/graph/graph.h"
#include "tests/import/flux_builder.h"

namespace figment::testing {
namespace {

// (1, 6) in Julia's order, which picks number `index`.
Bson pick(std::size_t index) {
  std::vector<float> weight(6, 0);
  weight[index] = 1;
  return flux_dense(1, 6, weight, {});
}

Bson fixed(const std::string& name, const Bson& function, const Bson& argument) {
  return julia_struct("Base." + name, {function, argument});
}

}  // namespace

TEST_CASE("flatten: the width runs fastest, then the height") {
  // (3, 2, 1)
  const std::vector<float> x = {10, 11, 12, 20, 21, 22};
  for (const char* name : {"Flux.flatten", "MLUtils.flatten"})
    check_close(run_layer(flux_chain({julia_function(name), pick(1)}), {3, 2, 1}, x), {11});
  check_close(run_layer(flux_chain({julia_function("Flux.flatten"), pick(3)}), {3, 2, 1}, x), {20});
}

TEST_CASE("functions without a name take their shape from the user") {
  const Bson closure = julia_closure("#7#8");
  const Bson model = flux_chain({flux_dense(6, 1, {1, 2, 3, 4, 5, 6}, {}), closure});
  const FluxFile file({{"net", model}});
  const std::string sentence = file.refusal();
  CHECK(sentence.find("node 'net.2' (#7#8): it has no name") == 0);
  CHECK(sentence.find("--shape net.2=WIDTHxHEIGHTxCHANNELS") != std::string::npos);
  CHECK(sentence.find("--shape net.2=6") != std::string::npos);
  const GraphRun run = run_graph(file.import(with_shape("net.2", {3, 2, 1})), {{2}});
  CHECK(converter::describe(run.shapes[0]) == "1x1x2x3");
  check_close(run.values[0], {2, 4, 6, 8, 10, 12});
  CHECK(file.refusal(with_shape("net.2", {3, 3}))
            .find("its shape has 9 numbers, but a sample has 6") != std::string::npos);
  CHECK(file.refusal(with_shape("net.7", {3, 3})).find("it has no name") != std::string::npos);
  converter::ImportOptions both = with_shape("net.2", {3, 2});
  both.layer_shapes["net.9"] = {6};
  CHECK(file.refusal(both).find("--shape names 'net.9'") == 0);

  // At the beginning, the input is as long as what it gives.
  const FluxFile first({{"net", flux_chain({closure, julia_function("Flux.flatten"), pick(5)})}});
  CHECK(first.refusal().find("the file does not say what its first layer takes") == 0);
  const converter::Graph graph = first.import(with_shape("net.1", {3, 2}));
  CHECK(converter::describe(graph.tensor(graph.inputs[0].tensor).shape) == "1x6");
}

TEST_CASE("functions with an argument given") {
  const Bson colon = julia_struct("Base.Colon", {});
  const Bson reshape = fixed("Fix2", julia_function("Base.reshape"),
                             julia_tuple({bson_integer(3), bson_integer(2), colon}));
  check_close(run_layer(flux_chain({reshape}), {6}, {1, 2, 3, 4, 5, 6}), {1, 2, 3, 4, 5, 6});
  check_close(
      run_layer(flux_chain({fixed("Fix2", julia_function("NNlib.leakyrelu"), bson_number(0.2))}),
                {1}, {-5}),
      {-1});
  check_close(
      run_layer(
          flux_chain({fixed("Fix1", julia_function("Base.broadcast"), julia_function("Base.abs"))}),
          {1}, {-5}),
      {5});
  CHECK(layer_refusal(flux_chain({fixed("Fix2", julia_function("Base.+"), bson_number(1))}), {1})
            .find("it calls '+'") != std::string::npos);
}

}  // namespace figment::testing
