// Flux.jl's layers of matrices and vectors.
#include <doctest/doctest.h>

#include "converter/graph/graph.h"
#include "tests/import/flux_builder.h"

namespace figment::testing {

TEST_CASE("Dense") {
  // weight = [1 3 5; 2 4 6], which lies in columns
  const std::vector<float> weight = {1, 2, 3, 4, 5, 6};
  const std::vector<float> x = {1, -2, 0.5F};
  check_close(run_layer(flux_dense(2, 3, weight, {0.5F, -1}), {3}, x),
              {1 - 6 + 2.5 + 0.5, 2 - 8 + 3.0 - 1});
  check_close(run_layer(flux_dense(2, 3, weight, {}, "NNlib.leakyrelu"), {3}, x), {-0.025, -0.03});
  // Flux.Zeros in the place of a bias, as versions before 0.12 had it.
  const Bson zeros = julia_struct("Flux.Zeros", {julia_tuple({})});
  check_close(run_layer(julia_struct("Flux.Dense", {julia_array({2, 3}, weight), zeros,
                                                    julia_function("Base.identity")}),
                        {3}, x),
              {-2.5, -3});
  // Without --shape: as many numbers as the weights have columns.
  const FluxFile file({{"model", flux_dense(2, 3, weight, {})}});
  CHECK(converter::describe(file.import().tensors[0].shape) == "1x3");
}

TEST_CASE("Dense over Julia's first axis") {
  // x (2, 2): two columns of two
  check_close(run_layer(flux_dense(1, 2, {1, 10}, {}), {2, 2}, {1, 2, 3, 4}), {21, 43});
}

TEST_CASE("Dense refused") {
  const std::string sentence = layer_refusal(flux_dense(1, 2, {1, 10}, {}), {3});
  CHECK(sentence.find("node 'model' (Dense): it takes 2 numbers") == 0);
  CHECK(layer_refusal(julia_struct("Flux.Dense", {julia_array({2}, {1, 10}), bson_bool(false),
                                                  julia_function("Base.identity")}),
                      {2})
            .find("'model.weight' has 1 axes, but must have 2") == 0);
  CHECK(layer_refusal(julia_struct("Flux.Dense", {julia_array({2}, {1, 10})}), {2})
            .find("as in no version of Flux.jl") != std::string::npos);
}

TEST_CASE("Scale and Diagonal") {
  const Bson scale = julia_array({2}, {2, -3}), bias = julia_array({2}, {0.5F, 1});
  const std::vector<float> x = {1, 2, -4, 4};
  const std::vector<double> expected = {2.5, -5, -7.5, -11};
  check_close(run_layer(julia_struct("Flux.Diagonal", {scale, bias}), {2, 2}, x), expected);
  check_close(
      run_layer(julia_struct("Flux.Scale", {scale, bias, julia_function("NNlib.relu")}), {2, 2}, x),
      {2.5, 0, 0, 0});
  check_close(run_layer(julia_struct("Flux.Scale",
                                     {scale, bson_bool(false), julia_function("Base.identity")}),
                        {2, 2}, x),
              {2, -6, -8, -12});
}

TEST_CASE("Embedding") {
  // Three words of two features; Julia counts from 1.
  const Bson layer = julia_struct("Flux.Embedding", {julia_array({2, 3}, {1, 2, 3, 4, 5, 6})});
  check_close(run_layer(layer, {2}, {3, 1}), {5, 6, 1, 2});
}

}  // namespace figment::testing
