// figment convert: a trained file becomes an .fgm, or C source with the .fgm in it.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "converter/convert.h"
#include "converter/emit/c_array.h"
#include "converter/import/fgm.h"
#include "targets/host/arguments.h"
#include "targets/host/describe.h"
#include "targets/host/input_file.h"
#include "targets/host/model_file.h"
#include "targets/host/npy.h"
#include "targets/host/output_file.h"
#include "targets/host/text_file.h"
#include "targets/host/verb.h"

namespace figment::host {
namespace {

using converter::Conversion;
using converter::ConvertOptions;

struct Arguments {
  std::string source, output, weights = "f32", noise = "operator", kind, prior, image, range,
                              licence, name, text, emit = "fgm", symbol, calibrate, from, to,
                              network;
  std::vector<std::string> inputs, shapes;
  std::optional<double> min_psnr;
  bool report = false, json = false;
  bool for_training = false, one_at_a_time = false;
  std::string of_trained_files;  // an option that was given and is of no use for an .fgm
  bool converts = false;         // an option was given for which an .fgm must be converted again
};

enum class Emit { kFgm, kCArray };

// One of a few words; the table gives its value.
template <typename T>
T choose(const std::string& option, const std::string& word,
         std::initializer_list<std::pair<const char*, T>> table) {
  std::string words;
  for (const auto& [name, value] : table) {
    if (word == name) return value;
    words += (words.empty() ? "" : ", ") + std::string(name);
  }
  throw VerbError(ExitCode::kUsage, option + " is '" + word + "' but must be one of " + words);
}

// A number of latents, or a .npy file of inputs.
converter::Calibration read_calibration(const std::string& word) {
  constexpr std::size_t kMostDigits = 6;
  converter::Calibration calibration;
  if (word.find_first_not_of("0123456789") == std::string::npos) {
    if (word.size() <= kMostDigits) calibration.latents = std::atoi(word.c_str());
    if (calibration.latents < 1)
      throw VerbError(ExitCode::kUsage,
                      "--calibrate is '" + word +
                          "' but must be 1 to 999999 latents, or a .npy file of inputs");
    return calibration;
  }
  Array array = read_npy(read_file(word), input_name(word));
  calibration.name = input_name(word);
  calibration.shape = std::move(array.shape);
  calibration.values.assign(array.values.begin(), array.values.end());
  return calibration;
}

// Reads NAME=SHAPE, of the `option` that is written like the example.
void add_shape(const std::string& word, const std::string& option, const std::string& example,
               const std::string& what, std::map<std::string, std::vector<std::int64_t>>& shapes) {
  // The last '=': names may hold one, shapes do not.
  const std::size_t equals = word.rfind('=');
  if (equals == std::string::npos || equals == 0)
    throw VerbError(ExitCode::kUsage,
                    option + " is '" + word + "' but must be written as " + example);
  const std::string name = word.substr(0, equals);
  shapes[name] = parse_shape(word.substr(equals + 1), what + " '" + name + "'");
}

ConvertOptions make_options(const Arguments& arguments) {
  ConvertOptions options;
  options.weights = choose<converter::WeightStorage>("--weights", arguments.weights,
                                                     {{"f32", converter::WeightStorage::kFloat32},
                                                      {"f16", converter::WeightStorage::kFloat16},
                                                      {"int8", converter::WeightStorage::kInt8},
                                                      {"int4", converter::WeightStorage::kInt4}});
  if (!arguments.calibrate.empty()) {
    if (options.weights != converter::WeightStorage::kInt8)
      throw VerbError(ExitCode::kUsage,
                      "--calibrate makes activations int8, which goes with --weights int8");
    options.calibration = read_calibration(arguments.calibrate);
  }
  options.noise =
      choose<converter::NoiseHandling>("--noise", arguments.noise,
                                       {{"operator", converter::NoiseHandling::kOperator},
                                        {"input", converter::NoiseHandling::kInput}});
  for (const std::string& word : arguments.inputs)
    add_shape(word, "--input", "NAME=1x3x64x64", "input", options.input_shapes);
  for (const std::string& word : arguments.shapes)
    add_shape(word, "--shape", "LAYER=7x7x32", "layer", options.layer_shapes);
  if (!arguments.kind.empty())
    options.kind = choose<format::ModelKind>("--kind", arguments.kind,
                                             {{"decoder", format::ModelKind::Decoder},
                                              {"generator", format::ModelKind::Generator},
                                              {"encoder", format::ModelKind::Encoder},
                                              {"discriminator", format::ModelKind::Discriminator},
                                              {"other", format::ModelKind::Other}});
  if (!arguments.prior.empty()) {
    options.prior.emplace();
    options.prior->distribution = choose<format::Distribution>(
        "--prior", arguments.prior,
        {{"normal", format::Distribution::Normal}, {"uniform", format::Distribution::Uniform}});
  }
  if (!arguments.image.empty()) {
    const std::vector<std::int64_t> shape = parse_shape(arguments.image, "--image");
    if (shape.size() != 3 || shape[0] > 65536 || shape[1] > 65536 ||
        (shape[2] != 1 && shape[2] != 3))
      throw VerbError(ExitCode::kUsage,
                      "--image is '" + arguments.image +
                          "' but must be height x width x channels, such as 28x28x1 or 64x64x3");
    options.image.emplace();
    options.image->height = static_cast<std::int32_t>(shape[0]);
    options.image->width = static_cast<std::int32_t>(shape[1]);
    options.image->channels = static_cast<std::int32_t>(shape[2]);
    options.image->high = options.image->low;  // the range is guessed
  }
  if (!arguments.range.empty()) {
    if (!options.image) options.image.emplace();  // height 0: the size is guessed
    const auto [low, high] = parse_range(arguments.range, "--range");
    if (low >= high)
      throw VerbError(ExitCode::kUsage, "--range must go from the smaller number to the larger");
    options.image->low = low;
    options.image->high = high;
  }
  if (!arguments.licence.empty()) {
    const std::vector<std::byte> bytes = read_file(arguments.licence);
    options.licence.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  if (!arguments.text.empty()) {
    if (options.image)
      throw VerbError(ExitCode::kUsage,
                      "--text says that the output is no picture; leave out --image and --range");
    options.text = read_text_file(arguments.text);
  }
  options.name = arguments.name;
  options.from = arguments.from;
  options.to = arguments.to;
  options.network = arguments.network;
  options.for_training = arguments.for_training;
  options.one_at_a_time = arguments.one_at_a_time;
  options.measure_accuracy = arguments.report || arguments.json;
  options.min_psnr = arguments.min_psnr;
  return options;
}

// The file to convert. Standard input becomes one, for importers want files; it is removed when
// this goes.
class Source {
 public:
  explicit Source(const std::string& word) : path_(word) {
    std::error_code error;
    if (word == "-") {
      spool();
    } else if (std::filesystem::is_directory(word, error)) {
      throw VerbError(ExitCode::kInputOutput, "cannot read " + word + ": it is a folder");
    } else if (!std::ifstream(word, std::ios::binary)) {
      // Unreadable is another class of error than damaged.
      throw VerbError(ExitCode::kInputOutput,
                      "cannot read " + word + ": there is no such file, or it may not be read");
    }
  }
  ~Source() {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  void spool() {
    std::string pattern = (std::filesystem::temp_directory_path() / "figment-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw VerbError(ExitCode::kInputOutput, "no folder can be made in " +
                                                  std::filesystem::temp_directory_path().string());
    folder_ = pattern;
    path_ = folder_ / "model.onnx";
    const std::vector<std::byte> bytes = read_file("-");
    std::ofstream file(path_, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    if (!file.flush()) throw VerbError(ExitCode::kInputOutput, "cannot write " + path_.string());
  }

  std::filesystem::path path_, folder_;
};

Emit choose_emit(const Arguments& arguments) {
  const auto emit =
      choose<Emit>("--emit", arguments.emit, {{"fgm", Emit::kFgm}, {"c-array", Emit::kCArray}});
  if (arguments.symbol.empty()) return emit;
  if (emit != Emit::kCArray)
    throw VerbError(ExitCode::kUsage, "--symbol names an array; give --emit c-array as well");
  if (!converter::is_symbol(arguments.symbol))
    throw VerbError(ExitCode::kUsage,
                    "--symbol is '" + arguments.symbol +
                        "' but must be letters, digits and _, and begin with no digit");
  return emit;
}

// C source with an .fgm in it, whose session takes `arena_bytes`.
std::string c_array(const Arguments& arguments, std::string_view name,
                    std::span<const std::byte> bytes, std::size_t arena_bytes) {
  return converter::emit_c_array(
      bytes, {arguments.symbol.empty() ? converter::symbol_of(name) : arguments.symbol, name,
              arena_bytes});
}

// An .fgm as it is.
ExitCode embed(const Arguments& arguments, const Source& source, OutputFile& output) {
  const ModelFile file(source.path().string());
  const auto arena = expect(Session::arena_bytes(file.model, {.backend = Backend::kPortable}));
  output.commit(c_array(arguments, file.model.name(), file.file.bytes(), arena));
  return ExitCode::kSuccess;
}

void print_report(std::FILE* to, const Conversion& conversion) {
  std::fprintf(to, "%-30s %9s  %s\n", "pass", "operators", "what it did");
  for (const converter::PassReport& pass : conversion.passes)
    std::fprintf(to, "%-30s %9zu  %s\n", pass.pass.c_str(), pass.operators_after,
                 pass.sentence.c_str());
  std::fprintf(to, "operators   %zu before, %zu after\n", conversion.operators_before,
               conversion.operators_after);
  std::fprintf(to, "file        %s bytes\n", with_commas(conversion.file_bytes).c_str());
  std::fprintf(to, "arena       %s bytes on xnnpack, %s on portable, batch 1\n",
               with_commas(conversion.arena_bytes_xnnpack).c_str(),
               with_commas(conversion.arena_bytes_portable).c_str());
  for (const converter::OutputAccuracy& output : conversion.accuracy.outputs) {
    std::fprintf(to, "accuracy    %s: PSNR %.1f dB, largest error %.3g against float32, %d seeds\n",
                 output.name.c_str(), output.psnr, output.largest_error, conversion.accuracy.seeds);
    if (!output.least_on.empty())
      std::fprintf(to, "            with the loops for %s: PSNR %.1f dB\n", output.least_on.c_str(),
                   output.least_psnr);
  }
}

void print_json(std::FILE* to, const Conversion& conversion) {
  using Json = nlohmann::ordered_json;
  Json passes = Json::array();
  for (const converter::PassReport& pass : conversion.passes)
    passes.push_back({{"pass", pass.pass},
                      {"sentence", pass.sentence},
                      {"operators_after", pass.operators_after}});
  Json accuracy = Json::array();
  for (const converter::OutputAccuracy& output : conversion.accuracy.outputs)
    accuracy.push_back({{"output", output.name},
                        {"psnr", output.psnr},
                        {"largest_error", output.largest_error},
                        {"least_psnr", output.least_psnr},
                        {"least_psnr_on", output.least_on},
                        {"seeds", conversion.accuracy.seeds}});
  const Json json{{"operators_before", conversion.operators_before},
                  {"operators_after", conversion.operators_after},
                  {"file_bytes", conversion.file_bytes},
                  {"arena_bytes", conversion.arena_bytes_xnnpack},
                  {"arena_bytes_portable", conversion.arena_bytes_portable},
                  {"passes", passes},
                  {"accuracy", accuracy}};
  std::fprintf(to, "%s\n", json.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

ExitCode convert(const Arguments& arguments) {
  const ConvertOptions options = make_options(arguments);
  const Emit emit = choose_emit(arguments);
  OutputFile output(arguments.output);
  const Source source(arguments.source);
  if (converter::looks_like_fgm(source.path())) {
    if (!arguments.of_trained_files.empty())
      throw VerbError(ExitCode::kUsage, arguments.of_trained_files +
                                            " is for trained files of other formats; an .fgm has "
                                            "its shapes and inputs already");
    if (emit == Emit::kCArray && !arguments.converts) return embed(arguments, source, output);
  }
  const Conversion conversion = converter::convert(source.path(), options);
  if (emit == Emit::kCArray) {
    const std::string name = format::GetModel(conversion.bytes.data())->name()->str();
    output.commit(c_array(arguments, name, conversion.bytes, conversion.arena_bytes_portable));
  } else {
    output.commit(conversion.bytes);
  }
  // The report leaves standard output to the model when that is where it goes.
  std::FILE* to = arguments.output == "-" ? stderr : stdout;
  if (arguments.json)
    print_json(to, conversion);
  else if (arguments.report)
    print_report(to, conversion);
  return ExitCode::kSuccess;
}

std::function<ExitCode()> declare(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  app.add_option("source", arguments->source,
                 "The trained file (ONNX, PyTorch, safetensors, Keras, TensorFlow.js, TFLite, "
                 "Flux.jl), or an .fgm to convert again or --emit as something else")
      ->required();
  app.add_option("-o,--output", arguments->output, "The .fgm file to write")->required();
  app.add_option("--emit", arguments->emit,
                 "What to write: fgm, or c-array for C source that holds it")
      ->capture_default_str();
  app.add_option("--symbol", arguments->symbol,
                 "The array's name in C source (default: after the model's)");
  app.add_option(
         "--weights", arguments->weights,
         "How weights are stored: f32, f16, int8, or int4 for those of dense layers (int8 for "
         "others)")
      ->capture_default_str();
  app.add_option("--calibrate", arguments->calibrate,
                 "With --weights int8: activations are int8 too, with ranges from a .npy file of "
                 "inputs, or from so many latents of the model's prior");
  app.add_option("--input", arguments->inputs,
                 "An input's shape where the source leaves it open: NAME=1x3x64x64")
      ->take_all();
  app.add_option("--from", arguments->from,
                 "The layer whose output becomes the input; what comes before is left out");
  app.add_option("--to", arguments->to,
                 "The layer whose output becomes the output; what comes after is left out");
  app.add_option("--shape", arguments->shapes,
                 "For Flux.jl: the shape that a function without a name gives one sample, in "
                 "Julia's order, as decoder.2=7x7x32; or what the model takes, as input=28x28x1")
      ->take_all();
  app.add_option(
      "--network", arguments->network,
      "For files of weights alone: a JSON description of the network, or the name of one "
      "that Figment ships");
  app.add_option("--noise", arguments->noise,
                 "Random numbers in the source become a seeded operator or an input")
      ->capture_default_str();
  app.add_option("--kind", arguments->kind,
                 "decoder, generator, encoder, discriminator or other (default: guessed)");
  app.add_option("--prior", arguments->prior, "Where latents come from: normal or uniform");
  app.add_option("--image", arguments->image,
                 "The output as a picture: HEIGHTxWIDTHxCHANNELS (default: guessed)");
  app.add_option("--range", arguments->range,
                 "The output's black and white, as -1..1 (default: guessed)");
  app.add_option("--text", arguments->text,
                 "The output as text: a JSON file with the vocabulary and how symbols follow each "
                 "other");
  app.add_option("--licence", arguments->licence,
                 "A file with the licence's text, kept in the model");
  app.add_option("--name", arguments->name, "The model's name (default: the source file's)");
  app.add_flag(
      "--for-training", arguments->for_training,
      "Keep apart what learns: batch normalizations unfolded, weights float32; once it has "
      "learned, convert the .fgm again without this");
  app.add_flag(
      "--one-at-a-time", arguments->one_at_a_time,
      "For drawing one sample at a time on x86-64: LeakyReLUs between dense layers become ReLUs, "
      "whose zeros cost no time; the weights behind them grow by up to an eighth, for which other "
      "processors and larger batches take longer");
  app.add_flag("--report", arguments->report,
               "Print what each pass did, operators, file and arena bytes, and how far smaller "
               "weights are from float32");
  app.add_option("--min-psnr", arguments->min_psnr,
                 "Write nothing where smaller weights take an output below this many dB (PSNR) of "
                 "float32");
  app.add_flag("--json", arguments->json, "Print the report as JSON");
  return [arguments, &app] {
    for (const CLI::Option* option : app.get_options()) {
      const std::string name = option->get_name();
      if (option->count() == 0) continue;
      if (name == "--input" || name == "--noise" || name == "--from" || name == "--to" ||
          name == "--shape" || name == "--network")
        arguments->of_trained_files = name;
      if (name != "source" && name != "--output" && name != "--emit" && name != "--symbol")
        arguments->converts = true;
    }
    return convert(*arguments);
  };
}

}  // namespace

const Verb kConvert{"convert", "turn a trained file into an .fgm",
                    "figment convert generator.onnx -o generator.fgm --weights f16 --report",
                    declare};

}  // namespace figment::host
