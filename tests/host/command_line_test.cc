// Every verb, on the models that the repository ships.
#include "tests/host/command_line.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#ifdef FIGMENT_WITH_XNNPACK
#include "runtime/simd/kernels.h"
#endif
#include "targets/host/npy.h"
#include "targets/host/png.h"
#include "tests/host/arrays.h"
#include "tests/host/scratch_folder.h"

namespace figment::testing {
namespace {

using Json = nlohmann::json;

// The VAE's two halves and their goldens, from PyTorch.
std::string decoder_source() { return source_folder() + "models/digits_vae/decoder.onnx"; }
std::string encoder_source() { return source_folder() + "models/digits_vae/encoder.onnx"; }
std::string golden(const std::string& name) {
  return source_folder() + "models/digits_vae/golden/" + name;
}

// Converts into `folder` and returns the model's path.
std::string convert(const ScratchFolder& folder, const std::string& source,
                    const std::string& options = {}) {
  std::string path = folder / "model.fgm";
  const CommandResult result = run_figment("convert " + source + " -o " + path + " " + options);
  CAPTURE(result.error);
  REQUIRE(result.code == 0);
  REQUIRE(std::filesystem::exists(path));
  return path;
}

host::Picture read_picture(const std::string& path) {
  const std::string text = read_text(path);
  return host::read_png(std::as_bytes(std::span(text)), path);
}

}  // namespace

TEST_CASE("help, and what it says of each verb") {
  const CommandResult top = run_figment("--help");
  CHECK(top.code == 0);
  for (const char* verb :
       {"convert", "show", "run", "sample", "check", "bench", "tune", "train", "demo"}) {
    CAPTURE(verb);
    CHECK(top.output.find(std::string("\n  ") + verb) != std::string::npos);
    const CommandResult help = run_figment(std::string(verb) + " --help");
    CHECK(help.code == 0);
    CHECK(help.error.empty());
    CHECK(help.output.find(std::string("Example:\n  figment ") + verb) != std::string::npos);
  }
  CHECK(run_figment("--version").output == "figment " + std::string(kVersion) + "\n");
}

TEST_CASE("convert reports what it did") {
  const ScratchFolder folder;
  const std::string path = folder / "model.fgm";
  const CommandResult text =
      run_figment("convert " + decoder_source() + " -o " + path + " --report");
  CHECK(text.code == 0);
  CHECK(text.output.find("file        ") != std::string::npos);
  const CommandResult result =
      run_figment("convert " + decoder_source() + " -o " + path + " --json");
  const Json report = Json::parse(result.output);
  CHECK(report["operators_before"].get<int>() > report["operators_after"].get<int>());
  CHECK(report["file_bytes"].get<std::size_t>() == std::filesystem::file_size(path));
  CHECK(report["arena_bytes"].get<int>() > 0);
  CHECK_FALSE(report["passes"].empty());
}

TEST_CASE("convert as a filter gives the same bytes but for the names") {
  const ScratchFolder folder;
  convert(folder, decoder_source(), "--name model");
  const CommandResult result =
      run_figment("convert - -o - --name model", read_text(decoder_source()));
  CHECK(result.code == 0);
  CHECK(result.output.substr(4, 4) == "FGM1");
  // The source's name differs, no more.
  const std::string whole = read_text(folder / "model.fgm");
  CHECK(std::abs(static_cast<double>(result.output.size()) - static_cast<double>(whole.size())) <
        256);
}

TEST_CASE("halved weights make a smaller file") {
  const ScratchFolder folder;
  const auto full = std::filesystem::file_size(convert(folder, decoder_source()));
  const auto half = std::filesystem::file_size(convert(folder, decoder_source(), "--weights f16"));
  CHECK(static_cast<double>(half) < 0.55 * static_cast<double>(full));
}

TEST_CASE("int8 weights: a quarter of the file, measured, and refused where they are too far") {
  const ScratchFolder folder;
  const auto full = std::filesystem::file_size(convert(folder, decoder_source()));
  const std::string out = folder / "int8.fgm";
  const std::string line = "convert " + decoder_source() + " -o " + out + " --weights int8";
  // Some processors' loops are less exact than the definition, and count where this one has them.
  const std::string refusal = run_figment(line + " --min-psnr 90").error;
  CHECK(refusal.starts_with("figment convert: output 'image' is at 4"));
  CHECK(refusal.ends_with(
      ", below the 90.0 dB asked for; use larger weights (--weights f16 or f32) or a lower "
      "--min-psnr\n"));
  CHECK(run_figment(line + " --min-psnr 90").code == 4);
  CHECK_FALSE(std::filesystem::exists(out));

  const CommandResult text = run_figment(line + " --min-psnr 40 --report");
  CHECK(text.code == 0);
  CHECK(text.output.find("quantize_weights ") != std::string::npos);
  CHECK(text.output.find("accuracy    image: PSNR 45.1 dB, largest error 0.206 against float32, 64 "
                         "seeds\n") != std::string::npos);
  CHECK(static_cast<double>(std::filesystem::file_size(out)) < 0.27 * static_cast<double>(full));
  const Json report = Json::parse(run_figment(line + " --json").output);
  CHECK(report["accuracy"][0]["output"] == "image");
  CHECK(report["accuracy"][0]["psnr"].get<double>() == doctest::Approx(45.1).epsilon(0.01));
  CHECK(report["accuracy"][0]["seeds"] == 64);

  CHECK(run_figment("show " + out).output.find("weights     214,144 bytes, int8\n") !=
        std::string::npos);
  const Json shown = Json::parse(run_figment("show --json " + out).output);
  CHECK(shown["weights_bytes"] == 20 * 256 + 256 * 784 + 2 * 4 * (256 + 784));
  CHECK(shown["weights_type"] == "int8");
#ifdef FIGMENT_WITH_XNNPACK
  const std::string way = simd::kernels().multiply_int8 != nullptr ? "gemm" : "portable";
#else
  const std::string way = "portable";
#endif
  CHECK(shown["plan"]["xnnpack"]["lowerings"] == Json({way, way}));
  CHECK(run_figment("check " + out).code == 0);
}

TEST_CASE("int4 weights of dense layers, int8 beside them") {
  const ScratchFolder folder;
  const std::string out = folder / "int4.fgm";
  const std::string line = "convert " + decoder_source() + " -o " + out + " --weights int4";
  const std::string refusal = run_figment(line + " --min-psnr 40").error;
  CHECK(
      refusal.starts_with("figment convert: output 'image' is at 26.9 dB (PSNR) of what float32 "));
  CHECK(refusal.ends_with(
      ", below the 40.0 dB asked for; use larger weights (--weights int8, f16 or f32) or a lower "
      "--min-psnr\n"));
  CHECK_FALSE(std::filesystem::exists(out));
  const CommandResult text = run_figment(line + " --min-psnr 26 --report");
  CHECK(text.code == 0);
  CHECK(text.output.find("quantize_dense ") != std::string::npos);
  CHECK(text.output.find("accuracy    image: PSNR 26.9 dB") != std::string::npos);
  const Json shown = Json::parse(run_figment("show --json " + out).output);
  CHECK(shown["weights_bytes"] ==
        256 * (20 + 4) + 784 * (256 / 2 + 2 * 256 / 32) + 4 * (256 + 784));
  CHECK(shown["weights_type"] == "int4");
  CHECK(shown["plan"]["xnnpack"]["lowerings"][1] == "portable");
  CHECK(run_figment("check " + out).code == 0);
}

TEST_CASE("show names inputs, outputs, operators and bytes") {
  const ScratchFolder folder;
  write_text(folder / "LICENCE", "Free for all.\nSecond line.\n");
  const std::string model =
      convert(folder, decoder_source(),
              "--name digits --kind decoder --image 28x28x1 --range 0..1 --licence " +
                  (folder / "LICENCE"));
  const Json json = Json::parse(run_figment("show --json " + model).output);
  CHECK(json["name"] == "digits");
  CHECK(json["kind"] == "decoder");
  REQUIRE(json["inputs"].size() == 1);
  CHECK(json["inputs"][0]["name"] == "latent");
  CHECK(json["inputs"][0]["type"] == "float32");
  CHECK(json["inputs"][0]["shape"] == Json({1, 20}));
  CHECK(json["outputs"][0]["name"] == "image");
  CHECK(json["outputs"][0]["shape"] == Json({1, 784}));
  CHECK(json["any_batch"] == true);
  CHECK(json["image"]["height"] == 28);
  CHECK(json["weights_bytes"].get<int>() >= 206864 * 4);
  CHECK(json["arena_bytes"].get<int>() > 0);
  CHECK_FALSE(json["operators"].empty());
  CHECK(json["provenance"]["licence"] == "Free for all.\nSecond line.\n");
  CHECK(json["provenance"]["source_name"] == "decoder.onnx");

  const std::string text = run_figment("show " + model).output;
  CHECK(text.find("Nx784") != std::string::npos);
  CHECK(text.find("Free for all.") != std::string::npos);
  CHECK(run_figment("show --ops " + model).output == "Dense,Unary:LeakyRelu,Unary:Sigmoid\n");
  CHECK(run_figment("show --plan " + model).output.find("portable, batch 1: arena") !=
        std::string::npos);
  // Through a pipe: the model is read, not mapped.
  CHECK(run_figment("show --ops -", read_text(model)).output ==
        "Dense,Unary:LeakyRelu,Unary:Sigmoid\n");
}

TEST_CASE("show draws the graph, coloured by what bench measured") {
  const ScratchFolder folder;
  const std::string model = convert(folder, decoder_source());
  CHECK(run_figment("show " + model + " --svg " + (folder / "plain.svg")).code == 0);
  const CommandResult profile = run_figment("bench " + model + " --ops --json --runs 10");
  CHECK(profile.code == 0);
  write_text(folder / "profile.json", profile.output);
  CHECK(run_figment("show " + model + " --svg " + (folder / "hot.svg") + " --profile " +
                    (folder / "profile.json"))
            .code == 0);
  const std::string plain = read_text(folder / "plain.svg"), hot = read_text(folder / "hot.svg");
  CHECK(plain.find("Dense") != std::string::npos);
  CHECK(hot.find("share of the time") != std::string::npos);
  write_text(folder / "other.json", "{\"operators\": [{\"index\": 0}]}");
  const CommandResult wrong = run_figment("show " + model + " --svg " + (folder / "no.svg") +
                                          " --profile " + (folder / "other.json"));
  CHECK(wrong.code == 3);
  CHECK_FALSE(std::filesystem::exists(folder / "no.svg"));
}

TEST_CASE("run agrees with PyTorch, on both backends, for another batch than the file's") {
  const ScratchFolder folder;
  for (const char* backend : {"xnnpack", "portable"}) {
    CAPTURE(backend);
    const std::string options = std::string("run --backend ") + backend + " ";
    const std::string decoder = convert(folder, decoder_source());
    std::string line = options;
    line +=
        decoder + " --in latent=" + golden("decoder.latent.npy") + " --out " + (folder / "y.npy");
    const CommandResult result = run_figment(line);
    CAPTURE(result.error);
    REQUIRE(result.code == 0);
    CHECK(read_array(folder / "y.npy").shape[0] == 4);
    CHECK(largest_difference(read_array(folder / "y.npy"),
                             read_array(golden("decoder.image.npy"))) < 1e-4);
    const std::string encoder = convert(folder, encoder_source());
    // Outputs by name, not in their order; the input without a name.
    line = options;
    line += encoder + " --in " + golden("encoder.image.npy");
    line += " --out log_variance=" + (folder / "v.npy") + " --out mean=" + (folder / "m.npy");
    REQUIRE(run_figment(line).code == 0);
    CHECK(largest_difference(read_array(folder / "m.npy"), read_array(golden("encoder.mean.npy"))) <
          1e-4);
    CHECK(largest_difference(read_array(folder / "v.npy"),
                             read_array(golden("encoder.log_variance.npy"))) < 1e-4);
  }
}

TEST_CASE("run as a filter, and pictures in and out") {
  const ScratchFolder folder;
  const std::string decoder = convert(folder, decoder_source(), "--image 28x28x1 --range 0..1");
  const CommandResult piped =
      run_figment("run " + decoder + " --in - --out -", read_text(golden("decoder.latent.npy")));
  REQUIRE(piped.code == 0);
  const host::Array array = host::read_npy(std::as_bytes(std::span(piped.output)), "-");
  CHECK(largest_difference(array, read_array(golden("decoder.image.npy"))) < 1e-4);

  REQUIRE(run_figment("run " + decoder + " --in " + golden("decoder.latent.npy") + " --out " +
                      (folder / "four.png"))
              .code == 0);
  const host::Picture grid = read_picture(folder / "four.png");
  CHECK(grid.width == 58);  // two by two, with a gap of two
  CHECK(grid.channels == 1);
  // The first picture's pixels are the numbers.
  const auto in_grid = [&](std::size_t pixel) { return grid.pixels[pixel / 28 * 58 + pixel % 28]; };
  for (const std::size_t pixel : {0, 300, 406, 783})
    CHECK(std::abs(in_grid(pixel) - 255 * array.values[pixel]) <= 1);

  host::Picture digit{28, 28, 1, {}};
  for (std::size_t pixel = 0; pixel < 784; ++pixel) digit.pixels.push_back(in_grid(pixel));
  const auto png = host::write_png(digit);
  write_text(folder / "digit.png",
             std::string(reinterpret_cast<const char*>(png.data()), png.size()));
  const std::string encoder = convert(folder, encoder_source());
  REQUIRE(run_figment("run " + encoder + " --in image=" + (folder / "digit.png") +
                      " --out mean=" + (folder / "m.npy"))
              .code == 0);
  // What was decoded from a latent is encoded near it.
  const host::Array mean = read_array(folder / "m.npy"),
                    latent = read_array(golden("decoder.latent.npy"));
  double distance = 0, length = 0;
  for (std::size_t index = 0; index < 20; ++index) {
    distance += std::pow(mean.values[index] - latent.values[index], 2);
    length += std::pow(latent.values[index], 2);
  }
  CHECK(distance < length);
}

TEST_CASE("sample draws the same pictures for the same seed, however many at once") {
  const ScratchFolder folder;
  const std::string model =
      convert(folder, decoder_source(), "--kind decoder --image 28x28x1 --range 0..1");
  const std::string base = "sample " + model + " --backend portable --count 5 ";
  REQUIRE(run_figment(base + "--seed 3 -o " + (folder / "a.png")).code == 0);
  REQUIRE(run_figment(base + "--seed 3 --batch 2 -o " + (folder / "b.png")).code == 0);
  REQUIRE(run_figment(base + "--seed 4 -o " + (folder / "c.png")).code == 0);
  CHECK(read_text(folder / "a.png") == read_text(folder / "b.png"));
  CHECK(read_text(folder / "a.png") != read_text(folder / "c.png"));
  const host::Picture grid = read_picture(folder / "a.png");
  CHECK(grid.width == 3 * 28 + 4);
  CHECK(grid.height == 2 * 28 + 2);
  REQUIRE(run_figment(base + "--seed 3 --truncation 0.5 -o " + (folder / "d.png")).code == 0);
  CHECK(read_text(folder / "a.png") != read_text(folder / "d.png"));
  CHECK(run_figment("sample " + model + " --count 1 -o -").output.substr(1, 3) == "PNG");
}

TEST_CASE("check says ok, and notices a changed weight") {
  const ScratchFolder folder;
  const std::string model = convert(folder, decoder_source());
  const CommandResult sound = run_figment("check " + model);
  CHECK(sound.code == 0);
  CHECK(sound.output.find("ok  content hash") != std::string::npos);
  CHECK(sound.output.find("ok  golden on the portable backend") != std::string::npos);
  CHECK(sound.output.find("ok  golden on XNNPACK") != std::string::npos);
  std::string bytes = read_text(model);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_text(folder / "changed.fgm", bytes);
  CHECK(run_figment("check " + (folder / "changed.fgm")).code == 3);
}

TEST_CASE("bench prints every figure that is promised") {
  const ScratchFolder folder;
  const std::string model = convert(folder, decoder_source());
  const CommandResult result =
      run_figment("bench " + model + " --batch 3 --threads 2 --runs 20 --ops --json");
  CAPTURE(result.error);
  REQUIRE(result.code == 0);
  const Json json = Json::parse(result.output);
  CHECK(json["backend"] == "xnnpack");
  CHECK_FALSE(json["cpu"].get<std::string>().empty());
  CHECK(json["batch"] == 3);
  CHECK(json["samples_at_once"] == 3);
  CHECK(json["threads"] == 2);
  CHECK(json["latency_ms"]["min"].get<double>() > 0);
  CHECK(json["latency_ms"]["median"].get<double>() >= json["latency_ms"]["min"].get<double>());
  CHECK(json["latency_ms"]["p95"].get<double>() >= json["latency_ms"]["median"].get<double>());
  CHECK(json["samples_per_second"].get<double>() ==
        doctest::Approx(3000 / json["latency_ms"]["median"].get<double>()));
  CHECK(json["arena_bytes"].get<double>() >= json["packed_bytes"].get<double>());
  CHECK(json["packed_bytes"].get<double>() > 0);
  CHECK(json["file_bytes"].get<std::size_t>() == std::filesystem::file_size(model));
  CHECK(json["peak_rss_bytes"].get<double>() > json["file_bytes"].get<double>());
  CHECK(json["first_sample_ms"].get<double>() > 0);
  double share = 0;
  for (const Json& row : json["operators"]) {
    share += row["share"].get<double>();
    CHECK(row["ms"].get<double>() > 0);
    CHECK_FALSE(row["lowering"].get<std::string>().empty());
    CHECK(row["kind"] == "Dense");
    CHECK(row["gflops"].get<double>() > 0);
  }
  CHECK(share == doctest::Approx(1));
  CHECK(run_figment("bench " + model + " --seconds 0.01").output.find("samples/s") !=
        std::string::npos);
}

TEST_CASE("demo draws from both shipped models") {
  const ScratchFolder folder;
  const CommandResult result = run_figment("demo -o " + folder.path());
  CAPTURE(result.error);
  REQUIRE(result.code == 0);
  for (const char* name : {"digits_vae.png", "digits_gan.png"}) {
    const host::Picture picture = read_picture(folder / name);
    CHECK(picture.width > 8 * 28);
    CHECK(*std::max_element(picture.pixels.begin(), picture.pixels.end()) > 200);
  }
  CHECK(result.output.find("ms") != std::string::npos);
}

}  // namespace figment::testing
