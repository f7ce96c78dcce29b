// The whole road, on the GAN and the VAE that this repository ships.
#include "converter/convert.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "converter/golden.h"

using namespace figment::converter;
namespace format = figment::format;

namespace {

const std::filesystem::path kModels = std::filesystem::path(FIGMENT_SOURCE_DIR) / "models";

int count_kind(const format::Model& root, format::OperatorOptions kind) {
  return static_cast<int>(
      std::count_if(root.operators()->begin(), root.operators()->end(),
                    [&](const format::Operator* node) { return node->options_type() == kind; }));
}

}  // namespace

TEST_CASE("the generator is nothing but transposed convolutions") {
  const Conversion conversion = convert(kModels / "digits_gan/generator.onnx", {});
  const AlignedBytes file(conversion.bytes);
  const figment::Model model = open_model(file.span());
  CHECK(count_kind(model.root(), format::OperatorOptions::ConvTranspose2D) ==
        model.operator_count());
  CHECK(model.any_batch());
  CHECK(model.name() == "generator");
  CHECK(model.kind() == figment::ModelKind::kGenerator);
  CHECK(model.image().height == 28);
  CHECK(model.image().low == -1.0f);
  CHECK(model.root().prior()->size() == 64);
  CHECK(model.root().provenance()->source_name()->str() == "generator.onnx");
  CHECK(model.root().provenance()->source_hash() != nullptr);

  CHECK(conversion.operators_after == static_cast<std::size_t>(model.operator_count()));
  CHECK(conversion.operators_before > conversion.operators_after);
  CHECK(conversion.file_bytes == conversion.bytes.size());
  CHECK(conversion.arena_bytes_portable == arena_bytes(model, figment::Backend::kPortable));
  CHECK(conversion.arena_bytes_xnnpack == arena_bytes(model, figment::Backend::kXnnpack));
  CHECK(conversion.passes.back().operators_after == conversion.operators_after);
  const auto turned =
      std::find_if(conversion.passes.begin(), conversion.passes.end(),
                   [](const PassReport& report) { return report.pass == "to_nhwc"; });
  REQUIRE(turned != conversion.passes.end());
  CHECK(turned->sentence.find(", 0 after") != std::string::npos);
}

TEST_CASE("the file carries the golden that the portable backend gives") {
  ConvertOptions options;
  options.golden_seed = 7;
  const Conversion conversion = convert(kModels / "digits_vae/decoder.onnx", options);
  const AlignedBytes file(conversion.bytes);
  const figment::Model model = open_model(file.span());
  const format::Golden* stored = model.root().golden();
  REQUIRE(stored != nullptr);
  CHECK(stored->seed() == 7);
  const format::GoldenT again = make_golden(model, 7);
  CHECK(std::equal(stored->values()->begin(), stored->values()->end(), again.values.begin(),
                   again.values.end()));
  CHECK(std::equal(stored->output_digest()->bytes()->begin(),
                   stored->output_digest()->bytes()->end(), again.output_digest->bytes()->begin()));
}

TEST_CASE("the same file twice gives the same bytes") {
  CHECK(convert(kModels / "digits_vae/encoder.onnx", {}).bytes ==
        convert(kModels / "digits_vae/encoder.onnx", {}).bytes);
}

TEST_CASE("float16 weights take half the file") {
  ConvertOptions options;
  options.weights = WeightStorage::kFloat16;
  options.name = "small";
  const Conversion narrow = convert(kModels / "digits_gan/generator.onnx", options);
  CHECK(narrow.file_bytes <
        convert(kModels / "digits_gan/generator.onnx", {}).file_bytes * 55 / 100);
  CHECK(narrow.passes.back().pass == "narrow_weights");
  const AlignedBytes file(narrow.bytes);
  CHECK(open_model(file.span()).name() == "small");
}

TEST_CASE("a calibration set makes the arena small, and loses little") {
  ConvertOptions options;
  options.weights = WeightStorage::kInt8;
  options.measure_accuracy = true;
  const Conversion dynamic = convert(kModels / "digits_gan/generator.onnx", options);
  options.calibration.emplace();
  options.calibration->latents = 16;
  const Conversion fixed = convert(kModels / "digits_gan/generator.onnx", options);
  CHECK(fixed.arena_bytes_portable * 8 < dynamic.arena_bytes_portable);
  CHECK(fixed.file_bytes < dynamic.file_bytes * 102 / 100);
  REQUIRE(fixed.accuracy.outputs.size() == 1);
  CHECK(fixed.accuracy.outputs[0].psnr > 35);
  CHECK(fixed.bytes == convert(kModels / "digits_gan/generator.onnx", options).bytes);
  const AlignedBytes file(fixed.bytes);
  const figment::Model model = open_model(file.span());
  CHECK(model.root().version() == 4);
  CHECK(count_kind(model.root(), format::OperatorOptions::QuantizedConvTranspose2D) == 4);
  CHECK(count_kind(model.root(), format::OperatorOptions::ConvTranspose2D) == 0);
  // What the activations told before they were int8.
  CHECK(model.kind() == figment::ModelKind::kGenerator);
  CHECK(model.image().low == -1.0f);

  options.min_psnr = 90;
  CHECK_THROWS_WITH_AS(
      convert(kModels / "digits_gan/generator.onnx", options),
      doctest::Contains("calibrate with more or better data, leave out --calibrate or a lower"),
      ConvertError);
}

TEST_CASE("an encoder wants pictures to be calibrated with") {
  ConvertOptions options;
  options.weights = WeightStorage::kInt8;
  options.calibration.emplace();
  options.calibration->latents = 4;
  CHECK_THROWS_WITH_AS(convert(kModels / "digits_vae/encoder.onnx", options),
                       doctest::Contains("give --calibrate a .npy file"), ConvertError);
}

TEST_CASE("a missing file is one sentence") {
  CHECK_THROWS_AS(convert(kModels / "nothing.onnx", {}), ConvertError);
}
