// The road of a trained file to the bytes of an .fgm, as one readable list of calls.
#include "converter/convert.h"

#include <fstream>
#include <iomanip>
#include <optional>
#include <sstream>

#include "converter/facts.h"
#include "converter/golden.h"
#include "converter/import/fgm.h"
#include "converter/import/import.h"
#include "converter/passes/passes.h"
#include "runtime/format/sha256.h"

namespace figment::converter {
namespace {

struct NamedPass {
  const char* name;
  PassResult (*run)(Graph& graph);
};

// Patterns first, while they stand as the exporter wrote them.
constexpr NamedPass kRecognise[] = {
    {"fold_constants", fold_constants},
    {"recognise_gelu", recognise_gelu},
    {"recognise_leaky_relu", recognise_leaky_relu},
    {"recognise_swish", recognise_swish},
    {"recognise_layer_normalization", recognise_layer_normalization},
    {"recognise_group_normalization", recognise_group_normalization},
};

// These open ways for each other, so they go round until none changes anything.
constexpr NamedPass kSimplify[] = {
    {"recognise_dense", recognise_dense}, {"to_nhwc", to_nhwc},
    {"swap_products", swap_products},     {"recognise_attention", recognise_attention},
    {"drop_identities", drop_identities}, {"fold_pad", fold_pad},
};

// The same, but they merge what would learn apart.
constexpr NamedPass kMerge[] = {
    {"fold_batch_normalization", fold_batch_normalization},
    {"fold_upsampling", fold_upsampling},
};

// Once, at the end.
constexpr NamedPass kFinish[] = {
    {"fuse_activation", fuse_activation},
    {"drop_identities", drop_identities},
    {"order_for_memory", order_for_memory},
};

constexpr int kMostRounds = 8;

// Runs one pass and notes what it did; in later rounds only when it did something.
int run_pass(Graph& graph, const NamedPass& pass, bool always_note, Conversion& conversion) {
  const PassResult result = pass.run(graph);
  if (always_note || result.changes > 0)
    conversion.passes.push_back({pass.name, result.sentence, graph.nodes.size()});
  return result.changes;
}

void run_passes(Graph& graph, const ConvertOptions& options, Conversion& conversion) {
  for (const NamedPass& pass : kRecognise) run_pass(graph, pass, true, conversion);
  for (int round = 0, changes = 1; changes > 0 && round < kMostRounds; ++round) {
    changes = 0;
    for (const NamedPass& pass : kSimplify)
      changes += run_pass(graph, pass, round == 0, conversion);
    if (options.for_training) continue;
    for (const NamedPass& pass : kMerge) changes += run_pass(graph, pass, round == 0, conversion);
  }
  if (options.one_at_a_time)
    run_pass(graph, {"split_leaky_relu", split_leaky_relu}, true, conversion);
  for (const NamedPass& pass : kFinish) run_pass(graph, pass, true, conversion);
  if (options.for_training) run_pass(graph, {"part_vectors", part_vectors}, true, conversion);
}

// Refuses what does not go together.
void check_options(const ConvertOptions& options) {
  if (options.for_training && options.weights != WeightStorage::kFloat32)
    throw ConvertError(
        "a model that shall learn keeps its weights float32; make them smaller once it has "
        "learned, by converting the trained .fgm");
  if (options.for_training && options.one_at_a_time)
    throw ConvertError(
        "a model that shall learn keeps its layers apart; convert the trained .fgm "
        "--one-at-a-time once it has learned");
  if (options.one_at_a_time &&
      (options.weights == WeightStorage::kInt8 || options.weights == WeightStorage::kInt4))
    throw ConvertError(
        "--one-at-a-time saves time with weights of f32 and f16 alone, for products of smaller "
        "ones read them all");
}

// Makes activations int8.
void quantize(Graph& graph, const std::optional<format::PriorT>& prior,
              const Calibration& calibration, Conversion& conversion) {
  const PassResult result = quantize_activations(
      graph, [&](const Graph& split) { return observe(split, prior, calibration); });
  conversion.passes.push_back({"quantize_activations", result.sentence, graph.nodes.size()});
}

// Stores weights in less room than float32.
void shrink_weights(Graph& graph, const ConvertOptions& options, Conversion& conversion) {
  if (options.weights == WeightStorage::kFloat16)
    run_pass(graph, {"narrow_weights", narrow_weights}, true, conversion);
  if (options.weights == WeightStorage::kInt4)
    run_pass(graph, {"quantize_dense", quantize_dense}, true, conversion);
  if (options.weights == WeightStorage::kInt8 || options.weights == WeightStorage::kInt4)
    run_pass(graph, {"quantize_weights", quantize_weights}, true, conversion);
}

// The last look before the file is written.
void check_graph(const Graph& graph) {
  if (!holds_at_batch(graph, 1) || (graph.any_batch && !holds_at_batch(graph, 3)))
    throw ConvertError(
        "the converted graph does not fit together, which is an error of the converter; please "
        "report "
        "it with the file");
}

// Refuses an output that is farther from float32 than the caller allows.
void check_accuracy(const Accuracy& accuracy, const ConvertOptions& options) {
  const double min_psnr = *options.min_psnr;
  const char* larger = options.weights == WeightStorage::kInt4   ? "int8, f16 or f32"
                       : options.weights == WeightStorage::kInt8 ? "f16 or f32"
                                                                 : "f32";

  for (const OutputAccuracy& output : accuracy.outputs) {
    if (output.least_psnr >= min_psnr) continue;
    std::ostringstream sentence;
    sentence << std::fixed << std::setprecision(1) << "output '" << output.name << "' is at "
             << output.least_psnr << " dB (PSNR) of what float32 weights give";
    if (!output.least_on.empty()) sentence << " (with the loops for " << output.least_on << ")";
    sentence << ", below the " << min_psnr << " dB asked for; ";
    if (options.calibration)
      sentence << "calibrate with more or better data, leave out --calibrate";
    else
      sentence << "use larger weights (--weights " << larger << ")";
    sentence << " or a lower --min-psnr";
    throw ConvertError(sentence.str());
  }
}

std::vector<std::uint8_t> hash_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  format::Sha256 hash;
  std::vector<char> block(1 << 20);
  while (file.read(block.data(), static_cast<std::streamsize>(block.size())), file.gcount() > 0)
    hash.update(std::as_bytes(std::span(block.data(), static_cast<std::size_t>(file.gcount()))));
  const format::Digest digest = hash.finish();
  return {digest.begin(), digest.end()};
}

Graph import_source(const std::filesystem::path& source, const ConvertOptions& options,
                    std::optional<ModelFacts>& own) {
  Graph graph;
  if (looks_like_fgm(source)) {
    ImportedModel imported = import_fgm(source);
    own = std::move(imported.facts);
    graph = std::move(imported.graph);
  } else {
    ImportOptions import_options;
    import_options.noise = options.noise;
    import_options.input_shapes = options.input_shapes;
    import_options.for_training = options.for_training;
    import_options.from = options.from;
    import_options.to = options.to;
    import_options.layer_shapes = options.layer_shapes;
    import_options.network = options.network;
    graph = import_with_batch(source, import_options);
    graph.name = source.stem().string();
  }
  if (!options.name.empty()) graph.name = options.name;
  return graph;
}

// What the options say, then what the source says of itself, then guesses.
ModelFacts facts_of(const Graph& graph, const ConvertOptions& options,
                    const std::optional<ModelFacts>& own) {
  ModelFacts facts = describe_model(graph, options);
  if (!own) return facts;
  if (!options.kind) facts.kind = own->kind;
  if (!options.prior) facts.prior = own->prior;
  if (!options.image && !options.text) facts.output_reading = own->output_reading;
  if (options.licence.empty()) facts.licence = own->licence;
  return facts;
}

}  // namespace

Conversion convert(const std::filesystem::path& source, const ConvertOptions& options) {
  check_options(options);
  std::optional<ModelFacts> own;  // what an .fgm says of itself
  Graph graph = import_source(source, options, own);

  Conversion conversion;
  conversion.operators_before = graph.nodes.size();
  run_passes(graph, options, conversion);
  const bool compare =
      options.weights != WeightStorage::kFloat32 && (options.measure_accuracy || options.min_psnr);
  std::optional<AlignedBytes> exact;  // the same model with weights as float32
  // Read off the graph while activations are float32.
  ModelFacts facts = facts_of(graph, options, own);
  if (compare) exact.emplace(emit(graph, facts));
  if (options.calibration) quantize(graph, facts.prior, *options.calibration, conversion);
  shrink_weights(graph, options, conversion);
  conversion.operators_after = graph.nodes.size();
  check_graph(graph);

  facts.parts_constants = options.for_training;
  facts.source_name = source.filename().string();
  facts.source_hash = hash_file(source);
  {
    const AlignedBytes file(emit(graph, facts));
    const std::uint64_t seed = own && own->golden ? own->golden->seed : options.golden_seed;
    facts.golden = make_golden(open_model(file.span()), seed);
  }
  conversion.bytes = emit(graph, facts);
  conversion.file_bytes = conversion.bytes.size();

  const AlignedBytes file(conversion.bytes);
  const Model model = open_model(file.span());
  if (compare) conversion.accuracy = measure_accuracy(open_model(exact->span()), model);
  if (options.min_psnr) check_accuracy(conversion.accuracy, options);
  conversion.arena_bytes_portable = arena_bytes(model, Backend::kPortable);
  conversion.arena_bytes_xnnpack = arena_bytes(model, Backend::kXnnpack);
  return conversion;
}

}  // namespace figment::converter
