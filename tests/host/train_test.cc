// figment train: what it learns, writes, tells and refuses.
#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "figment/train.h"
#include "targets/host/input_file.h"
#include "targets/host/png.h"
#include "tests/host/train_files.h"

namespace figment::testing {
namespace {

using Json = nlohmann::json;

// Column `index` of a log.
std::vector<double> column(const std::string& csv, std::size_t index) {
  std::vector<double> values;
  std::istringstream lines(csv);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::string field;
    for (std::size_t i = 0; i <= index; ++i) std::getline(fields, field, ',');
    values.push_back(std::stod(field));
  }
  return values;
}

}  // namespace

TEST_CASE("train teaches a VAE and tells what it does") {
  const WithFiles with;
  const CommandResult result = with.train("--epochs 30 --log " + (with.folder / "log.csv"));
  CAPTURE(result.error);
  REQUIRE(result.code == 0);
  for (const char* words :
       {"learns      116 numbers in 4 tensors", "examples    50, in batches of 8; 2 that fill none",
        "steps       180, 6 an epoch", "memory      ", "epoch 1 of 30: loss ",
        "epoch 30 of 30: loss ", "reconstruction", "divergence", "out.delta: "}) {
    CAPTURE(words);
    CHECK(result.output.find(words) != std::string::npos);
  }
  const std::string log = read_text(with.folder / "log.csv");
  CHECK(log.find("step,learning_rate,loss,reconstruction,divergence\n1,0.01,") == 0);
  const std::vector<double> losses = column(log, 2);
  REQUIRE(losses.size() == 180);
  CHECK(losses.back() < 0.9 * losses.front());

  // The delta goes into the decoder, and the encoder, and changes them.
  const std::string delta = read_text(with.folder / "out.delta");
  for (const char* name : {"decoder.fgm", "encoder.fgm"}) {
    CAPTURE(name);
    const std::string file = read_text(with.folder / name);
    const host::AlignedMemory bytes = host::allocate_aligned(file.size());
    const std::span<std::byte> span(bytes.get(), file.size());
    std::memcpy(bytes.get(), file.data(), file.size());
    CHECK(apply_delta(span, std::as_bytes(std::span(delta))).ok());
    CHECK(std::memcmp(bytes.get(), file.data(), file.size()) != 0);
    CHECK(Model::open(span).ok());
  }
}

TEST_CASE("train --json has the course in figures") {
  const WithFiles with;
  const Json json = with.train_well("--epochs 2 --evaluate " + with.data);
  CHECK(json["model"] == "small decoder");
  CHECK(json["steps"] == 12);
  CHECK(json["steps_before"] == 0);
  for (const char* terms : {"losses", "evaluation"}) {
    CHECK(json[terms]["loss"].get<double>() ==
          doctest::Approx(json[terms]["reconstruction"].get<double>() +
                          json[terms]["divergence"].get<double>()));
    CHECK(json[terms]["loss"].get<double>() > 0);
    CHECK(json["epochs"][1][terms] == json[terms]);
    CHECK(json["epochs"][0][terms]["loss"] != json[terms]["loss"]);
  }
  CHECK(json["epochs"].size() == 2);
  for (const char* figure : {"seconds", "examples_per_second", "arena_bytes", "activation_bytes",
                             "state_bytes", "delta_bytes", "peak_rss_bytes"})
    CHECK(json[figure].get<double>() > 0);
  CHECK(json["delta_bytes"] == std::filesystem::file_size(with.folder / "out.delta"));
}

TEST_CASE("a run is the same whenever it is started, and another with another seed") {
  const WithFiles with;
  with.train_well("--epochs 2", "a");
  with.train_well("--epochs 2", "b");
  with.train_well("--epochs 2 --seed 1", "c");
  CHECK(read_text(with.folder / "a") == read_text(with.folder / "b"));
  CHECK(read_text(with.folder / "a") != read_text(with.folder / "c"));
}

TEST_CASE("classes are learned from labels in a file of their own") {
  const WithFiles with;
  std::vector<double> numbers;
  std::string labels;
  for (int i = 0; i < 30; ++i) {
    for (int k = 0; k < 4; ++k) numbers.push_back(k == i % 3 ? 1 : 0);
    labels += static_cast<char>(i % 3);
  }
  write_text(with.folder / "x.npy", npy_file({30, 4}, numbers));
  const std::string line = "train " + (with.folder / "classifier.fgm") + " " +
                           (with.folder / "x.npy") + " --loss ce --batch 6 --steps 300 -o " +
                           (with.folder / "out.delta") + " --learning-rate 0.05 --json --labels " +
                           (with.folder / "labels");
  write_text(with.folder / "labels", idx_file(8, {30}, labels));
  const CommandResult result = run_figment(line);
  CAPTURE(result.error);
  REQUIRE(result.code == 0);
  CHECK(Json::parse(result.output)["losses"]["loss"].get<double>() < 0.01);

  write_text(with.folder / "labels", idx_file(8, {29}, labels.substr(1)));
  check_error(run_figment(line), 5, "x.npy holds 30 examples, but " + (with.folder / "labels"));
  labels.back() = 3;
  write_text(with.folder / "labels", idx_file(8, {30}, labels));
  check_error(run_figment(line), 5, "holds 3, but the classes of output 'logits' takes -1 to 2");
}

TEST_CASE("numbers are learned from targets") {
  const WithFiles with;
  write_text(with.folder / "x.npy", npy_file({4, 4}, {1, 0, 0, 0, 0, 1, 0, 0,  //
                                                      0, 0, 1, 0, 0, 0, 0, 1}));
  write_text(with.folder / "y.npy", npy_file({4, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 1, 1}));
  const std::string line =
      "train " + (with.folder / "classifier.fgm") + " " + (with.folder / "x.npy") +
      " --batch 4 --steps 2000 --learning-rate 0.1 --json -o " + (with.folder / "out.delta");
  const CommandResult result = run_figment(line + " --targets " + (with.folder / "y.npy"));
  CAPTURE(result.error);
  REQUIRE(result.code == 0);
  CHECK(Json::parse(result.output)["losses"]["loss"].get<double>() < 0.01);
  check_error(run_figment(line), 2, "give it with --targets");
}

TEST_CASE("text is learned from lines") {
  const WithFiles with;
  write_text(with.folder / "lines.txt", "abc\nabc\nab\nabc\n");
  const CommandResult result = run_figment(
      "train " + (with.folder / "text.fgm") + " " + (with.folder / "lines.txt") +
      " --batch 4 --steps 500 --learning-rate 0.05 --json -o " + (with.folder / "out.delta"));
  CAPTURE(result.error);
  REQUIRE(result.code == 0);
  // Only what follows b is left to chance: 1 of 15 symbols, at 4 places.
  CHECK(Json::parse(result.output)["losses"]["loss"].get<double>() < 0.2);
}

TEST_CASE("samples are drawn on the way, from the same latents") {
  const WithFiles with;
  const std::string path = with.folder / "samples.png";
  with.train_well("--steps 4 --samples-every 2 --samples " + path);
  const std::string first = read_text(path);
  const host::Picture picture = host::read_png(std::as_bytes(std::span(first)), path);
  CHECK(picture.width == 8 * 6 - 2);
  CHECK(picture.height == picture.width);
  with.train_well("--steps 4 --samples " + path);
  CHECK(read_text(path) == first);
  with.train_well("--steps 60 --samples " + path);
  CHECK(read_text(path) != first);
}

TEST_CASE("what train cannot do is one sentence and an exit code, and leaves no file") {
  const WithFiles with;
  std::filesystem::create_directory(with.folder / "empty");
  const std::ptrdiff_t files = with.folder.files();
  const std::string decoder = with.folder / "decoder.fgm", encoder = with.folder / "encoder.fgm";
  const std::string output = with.folder / "out.delta";
  const auto refuse = [&](const std::string& words, int code, const std::string& sentence) {
    const CommandResult result = run_figment("train " + words);
    CAPTURE(words);
    check_error(result, code, sentence);
    CHECK(result.output.empty());
    CHECK(result.error.find('\n') == result.error.size() - 1);
    CHECK(with.folder.files() == files);
  };
  const std::string start = decoder + " " + with.data + " -o " + output + " ";
  const std::string vae = start + "--encoder " + encoder + " ";
  refuse(decoder + " " + (with.folder / "missing") + " -o " + output + " --encoder " + encoder, 8,
         "cannot read");
  refuse(decoder + " " + (with.folder / "empty") + " -o " + output + " --encoder " + encoder, 5,
         "holds no .png picture");
  refuse(decoder + " " + with.data + " -o " + (with.folder / "nowhere/x") + " --encoder " + encoder,
         8, "cannot write");
  refuse(decoder + " " + with.data, 2, "--output");
  refuse(start + "--task vae", 2, "--task vae needs --encoder");
  refuse(vae + "--task gan", 2, "takes no --encoder");
  refuse(vae + "--discriminator " + encoder, 2, "are for different tasks");
  refuse(vae + "--loss mae", 2, "must be one of mse, bce, ce");
  refuse(vae + "--trainable last:0", 2, "last:3");
  refuse(vae + "--trainable none --partner-trainable none", 5, "");
  refuse(vae + "--checkpoint x --checkpoint-every 5m", 2, "must be a time");
  refuse(vae + "--checkpoint-every 5", 2, "--checkpoint");
  refuse(vae + "--epochs 1 --steps 1", 2, "excludes");
  refuse(vae + "--steps 1 --accumulate 2", 2, "nothing would move");
  refuse(vae + "--batch 51", 5, "fewer than a batch of 51");
  refuse(vae + "--labels " + with.data, 2, "nothing here takes --labels");
  refuse(vae + "--targets " + with.data, 2, "--targets is for supervised learning");
  refuse(vae + "--evaluate-labels " + with.data, 2, "need --evaluate");
  refuse(vae + "--log loss.png", 2, "name it .csv");
  refuse(vae + "--range -1..1 --loss bce", 2, "compares with numbers from 0 to 1");
}

}  // namespace figment::testing
