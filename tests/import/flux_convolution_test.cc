// Flux.jl's convolutions, by their definition: sums over mirrored kernels.
#include <doctest/doctest.h>

#include "tests/import/direct_convolution.h"
#include "tests/import/flux_builder.h"

namespace figment::testing {
namespace {

std::vector<float> ramp_of(std::int64_t count, float start) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t index = 0; index < values.size(); ++index)
    values[index] = start + static_cast<float>(index * 7 % 11) / 8;
  return values;
}

// weights [a, b, kh, kw] with every kernel mirrored
std::vector<float> mirrored(const std::vector<float>& weights, int taps) {
  std::vector<float> turned(weights.size());
  for (std::size_t at = 0; at < weights.size(); ++at) {
    const std::size_t tap = at % static_cast<std::size_t>(taps);
    turned[at - tap + static_cast<std::size_t>(taps) - 1 - tap] = weights[at];
  }
  return turned;
}

// An odd one: 4 -> 6 channels of 7 rows and 5 columns.
Convolution odd_window(int groups) {
  Convolution window;
  window.channels = 4;
  window.outputs = 6;
  window.groups = groups;
  window.height = 7;
  window.width = 5;
  window.kernel[0] = 3;
  window.kernel[1] = 2;
  window.stride[0] = 2;
  window.dilation[1] = 2;
  window.before[0] = 1;
  window.after[0] = 2;
  window.after[1] = 1;
  return window;
}

// The layer, with Julia's order of axes: width first.
Bson layer_of(const std::string& kind, const Convolution& w, const std::vector<float>& weights,
              const std::vector<std::int64_t>& channels, const std::vector<float>& bias,
              int version = 7) {
  std::vector<Bson> fields = {
      julia_function("Base.identity"),
      julia_array({w.kernel[1], w.kernel[0], channels[0], channels[1]}, weights),
      bias.empty() ? bson_bool(false) : julia_array({static_cast<std::int64_t>(bias.size())}, bias),
      julia_integers({w.stride[1], w.stride[0]}),
      julia_integers({w.before[1], w.after[1], w.before[0], w.after[0]})};
  if (version == 8) fields.push_back(julia_integers({w.output_padding[1], w.output_padding[0]}));
  fields.push_back(julia_integers({w.dilation[1], w.dilation[0]}));
  if (version > 6) fields.push_back(bson_integer(w.groups));
  return julia_struct("Flux." + kind, fields);
}

}  // namespace

TEST_CASE("Conv and CrossCor") {
  for (const int groups : {1, 2}) {
    const Convolution window = odd_window(groups);
    const std::vector<float> x = ramp_of(4 * 7 * 5, -0.5F);
    const std::vector<float> weights = ramp_of(6 * (4 / groups) * 6, -0.75F);
    const std::vector<float> bias = ramp_of(6, 1);
    const std::vector<std::int64_t> channels = {4 / groups, 6};
    check_close(run_layer(layer_of("Conv", window, weights, channels, bias), {5, 7, 4}, x),
                window.convolve(x, mirrored(weights, 6), bias));
    if (groups == 1) {
      check_close(run_layer(layer_of("CrossCor", window, weights, channels, {}, 6), {5, 7, 4}, x),
                  window.convolve(x, weights, {}));
      check_close(run_layer(layer_of("Conv", window, weights, channels, bias, 6), {5, 7, 4}, x),
                  window.convolve(x, mirrored(weights, 6), bias));
    }
  }
}

TEST_CASE("ConvTranspose") {
  for (const int groups : {1, 2}) {
    Convolution window = odd_window(groups);
    const std::vector<float> x = ramp_of(4 * 7 * 5, -0.5F);
    const std::vector<float> weights = ramp_of(4 * (6 / groups) * 6, -0.75F);
    const std::vector<float> bias = ramp_of(6, 1);
    const std::vector<std::int64_t> channels = {6 / groups, 4};
    check_close(run_layer(layer_of("ConvTranspose", window, weights, channels, bias), {5, 7, 4}, x),
                window.transpose(x, mirrored(weights, 6), bias));
    window.output_padding[0] = 1;
    check_close(
        run_layer(layer_of("ConvTranspose", window, weights, channels, {}, 8), {5, 7, 4}, x),
        window.transpose(x, mirrored(weights, 6), {}));
  }
}

TEST_CASE("DepthwiseConv of old versions") {
  Convolution window = odd_window(4);
  window.outputs = 8;
  const std::vector<float> x = ramp_of(4 * 7 * 5, -0.5F);
  const std::vector<float> weights = ramp_of(8 * 6, -0.75F);
  check_close(
      run_layer(layer_of("DepthwiseConv", window, weights, {2, 4}, ramp_of(8, 0), 6), {5, 7, 4}, x),
      window.convolve(x, mirrored(weights, 6), ramp_of(8, 0)));
}

TEST_CASE("convolutions of signals") {
  // x (5, 1), weight (2, 1, 1) = [1, 10]: y[i] = 10 x[i] + x[i + 1]
  const std::vector<Bson> fields = {julia_function("Base.identity"),
                                    julia_array({2, 1, 1}, {1, 10}),
                                    bson_bool(false),
                                    julia_integers({1}),
                                    julia_integers({0, 0}),
                                    julia_integers({1}),
                                    bson_integer(1)};
  check_close(run_layer(julia_struct("Flux.Conv", fields), {5, 1}, {1, 2, 3, 4, 5}),
              {12, 23, 34, 45});
  CHECK(FluxFile({{"model", julia_struct("Flux.Conv", fields)}})
            .refusal()
            .find("--shape input=LENGTHx1") != std::string::npos);
}

TEST_CASE("convolutions refused") {
  const Convolution window = odd_window(1);
  const std::vector<float> weights = ramp_of(6 * 4 * 6, 0);
  const Bson layer = layer_of("Conv", window, weights, {4, 6}, {});
  CHECK(layer_refusal(layer, {140}).find("its input has 2 axes") != std::string::npos);
  CHECK(FluxFile({{"model", layer}}).refusal().find("--shape input=WIDTHxHEIGHTx4") !=
        std::string::npos);
  Convolution still = window;
  still.stride[0] = 0;
  CHECK(layer_refusal(layer_of("Conv", still, weights, {4, 6}, {}), {5, 7, 4})
            .find("its stride is 0") != std::string::npos);
  CHECK(layer_refusal(layer_of("Conv", window, weights, {4, 6}, {1, 2}), {5, 7, 4}).empty() ==
        false);
}

}  // namespace figment::testing
