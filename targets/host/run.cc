// figment run: numbers or pictures in, numbers or pictures out, named and ordered as in the source
// file. A picture that is larger than what a model for enlarging takes is run in tiles.
#include <algorithm>
#include <memory>
#include <tuple>

#include "targets/host/arguments.h"
#include "targets/host/grid.h"
#include "targets/host/model_file.h"
#include "targets/host/output_file.h"
#include "targets/host/png.h"
#include "targets/host/ports.h"
#include "targets/host/processor.h"
#include "targets/host/session_memory.h"
#include "targets/host/tiles.h"
#include "targets/host/verb.h"

namespace figment::host {
namespace {

struct Arguments {
  std::string model, backend = "xnnpack", range;
  std::string processor;  // of cap_processor()
  std::vector<std::string> inputs, outputs;
  int batch = 0;  // 0: as the first input has it
  std::uint64_t noise_seed = 0;
};

// What a file for an input holds: an array, or a picture.
struct InputValue {
  int port;
  std::string name;
  std::optional<Array> array;
  std::optional<Picture> picture;
};

InputValue read_value(const NamedFile& named) {
  InputValue value{named.port, input_name(named.path), {}, {}};
  const std::vector<std::byte> bytes = read_file(named.path);
  // By its first bytes, so that a stream may be either.
  constexpr std::byte kPngMark[] = {std::byte{0x89}, std::byte{'P'}, std::byte{'N'},
                                    std::byte{'G'}};
  if (bytes.size() >= 4 && std::equal(std::begin(kPngMark), std::end(kPngMark), bytes.begin()))
    value.picture = read_png(bytes, value.name);
  else if (has_ending(named.path, ".png"))
    value.picture = read_png(bytes, value.name);  // says what is wrong with it
  else
    value.array = read_npy(bytes, value.name);
  return value;
}

std::vector<InputValue> read_inputs(const Arguments& arguments, const std::vector<Port>& ports) {
  const std::vector<std::string> names = names_of(ports);
  std::vector<InputValue> values;
  std::vector<bool> given(ports.size());
  for (const NamedFile& file : match_ports(arguments.inputs, names, "input")) {
    given[static_cast<std::size_t>(file.port)] = true;
    values.push_back(read_value(file));
  }
  for (std::size_t index = 0; index < ports.size(); ++index)
    if (!given[index])
      throw VerbError(ExitCode::kBadArgument, "input '" + names[index] +
                                                  "' is missing; give it with --in " +
                                                  names[index] + "=FILE.npy");
  return values;
}

int choose_batch(const Arguments& arguments, const Model& model,
                 const std::vector<InputValue>& values) {
  int batch = arguments.batch;
  for (const InputValue& value : values) {
    const Port port = model.input(value.port);
    if (batch == 0 && value.array && port.batch_axis >= 0)
      batch = batch_of(port, value.array->shape);
  }
  // A source that fixed its batch has no other; store_array then says what shape it takes.
  return model.any_batch() || arguments.batch > 0 ? std::max(batch, 1) : 1;
}

std::vector<std::byte> write_output(const Model& model, int port_index, const Tensor& tensor,
                                    int batch, bool picture) {
  const Port port = model.output(port_index);
  if (!picture) {
    const Array array = load_array(tensor, port, batch);
    return write_npy(array.shape, array.values, tensor.type);
  }
  const ImageReading reading = model.image();
  if (reading.height == 0)
    throw VerbError(ExitCode::kBadArgument,
                    "the model does not say how output '" + std::string(port.name) +
                        "' is a picture; convert it again with --image HxWxC, or write .npy");
  return write_png(make_grid(load_pictures(tensor, reading)));
}

// A picture of another size than the model takes, to be enlarged in tiles.
struct Enlarging {
  const InputValue* photo;
  int output, factor;
};

// Where one picture is given and one output asked for, as a picture that is larger by a whole
// factor.
std::optional<Enlarging> find_enlarging(const Model& model, const std::vector<InputValue>& values,
                                        const std::vector<NamedFile>& wanted, int batch) {
  if (batch != 1 || wanted.size() != 1 || !has_ending(wanted[0].path, ".png")) return std::nullopt;
  if (std::ranges::count_if(values, [](const auto& value) { return value.picture.has_value(); }) !=
      1)
    return std::nullopt;
  for (const InputValue& value : values) {
    if (!value.picture) continue;
    const Port port = model.input(value.port);
    const int factor = factor_of(port, model.output(wanted[0].port));
    if (factor > 0 &&
        (port.shape[1] != value.picture->height || port.shape[2] != value.picture->width))
      return Enlarging{&value, wanted[0].port, factor};
  }
  return std::nullopt;
}

// Puts the inputs in their places; of a picture that is enlarged, a tile. Anew for every run, which
// may leave other numbers there.
void store_inputs(const Model& model, const std::vector<InputValue>& values,
                  const std::pair<float, float>& range, int batch, Session& session,
                  const Picture* tile) {
  for (const InputValue& value : values) {
    const Port port = model.input(value.port);
    const Tensor tensor = session.input(value.port);
    if (value.array)
      store_array(*value.array, port, batch, tensor, value.name);
    else
      store_picture(tile != nullptr ? *tile : *value.picture, range.first, range.second, port,
                    tensor, value.name);
  }
}

Picture enlarge_photo(const Model& model, const Enlarging& enlarging,
                      const std::vector<InputValue>& values, const std::pair<float, float>& range,
                      Session& session) {
  const Port port = model.input(enlarging.photo->port);
  const Picture& photo = *enlarging.photo->picture;
  constexpr std::int64_t kMostSide = 1 << 16;
  if (std::int64_t{std::max(photo.width, photo.height)} * enlarging.factor > kMostSide)
    throw VerbError(ExitCode::kBadArgument, enlarging.photo->name + " is " +
                                                std::to_string(photo.width) + " pixels wide and " +
                                                std::to_string(photo.height) +
                                                " high; enlarged, a picture may have " +
                                                std::to_string(kMostSide) + " pixels a side");
  const auto reach = reach_of(model, enlarging.photo->port, enlarging.output);
  const auto axis = [&](int length, int at, const Reach PictureReach::*part) {
    return place_tiles(length, port.shape[at], reach ? std::optional(*reach.*part) : std::nullopt);
  };
  ImageReading reading = model.image();
  if (reading.height == 0) std::tie(reading.low, reading.high) = range;
  reading.channels = model.output(enlarging.output).shape[3];
  return enlarge(photo, axis(photo.height, 1, &PictureReach::down),
                 axis(photo.width, 2, &PictureReach::across), enlarging.factor, reading,
                 [&](const Picture& tile) {
                   store_inputs(model, values, range, 1, session, &tile);
                   require(session.run());
                   return session.output(enlarging.output);
                 });
}

ExitCode run(const Arguments& arguments) {
  cap_processor(arguments.processor);
  Options options;
  options.backend = parse_backend(arguments.backend);
  options.noise_seed = arguments.noise_seed;
  const ModelFile file(arguments.model);
  const Model& model = file.model;
  std::pair<float, float> range{model.image().low, model.image().high};
  if (!arguments.range.empty()) range = parse_range(arguments.range, "--range");

  const std::vector<NamedFile> wanted =
      match_ports(arguments.outputs, names_of(output_ports(model)), "output");
  const std::vector<InputValue> values = read_inputs(arguments, input_ports(model));
  options.batch = choose_batch(arguments, model, values);
  std::vector<OutputFile> files;
  files.reserve(wanted.size());
  for (const NamedFile& output : wanted) files.emplace_back(output.path);

  SessionMemory memory(model, options);
  const auto enlarging = find_enlarging(model, values, wanted, options.batch);
  if (enlarging) {
    files[0].commit(write_png(enlarge_photo(model, *enlarging, values, range, memory.session)));
    return ExitCode::kSuccess;
  }
  store_inputs(model, values, range, options.batch, memory.session, nullptr);
  require(memory.session.run());

  // All outputs are made before any is put in its place.
  std::vector<std::vector<std::byte>> contents;
  contents.reserve(wanted.size());
  for (const NamedFile& output : wanted)
    contents.push_back(write_output(model, output.port, memory.session.output(output.port),
                                    options.batch, has_ending(output.path, ".png")));
  for (std::size_t index = 0; index < files.size(); ++index) files[index].commit(contents[index]);
  return ExitCode::kSuccess;
}

std::function<ExitCode()> declare(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  app.add_option("model", arguments->model, "The model, an .fgm file")->required();
  app.add_option("--in", arguments->inputs,
                 "An input, as NAME=FILE or as FILE (then in the model's order): a .npy in the "
                 "source's order of "
                 "axes, or a .png; a model for enlarging takes one of any size")
      ->take_all();
  app.add_option("--out", arguments->outputs,
                 "An output, as --in; what ends in .png is written as a picture")
      ->take_all()
      ->required();
  app.add_option("--batch", arguments->batch, "The batch (default: that of the first input)")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--range", arguments->range,
                 "The numbers that black and white of a picture become, as -1..1 (default: the "
                 "model's, or 0..1)");
  app.add_option("--noise-seed", arguments->noise_seed, "The seed of noise inside the model")
      ->capture_default_str();
  app.add_option("--backend", arguments->backend, "xnnpack or portable")->capture_default_str();
  add_processor_option(app, arguments->processor);
  return [arguments] { return run(*arguments); };
}

}  // namespace

const Verb kRun{"run", "run a model on .npy arrays or PNG pictures",
                "figment run models/digits_vae/encoder.fgm --in image=X.npy --out mean=M.npy",
                declare};

}  // namespace figment::host
