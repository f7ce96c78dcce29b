// convert --calibrate: latents, a file of inputs, the report, and what is refused with nothing
// written.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "targets/host/npy.h"
#include "tests/host/arrays.h"
#include "tests/host/command_line.h"

namespace figment::testing {
namespace {

using Json = nlohmann::json;

std::string source_of(const std::string& half) {
  return source_folder() + "models/digits_vae/" + half + ".onnx";
}

void write_array(const std::string& path, const std::vector<std::int64_t>& shape,
                 const std::vector<double>& values) {
  const std::vector<std::byte> bytes = host::write_npy(shape, values, DataType::kFloat32);
  write_text(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::vector<double> waves(std::size_t count) {
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i)
    values.push_back(1.5 * std::sin(static_cast<double>(i * i)));
  return values;
}

TEST_CASE("latents: int8 between operators, measured") {
  const ScratchFolder folder;
  const std::string out = folder / "out.fgm";
  const std::string line =
      "convert " + source_of("decoder") + " -o " + out + " --weights int8 --calibrate 32";
  const CommandResult text = run_figment(line + " --report --min-psnr 35");
  CAPTURE(text.error);
  REQUIRE(text.code == 0);
  CHECK(text.output.find("made 4 operators compute in integers") != std::string::npos);
  CHECK(text.output.find("accuracy    image: PSNR 4") != std::string::npos);
  const std::string shown = run_figment("show " + out).output;
  CHECK(shown.find("format version 4") != std::string::npos);
  CHECK(shown.find("QuantizedDense") != std::string::npos);
  CHECK(shown.find("picture     28x28x1, black is 0, white is 1") != std::string::npos);
  CHECK(run_figment("check " + out).code == 0);
}

TEST_CASE("a file of inputs, of any batch") {
  const ScratchFolder folder;
  const std::string out = folder / "out.fgm";
  write_array(folder / "z.npy", {40, 20}, waves(800));
  const std::string line = "convert " + source_of("decoder") + " -o " + out +
                           " --weights int8 --calibrate " + (folder / "z.npy");
  const Json report = Json::parse(run_figment(line + " --json").output);
  CHECK(report["accuracy"][0]["psnr"].get<double>() > 25);
  CHECK(run_figment("check " + out).code == 0);
}

TEST_CASE("what is refused leaves nothing behind") {
  const ScratchFolder folder;
  const std::string out = folder / "out.fgm";
  const std::string data = folder / "z.npy";
  const auto refused = [&](const std::string& half, const std::string& options, int code,
                           const std::string& words) {
    CAPTURE(words);
    const CommandResult result =
        run_figment("convert " + source_of(half) + " -o " + out + " " + options);
    CAPTURE(result.error);
    CHECK(result.code == code);
    CHECK(result.error.find(words) != std::string::npos);
    CHECK(std::count(result.error.begin(), result.error.end(), '\n') == 1);
    CHECK_FALSE(std::filesystem::exists(out));
  };
  write_array(data, {40, 21}, waves(840));
  refused("decoder", "--weights int8 --calibrate " + data, 5,
          "has shape 40x21 but input 'latent' takes Nx20");
  std::vector<double> values = waves(40);
  values[7] = std::nan("");
  write_array(data, {2, 20}, values);
  refused("decoder", "--weights int8 --calibrate " + data, 5, "a number that is not finite");
  write_text(data, "this is no array");
  refused("decoder", "--weights int8 --calibrate " + data, 3, "z.npy");
  refused("decoder", "--weights int8 --calibrate " + (folder / "none.npy"), 8, "none.npy");
  refused("encoder", "--weights int8 --calibrate 8", 5, "no prior that latents could come from");
  refused("decoder", "--weights int8 --calibrate 0", 2, "must be 1 to 999999 latents");
  refused("decoder", "--weights int8 --calibrate 9999999", 2, "must be 1 to 999999 latents");
  refused("decoder", "--weights f16 --calibrate 8", 2, "goes with --weights int8");
  refused("decoder", "--calibrate 8", 2, "goes with --weights int8");
}

}  // namespace
}  // namespace figment::testing
