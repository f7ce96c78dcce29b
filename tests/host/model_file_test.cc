// Models from files and streams, and what the runtime's errors become.
#include "targets/host/model_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "converter/emit/flatbuffer.h"
#include "runtime/model_view.h"
#include "targets/host/exit_code.h"
#include "tests/host/command_line.h"
#include "tests/host/scratch_folder.h"
#include "tests/host/small_model.h"
#include "tests/support/loaded_model.h"
#include "tests/support/tuned_model.h"

namespace figment::host {
namespace {

ExitCode open_code(const std::string& path) {
  try {
    const ModelFile file(path);
  } catch (const VerbError& error) {
    CHECK(std::string(error.what()).find(path) != std::string::npos);
    return error.code;
  }
  return ExitCode::kSuccess;
}

#if defined(FIGMENT_WITH_XNNPACK) && defined(FIGMENT_COMMAND_STATIC)

// A file that was just written lies in the system's cache in large pieces, each of which a process
// that touches a byte of it has in its memory as a whole. As it is read from the disk they are
// small.
void leave_cache(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY);
  REQUIRE(file >= 0);
  ::fsync(file);
  ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  ::close(file);
}

using namespace converter;

// A kernel of 4x4 from `x` to twice its height and width (the first: to 4x4), and an activation.
TensorId up(Graph& graph, TensorId x, std::int64_t channels, format::UnaryFunction function) {
  const std::int64_t inputs = graph.tensor(x).shape[3];
  const Shape shape = make_shape({1, 4, 4, channels, inputs});
  const std::vector<float> numbers(static_cast<std::size_t>(shape.elements()), 0.001F);
  const TensorId weights = graph.add_floats("weights", shape, numbers);
  const TensorId bias = graph.add_floats(
      "bias", make_shape({channels}), std::vector<float>(static_cast<std::size_t>(channels), 0.1F));
  format::ConvTranspose2DT options;
  if (graph.tensor(x).shape[1] > 1) {
    options.stride_height = options.stride_width = 2;
    options.pad_top = options.pad_bottom = options.pad_left = options.pad_right = 1;
  }
  const TensorId y = graph.add_node("up", make_options(options), {x, weights, bias});
  graph.nodes.back().activation = format::UnaryT{{}, function, 0, 0};
  return y;
}

// As large as the DCGAN for pictures of 64x64: 3.6 million weights.
std::vector<std::byte> make_generator() {
  Graph graph;
  graph.name = "generator";
  graph.any_batch = true;
  TensorId x = graph.add_input("z", DataType::kFloat32, make_shape({1, 1, 1, 100}));
  for (const std::int64_t channels : {512, 256, 128, 64})
    x = up(graph, x, channels, format::UnaryFunction::Relu);
  graph.outputs.push_back({"y", up(graph, x, 3, format::UnaryFunction::Tanh), {}});
  for (GraphTensor& tensor : graph.tensors)
    if (!tensor.constant()) tensor.batch_axis = 0;
  return emit(graph, {});
}

#endif

}  // namespace

TEST_CASE("a file is mapped at an address that the runtime takes") {
  const testing::ScratchFolder folder;
  const testing::SmallModel small;
  testing::write_text(folder / "small.fgm",
                      {reinterpret_cast<const char*>(small.bytes.data()), small.bytes.size()});
  const ModelFile file(folder / "small.fgm");
  CHECK(file.model.name() == "small");
  CHECK(file.file.bytes().size() == small.bytes.size());
  CHECK(reinterpret_cast<std::uintptr_t>(file.file.bytes().data()) % 64 == 0);
}

TEST_CASE("unreadable and damaged are different errors") {
  const testing::ScratchFolder folder;
  CHECK(open_code(folder / "missing.fgm") == ExitCode::kInputOutput);
  CHECK(open_code(folder.path()) == ExitCode::kInputOutput);
  testing::write_text(folder / "empty.fgm", "");
  CHECK(open_code(folder / "empty.fgm") == ExitCode::kBadFile);
  testing::write_text(folder / "text.fgm", "This is no model, but it is long enough to be one.");
  CHECK(open_code(folder / "text.fgm") == ExitCode::kBadFile);
}

TEST_CASE("every error of the runtime has its exit code, and its sentence names the subject") {
  const std::pair<ErrorCode, ExitCode> table[] = {
      {ErrorCode::kBadFile, ExitCode::kBadFile},
      {ErrorCode::kUnsupported, ExitCode::kUnsupported},
      {ErrorCode::kBadArgument, ExitCode::kBadArgument},
      {ErrorCode::kArenaTooSmall, ExitCode::kMemory},
      {ErrorCode::kBackend, ExitCode::kBackend},
  };
  for (const auto& [code, expected] : table) {
    Status status;
    status.code = code;
    status.text[0] = 'x';
    status.text_length = 1;
    bool thrown = false;
    try {
      require(status, "a.fgm");
    } catch (const VerbError& error) {
      thrown = true;
      CHECK(error.code == expected);
      CHECK(std::string(error.what()) == "a.fgm: x");
    }
    CHECK(thrown);
  }
  require(Status{});  // no error, no exception
}

#if defined(FIGMENT_WITH_XNNPACK) && defined(FIGMENT_COMMAND_STATIC)

TEST_CASE("running a tuned model takes less than 1.3 times its packed weights and its arena") {
  const testing::ScratchFolder folder;
  const std::string tuned = folder / "tuned.fgm";
  std::size_t packed = 0;
  {
    const testing::AlignedMemory file = testing::align_bytes(make_generator());
    const testing::AlignedMemory result =
        testing::align_bytes(testing::tune_model(*Model::open(file.span())));
    packed = Model::open(result.span())->root().packed()->size();
    testing::write_text(
        tuned, {reinterpret_cast<const char*>(result.span().data()), result.span().size()});
  }
  const std::string command = FIGMENT_COMMAND;  // on a board behind its emulator
  leave_cache(command.substr(command.rfind(' ') + 1));
  leave_cache(tuned);
  // bench reads the file and runs it as every verb does, and knows its own peak.
  const testing::CommandResult result = testing::run_figment("bench --runs 1 --json " + tuned);
  CAPTURE(result.error);
  REQUIRE(result.code == 0);
  const nlohmann::json json = nlohmann::json::parse(result.output);
  const double needed = static_cast<double>(packed) + json["arena_bytes"].get<double>();
  const double peak = json["peak_rss_bytes"].get<double>();
  CAPTURE(peak);
  CHECK(needed > 14e6);
  CHECK(peak < 1.3 * needed);
}

#endif

}  // namespace figment::host
