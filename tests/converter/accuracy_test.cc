// Peak, error and refusal: how far smaller weights are from float32.
#include "converter/accuracy.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "converter/convert.h"
#include "converter/golden.h"
#include "converter/passes/passes.h"

using namespace figment::converter;
namespace format = figment::format;
using figment::DataType;
using figment::Shape;

namespace {

// Shows its input, and the same plus `shift`.
Graph shifted(float shift) {
  Graph graph;
  const TensorId x = graph.add_input("x", DataType::kFloat32, make_shape({1, 12}));
  const TensorId same = graph.add_node("same", make_options(format::UnaryT{}), {x});
  const TensorId y = graph.add_floats("shift", make_shape({1}), {shift});
  const TensorId sum =
      graph.add_node("sum", make_options(format::BinaryT{{}, format::BinaryFunction::Add}), {x, y});
  graph.outputs.push_back({"sum", sum, {}});
  graph.outputs.push_back({"same", same, {}});
  return graph;
}

Accuracy accuracy_of(float shift, const ModelFacts& facts) {
  const AlignedBytes exact(emit(shifted(0), facts));
  const AlignedBytes smaller(emit(shifted(shift), facts));
  return measure_accuracy(open_model(exact.span()), open_model(smaller.span()));
}

const std::filesystem::path kDecoder =
    std::filesystem::path(FIGMENT_SOURCE_DIR) / "models/digits_vae/decoder.onnx";

}  // namespace

TEST_CASE("a picture's peak is its range") {
  ModelFacts facts;
  facts.output_reading.Set(format::ImageT{{}, 2, 2, 3, -4.0f, 4.0f});
  const Accuracy accuracy = accuracy_of(0.5f, facts);
  CHECK(accuracy.seeds == 64);
  REQUIRE(accuracy.outputs.size() == 2);
  CHECK(accuracy.outputs[0].name == "sum");
  CHECK(accuracy.outputs[0].largest_error == doctest::Approx(0.5).epsilon(1e-5));
  CHECK(accuracy.outputs[0].least_on.empty());
  CHECK(accuracy.outputs[0].psnr == doctest::Approx(20 * std::log10(8 / 0.5)).epsilon(1e-5));
  CHECK(accuracy.outputs[1].largest_error == 0.0);
  CHECK(accuracy.outputs[1].psnr == std::numeric_limits<double>::infinity());
}

TEST_CASE("other outputs' peak is what float32 spans over all seeds") {
  std::vector<float> all;
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    std::vector<float> latent(12);
    figment::Tensor tensor;
    tensor.data = latent.data();
    tensor.shape = make_shape({12});
    figment::fill_normal(tensor, seed);
    all.insert(all.end(), latent.begin(), latent.end());
  }
  const auto [low, high] = std::minmax_element(all.begin(), all.end());
  const double peak = double{*high} - double{*low};
  CHECK(accuracy_of(0.5f, {}).outputs[0].psnr ==
        doctest::Approx(20 * std::log10(peak / 0.5)).epsilon(1e-5));
}

TEST_CASE("what is no number is as far away as can be") {
  const Accuracy accuracy = accuracy_of(std::numeric_limits<float>::quiet_NaN(), {});
  CHECK(accuracy.outputs[0].psnr == -std::numeric_limits<double>::infinity());
  CHECK(accuracy.outputs[0].largest_error == std::numeric_limits<double>::infinity());
}

TEST_CASE("a decoder of dense layers with int4 weights") {
  Graph graph;
  const auto random = [&](const std::vector<std::int64_t>& shape, float width) {
    const Shape extents = make_shape(shape);
    std::vector<float> values(static_cast<std::size_t>(extents.elements()));
    figment::Tensor tensor;
    tensor.data = values.data();
    tensor.shape = extents;
    figment::fill_normal(tensor, graph.tensors.size());
    for (float& value : values) value *= width;
    return graph.add_floats("constant", extents, values);
  };
  const auto dense = [&](TensorId x, int inputs, int outputs) {
    const float width = 1 / std::sqrt(static_cast<float>(inputs));
    return graph.add_node("dense", make_options(format::DenseT{}),
                          {x, random({outputs, inputs}, width), random({outputs}, width)});
  };
  TensorId x = graph.add_input("latent", DataType::kFloat32, make_shape({1, 32}));
  x = dense(x, 32, 250);
  x = graph.add_node("relu", make_options(format::UnaryT{{}, format::UnaryFunction::Relu}), {x});
  x = dense(x, 250, 784);
  x = graph.add_node("sigmoid", make_options(format::UnaryT{{}, format::UnaryFunction::Sigmoid}),
                     {x});
  graph.outputs.push_back({"image", x, {}});
  ModelFacts facts;
  facts.output_reading.Set(format::ImageT{{}, 28, 28, 1, 0.0F, 1.0F});
  const AlignedBytes exact(emit(graph, facts));
  CHECK(quantize_dense(graph).changes == 2);
  const AlignedBytes smaller(emit(graph, facts));
  const Accuracy accuracy = measure_accuracy(open_model(exact.span()), open_model(smaller.span()));
  MESSAGE("PSNR ", accuracy.outputs.at(0).psnr, " dB, ", exact.span().size(), " bytes became ",
          smaller.span().size());
  CHECK(accuracy.outputs.at(0).psnr > 30);
  CHECK(smaller.span().size() * 6 < exact.span().size());
}

TEST_CASE("conversion measures when it is asked, and refuses what is too far") {
  ConvertOptions options;
  CHECK(convert(kDecoder, options).accuracy.seeds == 0);
  options.measure_accuracy = true;
  CHECK(convert(kDecoder, options).accuracy.seeds == 0);  // float32 is what it is measured by
  options.weights = WeightStorage::kFloat16;
  const double half = convert(kDecoder, options).accuracy.outputs.at(0).psnr;
  options.weights = WeightStorage::kInt8;
  const Conversion eighth = convert(kDecoder, options);
  REQUIRE(eighth.accuracy.outputs.size() == 1);
  CHECK(eighth.accuracy.outputs[0].name == "image");
  CHECK(half > 70);
  CHECK(eighth.accuracy.outputs[0].psnr > 40);
  CHECK(eighth.accuracy.outputs[0].psnr < half);
  // Loops that lose more than the definition are named.
  CHECK(eighth.accuracy.outputs[0].least_psnr > 35);
  CHECK(eighth.accuracy.outputs[0].least_psnr <= eighth.accuracy.outputs[0].psnr);
  CHECK((eighth.accuracy.outputs[0].least_psnr < eighth.accuracy.outputs[0].psnr) ==
        !eighth.accuracy.outputs[0].least_on.empty());

  options.weights = WeightStorage::kInt4;
  const Conversion fourth = convert(kDecoder, options);
  CHECK(fourth.accuracy.outputs.at(0).psnr > 26);
  CHECK(fourth.accuracy.outputs.at(0).psnr < eighth.accuracy.outputs[0].psnr);
  CHECK(fourth.file_bytes * 10 < eighth.file_bytes * 6);

  options.weights = WeightStorage::kInt8;
  options.measure_accuracy = false;
  options.min_psnr = 40;
  CHECK(convert(kDecoder, options).bytes == eighth.bytes);
  options.min_psnr = 60;
  CHECK_THROWS_WITH_AS(convert(kDecoder, options),
                       doctest::Contains("below the 60.0 dB asked for; use larger weights"),
                       ConvertError);
}
