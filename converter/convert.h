// The road of a trained file, or of an .fgm that has learned, to the bytes of an .fgm: import,
// passes, emit.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "converter/accuracy.h"
#include "converter/calibrate.h"
#include "converter/emit/flatbuffer.h"
#include "converter/text.h"

namespace figment::converter {

// kInt4: of dense layers; all others are stored as with kInt8.
enum class WeightStorage { kFloat32, kFloat16, kInt8, kInt4 };
enum class NoiseHandling {
  kOperator,
  kInput
};  // RandomNormal in the source: seeded operator, or a latent input

struct ConvertOptions {
  WeightStorage weights = WeightStorage::kFloat32;
  NoiseHandling noise = NoiseHandling::kOperator;
  std::map<std::string, std::vector<std::int64_t>> input_shapes;  // --input NAME=1x3x64x64
  std::string from, to;                                           // ImportOptions
  std::map<std::string, std::vector<std::int64_t>> layer_shapes;  // --shape LAYER=7x7x32
  std::filesystem::path network;                                  // ImportOptions
  // What the file says of itself; guessed from the graph where not given.
  std::optional<format::ModelKind> kind;
  std::optional<format::PriorT> prior;
  std::optional<format::ImageT> image;  // height 0, low = high: guessed
  std::optional<TextDescription> text;  // instead of a picture
  std::string name;                     // empty: the source file's stem
  std::string licence;                  // the text itself
  std::uint64_t golden_seed = 42;
  // With it activations are int8 too, and computed with in integers; for weights of kInt8.
  std::optional<Calibration> calibration;
  // The model shall learn: batch normalizations and nearest up-samplings stay operators of their
  // own, weights float32, and every operator has its own vectors. Nodes in training mode are taken.
  bool for_training = false;
  // For one sample at a time, on a processor whose loops skip zeros: LeakyRelus between dense
  // layers are split, which takes up to an eighth more weights. For float32 and float16 weights.
  bool one_at_a_time = false;
  // Whether smaller weights are compared with float32. An output below `min_psnr` dB is an error.
  bool measure_accuracy = false;
  std::optional<double> min_psnr;  // measures too
};

// One line of `convert --report`.
struct PassReport {
  std::string pass;
  std::string sentence;  // what it did
  std::size_t operators_after = 0;
};

struct Conversion {
  std::vector<std::byte> bytes;
  std::vector<PassReport> passes;
  std::size_t operators_before = 0, operators_after = 0;
  std::size_t file_bytes = 0;
  std::size_t arena_bytes_portable = 0, arena_bytes_xnnpack = 0;  // at batch 1
  Accuracy accuracy;  // where it was asked for and weights are smaller than float32
};

// Of a trained file, or of an .fgm, whose own name, facts and golden's seed stay where the options
// give no others. Throws ConvertError.
Conversion convert(const std::filesystem::path& source, const ConvertOptions& options);

}  // namespace figment::converter
