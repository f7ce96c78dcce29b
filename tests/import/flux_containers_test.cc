// Flux.jl's layers of layers.
#include <doctest/doctest.h>

#include "tests/import/flux_builder.h"

namespace figment::testing {
namespace {

// (1 => 1), which multiplies.
Bson times(float factor) { return flux_dense(1, 1, {factor}, {}); }

Bson named(const std::vector<std::string>& names, const std::vector<Bson>& values) {
  std::vector<Bson> symbols;
  symbols.reserve(names.size());
  for (const std::string& name : names) symbols.push_back(julia_symbol(name));
  return julia_struct("Core.NamedTuple", values, {julia_tuple(symbols), julia_type("Core.Tuple")});
}

}  // namespace

TEST_CASE("Chain, of a tuple, of names, of a vector") {
  check_close(run_layer(flux_chain({times(2), times(3)}), {1}, {5}), {30});
  check_close(
      run_layer(julia_struct("Flux.Chain", {named({"a", "b"}, {times(2), times(3)})}), {1}, {5}),
      {30});
  check_close(run_layer(julia_struct("Flux.Chain", {bson_list({times(2), times(3)})}), {1}, {5}),
              {30});
  check_close(run_layer(flux_chain({flux_chain({times(2)}), flux_chain({})}), {1}, {5}), {10});
}

TEST_CASE("Parallel, SkipConnection and Maxout") {
  const auto parallel = [](const std::string& function, const Bson& layers) {
    return julia_struct("Flux.Parallel", {julia_function(function), layers});
  };
  const Bson both = julia_tuple({times(2), times(3)});
  check_close(run_layer(parallel("Base.+", both), {1}, {5}), {25});
  check_close(run_layer(parallel("Base.-", both), {1}, {5}), {-5});
  check_close(run_layer(parallel("Base.*", both), {1}, {5}), {150});
  check_close(run_layer(parallel("Base.vcat", both), {1}, {5}), {10, 15});
  check_close(run_layer(parallel("Base.max", named({"a", "b"}, {times(2), times(3)})), {1}, {-5}),
              {-10});
  check_close(run_layer(parallel("Base.min", both), {1}, {-5}), {-15});
  const Bson skip =
      julia_struct("Flux.SkipConnection", {flux_chain({times(4)}), julia_function("Base.vcat")});
  check_close(run_layer(skip, {1}, {5}), {20, 5});
  check_close(run_layer(julia_struct("Flux.Maxout", {both}), {1}, {-5}), {-10});

  CHECK(layer_refusal(parallel("Main.mix", both), {1}).find("joins its results by 'mix'") !=
        std::string::npos);
  CHECK(layer_refusal(julia_struct("Flux.SkipConnection", {times(1), julia_closure("#5#6")}), {1})
            .find("'5#6'") != std::string::npos);
  CHECK(layer_refusal(parallel("Base.+", julia_tuple({})), {1}).find("it has no layers") !=
        std::string::npos);
}

TEST_CASE("composed and broadcast functions, dropout") {
  const Bson composed =
      julia_struct("Base.ComposedFunction", {julia_function("Base.abs"), times(2)});
  check_close(run_layer(flux_chain({composed}), {1}, {-5}), {10});
  const Bson broadcast =
      julia_struct("Base.Broadcast.BroadcastFunction", {julia_function("Base.abs")});
  const Bson dropout = julia_struct(
      "Flux.Dropout", {bson_number(0.5), julia_function("Base.identity"), Bson{}, Bson{}});
  check_close(run_layer(flux_chain({dropout, broadcast}), {1}, {-5}), {5});
}

}  // namespace figment::testing
