// An .fgm read back: the same results, and every pass finds what it looks for.
#include "converter/import/fgm.h"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <set>

#include "converter/convert.h"
#include "converter/golden.h"
#include "tests/import/onnx_builder.h"
#include "tests/import/run_graph.h"
#include "tests/support/loaded_model.h"
#include "tests/support/packed_numbers.h"

namespace figment::testing {
namespace {

using converter::Conversion;
using converter::ConvertOptions;

void write(const std::filesystem::path& path, const std::vector<std::byte>& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

int count_kind(const std::vector<std::byte>& file, format::OperatorOptions kind) {
  int count = 0;
  for (const format::Operator* node : *format::GetModel(file.data())->operators())
    count += node->options_type() == kind ? 1 : 0;
  return count;
}

// All outputs for one seed, on the portable backend.
std::vector<float> outputs_of(const std::vector<std::byte>& file, int batch = 2) {
  const AlignedMemory bytes = align_bytes(file);
  const Result<Model> model = Model::open(bytes.span());
  REQUIRE_MESSAGE(model.ok(), std::string(model.status().message()));
  Options options;
  options.backend = Backend::kPortable;
  options.batch = batch;
  RunningSession running(*model, options);
  fill_inputs(running.session, *model, 5);
  REQUIRE(running.session.run().ok());
  std::vector<float> values;
  for (int i = 0; i < model->output_count(); ++i) {
    const Tensor output = running.session.output(i);
    if (output.type == DataType::kFloat32)
      values.insert(values.end(), output.floats(), output.floats() + output.elements());
  }
  return values;
}

// Relative to the largest number, or to 1.
double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  double range = 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::fabs(double{a[i]} - double{b[i]}));
    range = std::max(range, std::fabs(double{b[i]}));
  }
  return largest / range;
}

// A generator as PyTorch exports it in training mode: twice a convolution, batch normalization and
// relu, with an up-sampling and dropout between. The normalizations begin equal.
void build(OnnxBuilder& builder, bool training = true) {
  builder.input("z", {-1, 8});
  builder.floats("w0", {8, 48}, ramp(384)).floats("b0", {48}, ramp(48));
  builder.node("Gemm", {"z", "w0", "b0"}, {"h"});
  builder.integers("shape", {4}, {-1, 3, 4, 4}).node("Reshape", {"h", "shape"}, {"p0"});
  std::string x = "p0";
  for (const std::string layer : {"1", "2"}) {
    builder.floats("w" + layer, {3, 3, 3, 3}, ramp(81));
    builder.node("Conv", {x, "w" + layer}, {"c" + layer}, {attribute("pads", Extents{1, 1, 1, 1})});
    builder.floats("scale" + layer, {3}, {1, 1, 1}).floats("bias" + layer, {3}, {0, 0, 0});
    builder.floats("mean" + layer, {3}, {0, 0, 0}).floats("variance" + layer, {3}, {1, 1, 1});
    std::vector<std::string> outputs{"n" + layer};
    if (training) outputs.insert(outputs.end(), {"m" + layer, "v" + layer});
    builder.node("BatchNormalization",
                 {"c" + layer, "scale" + layer, "bias" + layer, "mean" + layer, "variance" + layer},
                 outputs, {attribute("training_mode", training ? 1 : 0)});
    builder.node("Relu", {"n" + layer}, {"r" + layer});
    x = "r" + layer;
    if (layer == "2") break;
    builder.floats("scales", {4}, {1, 1, 2, 2}).node("Resize", {x, "", "scales"}, {"u"});
    x = "u";
    if (!training) continue;
    builder.floats("ratio", {}, {0.3F}).node("Constant", {}, {"yes"}, {attribute("value", [] {
                                               onnx::TensorProto yes;
                                               yes.set_data_type(onnx::TensorProto::BOOL);
                                               yes.set_int32_data(packed_varints({1}));
                                               return yes;
                                             }())});
    builder.node("Dropout", {"u", "ratio", "yes"}, {"d", "mask"});
    x = "d";
  }
  builder.output("r2");
}

std::string refusal(const std::filesystem::path& path, const ConvertOptions& options = {}) {
  try {
    converter::convert(path, options);
  } catch (const converter::ConvertError& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("every shipped model comes back with the same results and facts") {
  const OnnxBuilder place(13);
  for (const auto& path : shipped_models()) {
    CAPTURE(path.string());
    ConvertOptions options;
    if (path.stem().string().ends_with("int8")) options.weights = converter::WeightStorage::kInt8;
    const Conversion again = converter::convert(path, options);
    const AlignedMemory before = read_aligned(path);
    const std::vector<std::byte> original(before.span().begin(), before.span().end());
    CHECK(largest_difference(outputs_of(again.bytes), outputs_of(original)) < 1e-5);
    const format::Model& a = *format::GetModel(original.data());
    const format::Model& b = *format::GetModel(again.bytes.data());
    CHECK(a.name()->str() == b.name()->str());
    CHECK(a.kind() == b.kind());
    CHECK(a.any_batch() == b.any_batch());
    CHECK((a.prior() == nullptr) == (b.prior() == nullptr));
    CHECK(a.output_reading_type() == b.output_reading_type());
    CHECK(a.golden()->seed() == b.golden()->seed());
    CHECK(a.operators()->size() == b.operators()->size());
    CHECK(b.provenance()->source_name()->str() == path.filename().string());
    for (flatbuffers::uoffset_t i = 0; i < a.inputs()->size(); ++i)
      CHECK(a.inputs()->Get(i)->name()->str() == b.inputs()->Get(i)->name()->str());
  }
}

TEST_CASE("weights of any format come back as float32, and become any other") {
  OnnxBuilder builder(14);
  build(builder, false);
  const std::filesystem::path source = builder.save();
  const std::filesystem::path copy = builder.folder() / "copy.fgm";
  for (const auto weights : {converter::WeightStorage::kFloat16, converter::WeightStorage::kInt8}) {
    ConvertOptions options;
    options.weights = weights;
    const Conversion narrow = converter::convert(source, options);
    write(copy, narrow.bytes);
    const Conversion wide = converter::convert(copy, {});
    CHECK(wide.bytes.size() > narrow.bytes.size());
    const Conversion again = converter::convert(copy, options);
    // The same numbers are rounded to themselves.
    CHECK(outputs_of(again.bytes) == outputs_of(narrow.bytes));
  }
}

TEST_CASE("a model that shall learn keeps its batch normalizations, and folds them once it has") {
  OnnxBuilder training(14);
  build(training);
  const std::filesystem::path source = training.save();
  CHECK(refusal(source).find("convert it --for-training") != std::string::npos);
  ConvertOptions options;
  options.for_training = true;
  const Conversion conversion = converter::convert(source, options);
  const format::Model& root = *format::GetModel(conversion.bytes.data());
  CHECK(count_kind(conversion.bytes, format::OperatorOptions::BatchNormalization) == 2);
  CHECK(count_kind(conversion.bytes, format::OperatorOptions::Resize) == 1);
  CHECK(root.operators()->size() == 7);  // dropout is gone, activations are fused
  CHECK(root.any_batch());
  // Though equal, no two operators share a vector or anything else.
  std::set<int> read;
  for (const format::Operator* node : *root.operators())
    for (const int input : *node->inputs())
      if (input >= 0 && root.tensors()->Get(static_cast<unsigned>(input))->data() != nullptr)
        CHECK(read.insert(input).second);
  CHECK(read.size() == 2 + 2 + 8);

  const std::filesystem::path learned = training.folder() / "learned.fgm";
  write(learned, conversion.bytes);
  const Conversion deployed = converter::convert(learned, {});
  CHECK(count_kind(deployed.bytes, format::OperatorOptions::BatchNormalization) == 0);
  CHECK(count_kind(deployed.bytes, format::OperatorOptions::Resize) == 0);
  CHECK(format::GetModel(deployed.bytes.data())->operators()->size() == 4);
  CHECK(largest_difference(outputs_of(deployed.bytes), outputs_of(conversion.bytes)) < 1e-3);
  // As the same source gives it without the way round.
  OnnxBuilder inference(14);
  build(inference, false);
  CHECK(largest_difference(outputs_of(deployed.bytes),
                           outputs_of(converter::convert(inference.save(), {}).bytes)) < 1e-3);
  options.weights = converter::WeightStorage::kInt8;
  CHECK(refusal(source, options).find("keeps its weights float32") != std::string::npos);
}

TEST_CASE("a damaged .fgm is refused with a sentence") {
  const OnnxBuilder place(13);
  const std::filesystem::path path = place.folder() / "damaged.fgm";
  const AlignedMemory file = read_aligned(shipped_models().front());
  const auto bytes = file.span();
  write(path, {bytes.begin(), bytes.begin() + 1000});
  CHECK(converter::looks_like_fgm(path));
  CHECK_FALSE(converter::looks_like_fgm(place.folder() / "none"));
  CHECK_THROWS_AS(converter::import_fgm(path), converter::DamagedFile);
  CHECK(refusal(path).find("damaged or cut short") != std::string::npos);
}

}  // namespace figment::testing
