// figment tune: the file that it writes, what it says of it, and what it refuses.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "converter/emit/tuned.h"
#include "tests/host/arrays.h"
#include "tests/host/command_line.h"
#include "tests/host/scratch_folder.h"
#include "tests/host/small_model.h"

namespace figment::testing {
namespace {

using Json = nlohmann::json;

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A small model in a folder, and numbers for its input.
struct WithModel {
  WithModel() {
    write_text(model, text_of(small.bytes));
    std::vector<double> numbers(3 * 4);
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<double>(i) / 3 - 2;
    write_text(input, text_of(host::write_npy({3, 4}, numbers, DataType::kFloat32)));
  }
  // Where the model's outputs for the input are, of the model at `path`.
  host::Array run(const std::string& path, const std::string& options = {}) const {
    const CommandResult result =
        run_figment("run " + path + " --in x=" + input + " --out y=" + output + " " + options);
    CAPTURE(result.error);
    REQUIRE(result.code == 0);
    return read_array(output);
  }

  SmallModel small;
  ScratchFolder folder;
  std::string model = folder / "small.fgm";
  std::string tuned = folder / "tuned.fgm";
  std::string input = folder / "x.npy";
  std::string output = folder / "y.npy";
};

}  // namespace

TEST_CASE(
    "a file that was tuned elsewhere is run with a warning of one line, and the same numbers") {
  const WithModel with;
  const std::vector<converter::TunedOperator> operators(
      static_cast<std::size_t>(with.small.model.operator_count()));
  write_text(with.tuned,
             text_of(converter::emit_tuned(with.small.model, operators, "another machine")));
  for (const std::string verb : {"check ", "show ", "bench --runs 1 "}) {
    CAPTURE(verb);
    const CommandResult result = run_figment(verb + with.tuned);
    CHECK(result.code == 0);
    CHECK(result.error.find("figment: " + with.tuned + " was tuned on another kind of processor") ==
          0);
    CHECK(result.error.find('\n') == result.error.size() - 1);
    CHECK(run_figment(verb + with.model).error.empty());
  }
  CHECK(largest_difference(with.run(with.tuned), with.run(with.model)) == 0);
}

#ifdef FIGMENT_WITH_XNNPACK

TEST_CASE("tune writes a file that check accepts and that gives the same numbers") {
  const WithModel with;
  const CommandResult result =
      run_figment("tune " + with.model + " -o " + with.tuned + " --seconds 0.001");
  CAPTURE(result.error);
  REQUIRE(result.code == 0);
  CHECK(result.error.empty());
  // A line for each operator between the head and the sum.
  CHECK(std::count(result.output.begin(), result.output.end(), '\n') ==
        with.small.model.operator_count() + 2);
  CHECK(result.output.find("Dense") != std::string::npos);
  CHECK(result.output.find(with.tuned + ": ") != std::string::npos);

  const CommandResult checked = run_figment("check " + with.tuned);
  CHECK(checked.code == 0);
  CHECK(checked.error.empty());
  CHECK(checked.output.find("ok  content hash") != std::string::npos);
  CHECK(largest_difference(with.run(with.tuned), with.run(with.model)) == 0);
  // As on a processor that has no more, where that can be tried.
  if (run_figment("run " + with.model + " --in x=" + with.input + " --cpu avx2").code == 0)
    CHECK(largest_difference(with.run(with.tuned, "--cpu avx2"), with.run(with.model)) <= 1e-6);

  const std::string bytes = read_text(with.tuned);
  CHECK(bytes.size() > with.small.bytes.size());
  CHECK(bytes.size() % 64 == 0);
}

TEST_CASE("a shipped generator is tuned, over itself too, and still gives its golden") {
  const ScratchFolder folder;
  const std::string tuned = folder / "tuned.fgm";
  const std::string source = source_folder() + "models/digits_gan/generator_int8.fgm";
  REQUIRE(run_figment("tune " + source + " -o " + tuned + " --seconds 0.001 --batch 2").code == 0);
  REQUIRE(run_figment("tune " + tuned + " -o " + tuned + " --seconds 0.001").code == 0);
  CHECK(folder.files() == 1);
  const CommandResult checked = run_figment("check " + tuned);
  CHECK(checked.code == 0);
  CHECK(checked.error.empty());
  CHECK(checked.output.find("ok  golden on XNNPACK") != std::string::npos);
}

TEST_CASE("tune --json has the file's size and each operator before and after") {
  const WithModel with;
  const CommandResult result =
      run_figment("tune " + with.model + " -o " + with.tuned + " --seconds 0.001 --json");
  REQUIRE(result.code == 0);
  CHECK(result.error.empty());
  const Json json = Json::parse(result.output);
  CHECK(json.size() == 2);
  CHECK(json["file_bytes"] == std::filesystem::file_size(with.tuned));
  const Json& operators = json["operators"];
  REQUIRE(operators.size() == static_cast<std::size_t>(with.small.model.operator_count()));
  for (std::size_t i = 0; i < operators.size(); ++i) {
    CHECK(operators[i].size() == 5);
    CHECK(operators[i]["index"] == i);
    CHECK_FALSE(operators[i]["lowering"].get<std::string>().empty());
    CHECK_FALSE(operators[i]["lowering_before"].get<std::string>().empty());
    CHECK(operators[i]["ms"].get<double>() >= 0);
    CHECK(operators[i]["ms_before"].get<double>() >= 0);
  }
  CHECK(operators[0]["lowering"] == "gemm");
}

TEST_CASE("tune writes to standard output the file alone") {
  const WithModel with;
  for (const std::string options : {"", " --json"}) {
    CAPTURE(options);
    const CommandResult result =
        run_figment("tune " + with.model + " -o - --seconds 0.001" + options);
    REQUIRE(result.code == 0);
    CHECK(Json::accept(result.error) == !options.empty());
    const CommandResult checked = run_figment("check -", result.output);
    CHECK(checked.code == 0);
    CHECK(checked.error.empty());
  }
}

TEST_CASE("what tune cannot do is one sentence and an exit code, and leaves no file") {
  const WithModel with;
  write_text(with.folder / "text.fgm", "This is no model, but it is long enough to be one.");
  const std::ptrdiff_t files = with.folder.files();
  const auto check_refused = [&](const std::string& words, int code, const std::string& sentence) {
    const CommandResult result = run_figment("tune " + words);
    CAPTURE(result.error);
    CHECK(result.code == code);
    CHECK(result.output.empty());
    CHECK(result.error.find("figment tune: ") == 0);
    CHECK(result.error.find(sentence) != std::string::npos);
    CHECK(result.error.find('\n') == result.error.size() - 1);
    CHECK(with.folder.files() == files);
  };
  const std::string missing = with.folder / "missing.fgm";
  const std::string nowhere = with.folder / "nowhere/tuned.fgm";
  check_refused(missing + " -o " + with.tuned, 8, "cannot read " + missing);
  check_refused(with.model + " -o " + nowhere, 8, "cannot write " + nowhere);
  check_refused((with.folder / "text.fgm") + " -o " + with.tuned, 3, "text.fgm");
  check_refused(with.model, 2, "--output");
  check_refused(with.model + " -o " + with.tuned + " --batch 0", 2, "--batch");
  check_refused(with.model + " -o " + with.tuned + " --seconds 0", 2, "--seconds");
}

#else

TEST_CASE("a build with the portable backend alone has nothing to tune") {
  const WithModel with;
  const CommandResult result = run_figment("tune " + with.model + " -o " + with.tuned);
  CHECK(result.code == 4);
  CHECK(result.error.find("figment tune: ") == 0);
  CHECK_FALSE(std::filesystem::exists(with.tuned));
}

#endif

}  // namespace figment::testing
