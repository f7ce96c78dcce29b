// Flux.jl's normalizations in test mode.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/import/flux_builder.h"

namespace figment::testing {
namespace {

constexpr double kEpsilon = 1e-5;
const std::vector<float> kPicture = {1, 2, 4, -1, 0.5F, 3, 2, 2};  // (2, 2, 2)

Bson vector_of(const std::vector<float>& values) {
  return julia_array({static_cast<std::int64_t>(values.size())}, values);
}

// λ, β, γ, μ, σ², ϵ, momentum, then the fields of `version`
std::vector<Bson> fields_of(bool affine, bool tracked, int version) {
  std::vector<Bson> fields = {julia_function("NNlib.relu"),
                              affine ? vector_of({0.5F, -0.25F}) : Bson{},
                              affine ? vector_of({2, -1}) : Bson{},
                              tracked ? vector_of({1, 2}) : Bson{},
                              tracked ? vector_of({4, 0.25F}) : Bson{},
                              julia_float32(1e-5F),
                              julia_float32(0.1F)};
  if (version > 8) {
    fields.push_back(bson_bool(affine));
    fields.push_back(bson_bool(tracked));
  }
  fields.push_back(Bson{});
  if (version > 8) fields.push_back(bson_integer(2));
  return fields;
}

double relu(double x) { return x > 0 ? x : 0; }

// Statistics of the numbers from `begin` to `end`.
void normalize(std::vector<double>& values, std::size_t begin, std::size_t end, double epsilon) {
  double mean = 0, variance = 0;
  const auto count = static_cast<double>(end - begin);
  for (std::size_t at = begin; at < end; ++at) mean += values[at] / count;
  for (std::size_t at = begin; at < end; ++at)
    variance += (values[at] - mean) * (values[at] - mean) / count;
  for (std::size_t at = begin; at < end; ++at)
    values[at] = (values[at] - mean) / std::sqrt(variance + epsilon);
}

}  // namespace

TEST_CASE("BatchNorm") {
  for (const bool affine : {true, false}) {
    std::vector<double> expected;
    for (std::size_t at = 0; at < kPicture.size(); ++at) {
      const bool second = at >= 4;
      const double x = (static_cast<double>(kPicture[at]) - (second ? 2 : 1)) /
                       std::sqrt((second ? 0.25 : 4) + kEpsilon);
      expected.push_back(relu(affine ? (second ? -x - 0.25 : 2 * x + 0.5) : x));
    }
    check_close(
        run_layer(julia_struct("Flux.BatchNorm", fields_of(affine, true, 11)), {2, 2, 2}, kPicture),
        expected);
    if (affine)
      check_close(run_layer(julia_struct("Flux.BatchNorm", fields_of(affine, true, 8)), {2, 2, 2},
                            kPicture),
                  expected);
  }
  // Of vectors: the channels are all there is.
  check_close(run_layer(julia_struct("Flux.BatchNorm", fields_of(true, true, 11)), {2}, {3, 1}),
              {2 * 2 / std::sqrt(4 + kEpsilon) + 0.5, 1 / std::sqrt(0.25 + kEpsilon) - 0.25});
  CHECK(layer_refusal(julia_struct("Flux.BatchNorm", fields_of(true, false, 11)), {2, 2, 2})
            .find("keeps no statistics") != std::string::npos);
}

TEST_CASE("InstanceNorm and GroupNorm") {
  std::vector<double> expected(kPicture.begin(), kPicture.end());
  normalize(expected, 0, 4, kEpsilon);
  normalize(expected, 4, 8, kEpsilon);
  for (std::size_t at = 0; at < 8; ++at)
    expected[at] = relu(at < 4 ? 2 * expected[at] + 0.5 : -expected[at] - 0.25);
  check_close(
      run_layer(julia_struct("Flux.InstanceNorm", fields_of(true, false, 11)), {2, 2, 2}, kPicture),
      expected);
  const auto groups = [](std::int64_t count, bool tracked) {
    std::vector<Bson> fields = fields_of(false, tracked, 11);
    fields.insert(fields.begin(), bson_integer(count));
    return julia_struct("Flux.GroupNorm", fields);
  };
  std::vector<double> whole(kPicture.begin(), kPicture.end());
  normalize(whole, 0, 8, kEpsilon);
  for (double& value : whole) value = relu(value);
  check_close(run_layer(groups(1, false), {2, 2, 2}, kPicture), whole);
  CHECK(layer_refusal(groups(1, true), {2, 2, 2}).find("keeps statistics") != std::string::npos);
  CHECK(layer_refusal(groups(3, false), {2, 2, 2}).find("do not divide") != std::string::npos);
  // Statistics of the training, in the place of the picture's own.
  CHECK(run_layer(julia_struct("Flux.InstanceNorm", fields_of(true, true, 11)), {2, 2, 2},
                  kPicture)[0] == doctest::Approx(0.5));
}

TEST_CASE("LayerNorm") {
  const Bson scale = vector_of({2, 3}), bias = vector_of({1, 0});
  const Bson identity = julia_function("Base.identity"),
             relu_function = julia_function("NNlib.relu");
  const auto layer = [&](const Bson& function, const Bson& diagonal) {
    return julia_struct("Flux.LayerNorm", {function, diagonal, julia_float32(1e-5F),
                                           julia_integers({2}), bson_bool(true)});
  };
  const std::vector<float> x = {1, 3, 5, 1};  // (2, 2): [1, 3] and [5, 1]
  const Bson diagonal = julia_struct("Flux.Diagonal", {scale, bias});
  check_close(run_layer(layer(identity, diagonal), {2, 2}, x), {-1, 3, 3, -3});
  check_close(run_layer(layer(relu_function, diagonal), {2, 2}, x), {0, 3, 3, 0});
  check_close(
      run_layer(layer(relu_function, julia_struct("Flux.Scale", {scale, bias, relu_function})),
                {2, 2}, x),
      {0, 3, 3, 0});
  check_close(run_layer(layer(identity, identity), {2, 2}, x), {-1, 1, 1, -1});
  check_close(run_layer(julia_struct("Flux.LayerNorm", {diagonal}), {2, 2}, x), {-1, 3, 3, -3});
  CHECK(layer_refusal(julia_struct("Flux.LayerNorm", {identity, identity, julia_float32(1e-5F),
                                                      julia_integers({2, 2, 2}), bson_bool(true)}),
                      {2, 2})
            .find("it normalizes 3 axes") != std::string::npos);
}

}  // namespace figment::testing
