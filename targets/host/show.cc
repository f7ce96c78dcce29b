// figment show: what is inside a model, as text, as JSON, as a list of operators, as a picture.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "runtime/model_view.h"
#include "targets/host/arguments.h"
#include "targets/host/describe.h"
#include "targets/host/model_file.h"
#include "targets/host/output_file.h"
#include "targets/host/ports.h"
#include "targets/host/session_memory.h"
#include "targets/host/svg.h"
#include "targets/host/verb.h"

namespace figment::host {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string model, svg, profile;
  bool operators = false, plan = false, json = false;
};

// What a session takes on one backend, at batch 1.
struct Need {
  const char* backend;
  std::size_t arena_bytes, packed_bytes, activation_bytes, peak_live_bytes;
  std::vector<std::string> lowerings;
};

Need measure_need(const Model& model, Backend backend) {
  Options options;
  options.backend = backend;
  const SessionMemory memory(model, options);
  Need need{backend == Backend::kXnnpack ? "xnnpack" : "portable",
            memory.arena_bytes,
            memory.session.packed_bytes(),
            memory.session.activation_bytes(),
            memory.session.peak_live_bytes(),
            {}};
  for (int index = 0; index < model.operator_count(); ++index)
    need.lowerings.emplace_back(memory.session.operator_report(index).lowering);
  return need;
}

std::string text_of(const flatbuffers::String* text) {
  return text == nullptr ? std::string() : text->str();
}

// Names come from strangers' files: no control characters to the terminal.
std::string printable(std::string text) {
  for (char& letter : text)
    if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) letter = '?';
  return text;
}

std::string prior_text(const Model& model) {
  const format::Prior* prior = model.root().prior();
  if (prior == nullptr) return "none given";
  std::string text =
      prior->distribution() == format::Distribution::Uniform
          ? "uniform in " + number_text(prior->low()) + ".." + number_text(prior->high())
          : "normal";
  return text + ", " + std::to_string(prior->size()) + " numbers";
}

std::string symbol_text(int symbol) { return symbol < 0 ? "none" : std::to_string(symbol); }

std::string text_reading_text(const Model& model, const TextReading& text) {
  return std::to_string(text.vocabulary) + " symbols, up to " + std::to_string(text.length) +
         " in a text, start " + symbol_text(text.start) + ", end " + symbol_text(text.end) +
         (text.symbol_input < 0 ? ", all in one run"
                                : ", the one before into " +
                                      printable(std::string(model.input(text.symbol_input).name)));
}

void print_port(const char* what, int index, const Port& port, bool any_batch) {
  const std::string source = describe_source_shape(port, any_batch);
  const std::string ours = describe_shape(port.shape, any_batch ? port.batch_axis : -1);
  std::printf("%-8s %d  %-20s %-8s %s", what, index, printable(std::string(port.name)).c_str(),
              type_name(port.type).c_str(), source.c_str());
  if (source != ours) std::printf("  (in memory %s)", ours.c_str());
  std::printf("\n");
}

void print_facts(const ModelFile& file, const std::vector<Need>& needs) {
  const Model& model = file.model;
  const format::Model& root = model.root();
  std::printf("%s: %s, %d operators\n", printable(std::string(model.name())).c_str(),
              model_kind_text(model).c_str(), model.operator_count());
  for (int index = 0; index < model.input_count(); ++index)
    print_port("input", index, model.input(index), model.any_batch());
  for (int index = 0; index < model.output_count(); ++index)
    print_port("output", index, model.output(index), model.any_batch());
  std::printf("batch       %s\n", model.any_batch() ? "any (N)" : "fixed by the source");
  std::printf("prior       %s\n", prior_text(model).c_str());
  if (const ImageReading image = model.image(); image.height > 0)
    std::printf("picture     %dx%dx%d, black is %s, white is %s\n", image.height, image.width,
                image.channels, number_text(image.low).c_str(), number_text(image.high).c_str());
  if (const TextReading text = model.text(); text.vocabulary > 0)
    std::printf("text        %s\n", text_reading_text(model, text).c_str());
  std::printf("file        %s bytes, format version %u\n",
              with_commas(file.file.bytes().size()).c_str(), root.version());
  std::printf("weights     %s bytes, %s\n", with_commas(model.weight_bytes()).c_str(),
              weights_type(root).c_str());
  for (const Need& need : needs)
    std::printf("arena       %s bytes on %s, batch 1\n", with_commas(need.arena_bytes).c_str(),
                need.backend);
  if (const format::Golden* golden = golden_of(root))
    std::printf("golden      seed %llu, SHA-256 %.16s...\n",
                static_cast<unsigned long long>(golden->seed()),
                hash_text(golden->output_digest()).c_str());
  if (const format::Provenance* origin = root.provenance()) {
    std::printf("source      %s, SHA-256 %.16s..., converter %s\n",
                printable(text_of(origin->source_name())).c_str(),
                hash_text(origin->source_hash()).c_str(),
                printable(text_of(origin->converter_version())).c_str());
    const std::string licence = text_of(origin->licence());
    std::printf("licence     %s\n", licence.empty()
                                        ? "not given"
                                        : printable(licence.substr(0, licence.find('\n'))).c_str());
  }
}

void print_operators(const format::Model& root) {
  std::printf("\n%4s  %-34s %-16s %-18s %s\n", "#", "operator", "activation", "output",
              "constants");
  int index = 0;
  for (const format::Operator* node : *root.operators()) {
    const std::string detail = operator_detail(root, *node);
    std::printf("%4d  %-34s %-16s %-18s %s\n", index++,
                (operator_kind(*node) + (detail.empty() ? "" : " " + detail)).c_str(),
                activation_text(node->activation()).c_str(),
                tensor_shape_text(root, node->outputs()->Get(0)).c_str(),
                weights_text(root, *node).c_str());
  }
}

// How the arena is spent, and how each operator runs.
void print_plan(const Model& model, const std::vector<Need>& needs) {
  for (const Need& need : needs) {
    const std::size_t live = std::max<std::size_t>(need.peak_live_bytes, 1);
    std::printf("\n%s, batch 1: arena %s bytes\n", need.backend,
                with_commas(need.arena_bytes).c_str());
    std::printf("  kept for the session  %14s bytes (operators, packed weights, tables)\n",
                with_commas(need.packed_bytes).c_str());
    std::printf(
        "  activations           %14s bytes, %.1f%% above the most that is alive at once\n",
        with_commas(need.activation_bytes).c_str(),
        100.0 * static_cast<double>(need.activation_bytes) / static_cast<double>(live) - 100.0);
    for (std::size_t index = 0; index < need.lowerings.size(); ++index)
      std::printf(
          "  %4zu  %-20s %-18s %s\n", index,
          operator_kind(*model.root().operators()->Get(static_cast<flatbuffers::uoffset_t>(index)))
              .c_str(),
          tensor_shape_text(model.root(), model.root()
                                              .operators()
                                              ->Get(static_cast<flatbuffers::uoffset_t>(index))
                                              ->outputs()
                                              ->Get(0))
              .c_str(),
          need.lowerings[index].c_str());
  }
}

Json port_json(const Port& port) {
  Json shape = Json::array();
  for (int axis = 0; axis < port.shape.rank; ++axis) shape.push_back(port.shape[axis]);
  Json batch_axis = nullptr;
  for (int axis = 0; axis < port.shape.rank; ++axis)
    if (port.source_axes[axis] == port.batch_axis) batch_axis = axis;
  return {{"name", port.name},
          {"type", type_name(port.type)},
          {"shape", source_shape(port, 1)},  // as `run` takes it
          {"batch_axis", batch_axis},
          {"memory_shape", shape}};
}

// -1, which stands for none, becomes null.
Json index_json(int index) { return index < 0 ? Json() : Json(index); }

Json text_json(const Model& model) {
  const TextReading text = model.text();
  Json symbols = Json::array();
  for (int index = 0; index < text.vocabulary; ++index) symbols.push_back(model.symbol(index));
  Json states = Json::object();
  if (const auto* pairs = model.root().output_reading_as_Text()->states())
    for (const format::TextState* state : *pairs)
      states[std::string(model.input(state->input()).name)] = model.output(state->output()).name;
  return {{"vocabulary_size", text.vocabulary},
          {"length", text.length},
          {"start", index_json(text.start)},
          {"end", index_json(text.end)},
          {"symbol", text.symbol_input < 0 ? Json() : Json(model.input(text.symbol_input).name)},
          {"states", states},
          {"vocabulary", symbols}};
}

Json facts_json(const ModelFile& file, const std::vector<Need>& needs) {
  const Model& model = file.model;
  const format::Model& root = model.root();
  Json json{
      {"name", model.name()}, {"kind", model_kind_text(model)}, {"any_batch", model.any_batch()}};
  json["inputs"] = Json::array();
  for (const Port& port : input_ports(model)) json["inputs"].push_back(port_json(port));
  json["outputs"] = Json::array();
  for (const Port& port : output_ports(model)) json["outputs"].push_back(port_json(port));
  json["operators"] = Json::array();
  int index = 0;
  for (const format::Operator* node : *root.operators()) {
    json["operators"].push_back({{"index", index},
                                 {"kind", operator_kind(*node)},
                                 {"name", text_of(node->name())},
                                 {"detail", operator_detail(root, *node)},
                                 {"activation", activation_text(node->activation())},
                                 {"output", tensor_shape_text(root, node->outputs()->Get(0))},
                                 {"constants", weights_text(root, *node)}});
    ++index;
  }
  json["operators_used"] = operators_used(root);
  // The default backend's; both stand under `plan`.
  json["arena_bytes"] = needs.front().arena_bytes;
  json["weights_bytes"] = model.weight_bytes();
  json["weights_type"] = weights_type(root);
  json["file_bytes"] = file.file.bytes().size();
  for (const Need& need : needs)
    json["plan"][need.backend] = {{"arena_bytes", need.arena_bytes},
                                  {"packed_bytes", need.packed_bytes},
                                  {"activation_bytes", need.activation_bytes},
                                  {"peak_live_bytes", need.peak_live_bytes},
                                  {"lowerings", need.lowerings}};
  if (const format::Prior* prior = root.prior())
    json["prior"] = {
        {"distribution",
         prior->distribution() == format::Distribution::Uniform ? "uniform" : "normal"},
        {"size", prior->size()},
        {"low", prior->low()},
        {"high", prior->high()}};
  if (const ImageReading image = model.image(); image.height > 0)
    json["image"] = {{"height", image.height},
                     {"width", image.width},
                     {"channels", image.channels},
                     {"low", image.low},
                     {"high", image.high}};
  if (const TextReading text = model.text(); text.vocabulary > 0) json["text"] = text_json(model);
  if (const format::Golden* golden = golden_of(root))
    json["golden"] = {{"seed", golden->seed()},
                      {"output_digest", hash_text(golden->output_digest())}};
  json["content_hash"] = hash_text(root.content_hash());
  if (const format::Provenance* origin = root.provenance())
    json["provenance"] = {{"source_name", text_of(origin->source_name())},
                          {"source_hash", hash_text(origin->source_hash())},
                          {"converter_version", text_of(origin->converter_version())},
                          {"licence", text_of(origin->licence())}};
  return json;
}

// Reads what `figment bench --ops --json` printed.
std::vector<OperatorTime> read_profile(const std::string& path, const Model& model) {
  const std::vector<std::byte> bytes = read_file(path);
  const Json json =
      Json::parse(reinterpret_cast<const char*>(bytes.data()),
                  reinterpret_cast<const char*>(bytes.data()) + bytes.size(), nullptr, false);
  std::vector<OperatorTime> times(static_cast<std::size_t>(model.operator_count()));
  const auto refuse = [&](const std::string& why) {
    return VerbError(ExitCode::kBadFile, input_name(path) + " is no profile of this model: " + why +
                                             "; make one with figment bench --ops --json");
  };
  if (!json.is_object() || !json.contains("operators") || !json["operators"].is_array())
    throw refuse("it holds no list of operators");
  if (json["operators"].size() != times.size()) throw refuse("the number of operators differs");
  for (const Json& row : json["operators"]) {
    const auto number = [&](const char* key) {
      if (!row.is_object() || !row.contains(key) || !row[key].is_number())
        throw refuse("an operator lacks '" + std::string(key) + "'");
      return row[key].get<double>();
    };
    const double index = number("index");
    if (!(index >= 0 && index < static_cast<double>(times.size())))
      throw refuse("an index is out of range");
    times[static_cast<std::size_t>(index)] = {number("ms"), number("share")};
  }
  return times;
}

ExitCode show(const Arguments& arguments) {
  if (!arguments.profile.empty() && arguments.svg.empty())
    throw VerbError(ExitCode::kUsage, "--profile colours the picture; give --svg FILE as well");
  const ModelFile file(arguments.model);
  const format::Model& root = file.model.root();
  if (!arguments.svg.empty()) {
    OutputFile output(arguments.svg);
    std::vector<OperatorTime> times;
    if (!arguments.profile.empty()) times = read_profile(arguments.profile, file.model);
    output.commit(draw_svg(file.model, times));
    if (!arguments.operators && !arguments.plan && !arguments.json) return ExitCode::kSuccess;
  }
  if (arguments.operators) {
    std::string list;
    for (const std::string& kind : operators_used(root)) list += (list.empty() ? "" : ",") + kind;
    std::printf("%s\n", list.c_str());
    return ExitCode::kSuccess;
  }
  const std::vector<Need> needs{measure_need(file.model, Backend::kXnnpack),
                                measure_need(file.model, Backend::kPortable)};
  if (arguments.json) {
    std::printf(
        "%s\n",
        facts_json(file, needs).dump(2, ' ', false, Json::error_handler_t::replace).c_str());
  } else if (arguments.plan) {
    print_plan(file.model, needs);
  } else {
    print_facts(file, needs);
    print_operators(root);
  }
  return ExitCode::kSuccess;
}

std::function<ExitCode()> declare(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  app.add_option("model", arguments->model, "The model, an .fgm file")->required();
  app.add_flag("--ops", arguments->operators,
               "Only the kinds of operators, as cmake -DFIGMENT_OPS= takes them");
  app.add_flag("--plan", arguments->plan, "How the memory is spent and how each operator runs");
  app.add_flag("--json", arguments->json, "Everything as one JSON object");
  app.add_option("--svg", arguments->svg, "Draw the graph into this file");
  app.add_option("--profile", arguments->profile,
                 "Colour the graph by what figment bench --ops --json printed");
  return [arguments] { return show(*arguments); };
}

}  // namespace

const Verb kShow{"show", "tell what is inside a model, or draw its graph",
                 "figment show models/digits_gan/generator.fgm --svg graph.svg", declare};

}  // namespace figment::host
