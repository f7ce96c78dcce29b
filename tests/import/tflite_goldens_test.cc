// Whole files against LiteRT's reference kernels: goldens/tflite.py makes the numbers. Float32
// within 1e-3, int8 to the same bits.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "converter/convert.h"
#include "tests/host/scratch_folder.h"
#include "tests/support/loaded_model.h"

namespace figment::testing::lite {
namespace {

const std::filesystem::path kGoldens =
    std::filesystem::path(FIGMENT_SOURCE_DIR) / "tests/import/goldens/tflite";
const std::filesystem::path kOthers = std::filesystem::path(FIGMENT_SOURCE_DIR) /
                                      "../shared/models/tflite/mlperf-tiny-ad-autoencoder";

std::vector<float> read_floats(const std::filesystem::path& path) {
  const std::string bytes = read_text(path);
  REQUIRE(!bytes.empty());
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

// How far what a file makes of a batch of `rows` inputs is from what it should.
struct Difference {
  double largest = 0;
  double share = 0;  // of numbers that differ by more than 1e-5
};

Difference compare(const std::filesystem::path& source, const converter::ConvertOptions& convert,
                   const std::vector<float>& inputs, const std::vector<float>& expected, int rows,
                   Backend backend) {
  const converter::Conversion conversion = converter::convert(source, convert);
  const AlignedMemory bytes = align_bytes(conversion.bytes);
  const Result<Model> model = Model::open(bytes.span());
  REQUIRE_MESSAGE(model.ok(), std::string(model.status().message()));
  CHECK(model->any_batch());
  Options options;
  options.backend = backend;
  options.batch = rows;
  RunningSession running(*model, options);
  const Tensor x = running.session.input(0);
  REQUIRE(static_cast<std::size_t>(x.elements()) == inputs.size());
  std::copy(inputs.begin(), inputs.end(), x.floats());
  REQUIRE(running.session.run().ok());
  const Tensor y = running.session.output(0);
  REQUIRE(static_cast<std::size_t>(y.elements()) == expected.size());
  Difference difference;
  for (std::size_t at = 0; at < expected.size(); ++at) {
    const double apart = std::fabs(double{y.floats()[at]} - double{expected[at]});
    difference.largest = std::max(difference.largest, apart);
    difference.share += apart > 1e-5 ? 1.0 / static_cast<double>(expected.size()) : 0;
  }
  return difference;
}

// A golden has `rows` inputs of `width` numbers, then their outputs. All rows are one batch.
Difference difference(const std::filesystem::path& source, const std::filesystem::path& golden,
                      int rows, int width, Backend backend) {
  const std::vector<float> numbers = read_floats(golden);
  const auto middle = numbers.begin() + std::ptrdiff_t{rows} * width;
  return compare(source, {}, {numbers.begin(), middle}, {middle, numbers.end()}, rows, backend);
}

Difference decoder(const std::string& kind, Backend backend) {
  return difference(kGoldens / ("decoder_" + kind + ".tflite"),
                    kGoldens / ("decoder_" + kind + ".f32"), 3, 8, backend);
}

std::vector<Backend> backends() {
#ifdef FIGMENT_WITH_XNNPACK
  return {Backend::kPortable, Backend::kXnnpack};
#else
  return {Backend::kPortable};
#endif
}

}  // namespace

TEST_CASE("a decoder of every kind draws what LiteRT draws") {
  for (const Backend backend : backends()) {
    CAPTURE(name_of(backend));
    CHECK(decoder("float32", backend).largest < 1e-5);
    CHECK(decoder("float16", backend).largest < 1e-5);
    // Both round activations to int8 for each product, each in its own way.
    CHECK(decoder("dynamic", backend).largest < 0.02);
    CHECK(decoder("int8", backend).largest == 0);
  }
}

TEST_CASE("from the same int8, each layer gives LiteRT's") {
  // As goldens/tflite.py names them; the sum is taken with the layer before it.
  struct Layer {
    const char *from, *to;
    std::size_t from_at, from_count, to_at, to_count;
  };
  constexpr Layer kLayers[] = {
      {"z", "flat", 0, 8, 8, 96},
      {"flat", "up", 8, 96, 104, 512},
      {"up", "bent", 104, 512, 616, 512},
      {"bent", "deep", 616, 512, 1128, 512},
      {"bent", "added", 616, 512, 1640, 512},
      {"added", "large", 1640, 512, 2152, 4096},
      {"large", "logits", 2152, 4096, 6248, 768},
      {"logits", "picture", 6248, 768, 7016, 768},
  };
  const std::vector<float> numbers = read_floats(kGoldens / "decoder_int8_layers.f32");
  REQUIRE(numbers.size() == 7784);
  for (const Layer& layer : kLayers)
    for (const Backend backend : backends()) {
      CAPTURE(layer.to);
      converter::ConvertOptions options;
      options.from = layer.from;
      options.to = layer.to;
      const auto part = [&](std::size_t at, std::size_t count) {
        return std::vector<float>(numbers.begin() + static_cast<std::ptrdiff_t>(at),
                                  numbers.begin() + static_cast<std::ptrdiff_t>(at + count));
      };
      const std::vector<float> expected = part(layer.to_at, layer.to_count);
      const Difference difference =
          compare(kGoldens / "decoder_int8.tflite", options, part(layer.from_at, layer.from_count),
                  expected, 1, backend);
      CHECK(difference.largest == 0);
    }
}

TEST_CASE("int8 weights stay int8, and a full int8 file computes in integers") {
  const auto bytes = [](const std::string& kind) {
    return converter::convert(kGoldens / ("decoder_" + kind + ".tflite"), {}).bytes;
  };
  CHECK(bytes("dynamic").size() < bytes("float32").size() - 4000);
  const std::vector<std::byte> file = bytes("int8");
  int integers = 0;
  for (const format::Operator* node : *format::GetModel(file.data())->operators()) {
    switch (node->options_type()) {
      case format::OperatorOptions::QuantizedDense:
      case format::OperatorOptions::QuantizedConv2D:
      case format::OperatorOptions::QuantizedConvTranspose2D:
      case format::OperatorOptions::QuantizedUnary:
      case format::OperatorOptions::QuantizedAdd:
        ++integers;
        break;
      default:
        CHECK(node->activation() == nullptr);
    }
  }
  CHECK(integers == 7);
}

TEST_CASE("a file of int8 can be converted with other options") {
  const std::filesystem::path source = kGoldens / "decoder_dynamic.tflite";
  for (const auto weights : {converter::WeightStorage::kFloat16, converter::WeightStorage::kInt8,
                             converter::WeightStorage::kInt4}) {
    converter::ConvertOptions options;
    options.weights = weights;
    CHECK_NOTHROW(converter::convert(source, options));
    CHECK_NOTHROW(converter::convert(kGoldens / "decoder_int8.tflite", options));
  }
  converter::ConvertOptions options;
  options.one_at_a_time = true;
  CHECK_NOTHROW(converter::convert(source, options));
  options = {};
  options.for_training = true;
  CHECK_NOTHROW(converter::convert(kGoldens / "decoder_float32.tflite", options));
}

TEST_CASE("MLPerf Tiny's autoencoder, float32 and int8") {
  if (!std::filesystem::exists(kOthers)) {
    MESSAGE("the files of other people are not here; skipped");
    return;
  }
  for (const Backend backend : backends()) {
    CHECK(difference(kOthers / "ad01_fp32.tflite", kGoldens / "ad01_fp32.f32", 2, 640, backend)
              .largest < 1e-3);
    // The step of its output is 0.3645.
    CHECK(difference(kOthers / "ad01_int8.tflite", kGoldens / "ad01_int8.f32", 2, 640, backend)
              .largest < 0.3646);
  }
}

}  // namespace figment::testing::lite
