// figment check: is the file whole, and does it compute here what it should?
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>

#include "figment/format/model_generated.h"
#include "runtime/format/sha256.h"
#include "runtime/model_view.h"
#include "targets/host/describe.h"
#include "targets/host/draw.h"
#include "targets/host/model_file.h"
#include "targets/host/ports.h"
#include "targets/host/session_memory.h"
#include "targets/host/verb.h"

namespace figment::host {
namespace {

bool same(const format::Hash& hash, const format::Digest& digest) {
  return std::memcmp(hash.bytes()->data(), digest.data(), digest.size()) == 0;
}

void check_content_hash(const ModelFile& file) {
  const format::Hash* hash = file.model.root().content_hash();
  if (hash == nullptr)
    throw VerbError(ExitCode::kBadFile,
                    "the file carries no content hash; convert the model again");
  if (!same(*hash, format::content_hash(file.file.bytes())))
    throw VerbError(ExitCode::kBadFile,
                    "the file was changed since it was converted: its content hash differs");
  std::printf("ok  content hash\n");
}

// What the golden's seed gives at batch 1.
struct GoldenRun {
  format::Digest digest;  // of all outputs' bytes
  std::vector<float> first_output;
};

GoldenRun run_golden(const Model& model, std::uint64_t seed, Backend backend) {
  Options options;
  options.backend = backend;
  options.noise_seed = seed;
  SessionMemory memory(model, options);
  // A new session's inputs are zeros, as those of whole numbers stay.
  for (int index = 0; index < model.input_count(); ++index)
    if (const Tensor input = memory.session.input(index); input.type == DataType::kFloat32)
      fill_from_prior(model, input, seed + static_cast<std::uint64_t>(index), 0);
  require(memory.session.run());
  format::Sha256 hash;
  for (int index = 0; index < model.output_count(); ++index) {
    const Tensor output = memory.session.output(index);
    // float32 and int32: four bytes each.
    hash.update({static_cast<const std::byte*>(output.data),
                 4 * static_cast<std::size_t>(output.elements())});
  }
  GoldenRun run{hash.finish(), {}};
  const Tensor first = memory.session.output(0);
  for (std::int64_t index = 0; index < first.elements(); ++index)
    run.first_output.push_back(first.type == DataType::kInt32
                                   ? static_cast<float>(first.integers()[index])
                                   : first.floats()[index]);
  return run;
}

// How far an output is from the golden's values, relative to the largest of them: the largest
// difference, and the root of the mean of their squares.
struct RelativeError {
  double largest = 0, mean = 0;
};

RelativeError relative_error(const format::Golden& golden, const std::vector<float>& output) {
  double range = 1e-30, squares = 0;
  RelativeError error;
  const std::size_t length = golden.values()->size();
  for (std::size_t index = 0; index < length; ++index) {
    const double expected = golden.values()->Get(static_cast<flatbuffers::uoffset_t>(index));
    const double difference = std::abs(output[index * output.size() / length] - expected);
    range = std::max(range, std::abs(expected));
    // The larger of the two as it stands, NaN included.
    if (!(difference <= error.largest)) error.largest = difference;
    squares += difference * difference;
  }
  error.largest /= range;
  error.mean = std::sqrt(squares / static_cast<double>(length)) / range;
  return error;
}

ExitCode check_golden(const Model& model) {
  const format::Golden* golden = golden_of(model.root());
  if (golden == nullptr) {
    std::printf("--  golden: the file has none, so its results cannot be checked\n");
    return ExitCode::kSuccess;
  }
  const auto seed = golden->seed();
  const GoldenRun portable = run_golden(model, seed, Backend::kPortable);
  if (!same(*golden->output_digest(), portable.digest))
    throw VerbError(ExitCode::kGoldenMismatch,
                    "the portable backend does not compute here what the golden says, bit for bit");
  std::printf("ok  golden on the portable backend, bit for bit\n");
  if (golden->values() == nullptr || golden->values()->size() == 0) return ExitCode::kSuccess;
  // Weights of integers are multiplied with activations in 255 steps, with those as they are, or
  // tile by tile in steps of tiles, where that is the faster way: single numbers differ by several
  // steps, the picture hardly.
  const std::string weights = weights_type(model.root());
  const bool integers = weights == "int8" || weights == "int4";
  const RelativeError found =
      relative_error(*golden, run_golden(model, seed, Backend::kXnnpack).first_output);
  const double allowed = integers ? 5e-2 : 1e-4;
  const double error = integers ? found.mean : found.largest;
  char text[32];
  std::snprintf(text, sizeof text, "%.1e", error);
  if (!(error <= allowed))
    throw VerbError(ExitCode::kGoldenMismatch, std::string("XNNPACK differs from the golden by ") +
                                                   text + " relative, more than " +
                                                   number_text(allowed));
  std::printf("ok  golden on XNNPACK, relative error %s\n", text);
  return ExitCode::kSuccess;
}

ExitCode check(const std::string& path) {
  const ModelFile file(path);
  std::printf("ok  %s verifies: %d operators, %zu bytes\n", input_name(path).c_str(),
              file.model.operator_count(), file.file.bytes().size());
  check_content_hash(file);
  return check_golden(file.model);
}

std::function<ExitCode()> declare(CLI::App& app) {
  auto path = std::make_shared<std::string>();
  app.add_option("model", *path, "The model, an .fgm file")->required();
  return [path] { return check(*path); };
}

}  // namespace

const Verb kCheck{"check", "verify a model and run its own golden",
                  "figment check models/digits_vae/decoder.fgm", declare};

}  // namespace figment::host
