// figment train: what it learns, writes, tells and refuses; and that no end of a run loses
// anything.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "figment/train.h"
#include "targets/host/input_file.h"
#include "targets/host/png.h"
#include "tests/host/command_line.h"
#include "tests/host/data/files.h"
#include "tests/host/train_models.h"

namespace figment::testing {
namespace {

using Json = nlohmann::json;

// Pictures of 4 by 4 with a bright row or column, as IDX.
std::string stripes(std::uint32_t count) {
  std::string pixels;
  for (std::uint32_t i = 0; i < count; ++i)
    for (std::uint32_t pixel = 0; pixel < 16; ++pixel) {
      const std::uint32_t line = i % 2 == 0 ? pixel / 4 : pixel % 4;
      pixels += line == i / 2 % 4 ? '\xf0' : '\x08';
    }
  return idx_file(8, {count, 4, 4}, pixels);
}

// The models and data in a folder, and command lines over them.
struct WithFiles {
  WithFiles() {
    write_text(folder / "decoder.fgm", text_of(small_decoder()));
    write_text(folder / "encoder.fgm", text_of(small_encoder()));
    write_text(folder / "classifier.fgm", text_of(small_classifier()));
    write_text(folder / "text.fgm", text_of(small_text_model()));
    write_text(data, stripes(50));
  }

  // Of the VAE.
  std::string line(const std::string& options, const std::string& output = "out.delta") const {
    return "train " + (folder / "decoder.fgm") + " " + data + " --encoder " +
           (folder / "encoder.fgm") + " --loss bce --batch 8 --learning-rate 0.01 -o " +
           (folder / output) + " " + options;
  }
  CommandResult train(const std::string& options, const std::string& output = "out.delta") const {
    return run_figment(line(options, output));
  }
  // As train(), which must succeed; the JSON object that it prints.
  Json train_well(const std::string& options, const std::string& output = "out.delta") const {
    const CommandResult result = train(options + " --json", output);
    CAPTURE(result.error);
    REQUIRE(result.code == 0);
    return Json::parse(result.output);
  }

  ScratchFolder folder;
  std::string data = folder / "stripes.idx";
};

void check_error(const CommandResult& result, int code, const std::string& words) {
  CAPTURE(result.error);
  CHECK(result.code == code);
  CHECK(result.error.find("figment train: ") != std::string::npos);
  CHECK(result.error.find(words) != std::string::npos);
}

// Column `name` of a log.
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

// Runs a command line of the program by itself.
class Running {
 public:
  explicit Running(const std::string& arguments) {
    const std::string line =
        "exec " + std::string(FIGMENT_COMMAND) + " " + arguments + " >/dev/null 2>/dev/null";
    process_ = ::fork();
    REQUIRE(process_ >= 0);
    if (process_ == 0) {
      ::execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
      ::_exit(127);
    }
  }
  ~Running() { end(SIGKILL); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  bool ended() {
    if (process_ > 0 && ::waitpid(process_, &status_, WNOHANG) == process_) process_ = 0;
    return process_ == 0;
  }
  // Its status as waitpid gives it, after it got `signal_number`.
  int end(int signal_number) {
    if (!ended()) {
      ::kill(process_, signal_number);
      ::waitpid(process_, &status_, 0);
      process_ = 0;
    }
    return status_;
  }

 private:
  pid_t process_ = 0;
  int status_ = 0;
};

void wait_ms(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

// Waits until there is a file, or the process has ended.
void wait_for(const std::string& path, Running& running) {
  while (!std::filesystem::exists(path) && !running.ended()) wait_ms(1);
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
  }
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

TEST_CASE("killed at any moment and started again, a run ends with the same weights") {
  const WithFiles with;
  const std::string checkpoint = with.folder / "checkpoint";
  const std::string log = with.folder / "log.csv";
  const std::string course = "--steps 3000 --accumulate 2 --clip 1 --schedule cosine --warm-up 10";
  with.train_well(course + " --log " + log, "whole");
  const std::string whole_log = read_text(log);

  const std::string kept =
      course + " --checkpoint-every 20 --checkpoint " + checkpoint + " --log " + log;
  int killed = 0;
  for (int round = 0; round < 6; ++round) {
    Running running(with.line(kept));
    wait_for(checkpoint, running);
    wait_ms(2 * round + 1);
    killed += WIFSIGNALED(running.end(SIGKILL)) ? 1 : 0;
  }
  CHECK(killed > 0);
  const Json json = with.train_well(kept);
  CHECK(json["steps_before"].get<int>() > 0);
  CHECK(read_text(with.folder / "out.delta") == read_text(with.folder / "whole"));
  CHECK(read_text(log) == whole_log);
  for (const auto& entry : std::filesystem::directory_iterator(with.folder.path()))
    CHECK(entry.path().string().find("checkpoint.part") == std::string::npos);
  // What is complete is only written again.
  CHECK(with.train_well(kept, "again")["steps_before"] == 3000);
  CHECK(read_text(with.folder / "again") == read_text(with.folder / "whole"));
}

TEST_CASE("Ctrl-C keeps the run, and the same command goes on") {
  const WithFiles with;
  const std::string checkpoint = with.folder / "checkpoint";
  const std::string kept = "--steps 4000 --checkpoint-every 100 --checkpoint " + checkpoint;
  with.train_well("--steps 4000", "whole");
  Running running(with.line(kept));
  wait_for(checkpoint, running);
  const int status = running.end(SIGINT);
  REQUIRE(WIFEXITED(status));
  // It may have been done already.
  if (WEXITSTATUS(status) != 0) {
    CHECK(WEXITSTATUS(status) == 130);
    CHECK_FALSE(std::filesystem::exists(with.folder / "out.delta"));
  }
  with.train_well(kept);
  CHECK(read_text(with.folder / "out.delta") == read_text(with.folder / "whole"));
}

TEST_CASE("a checkpoint of another run, or a damaged one, is refused and stays as it is") {
  const WithFiles with;
  const std::string path = with.folder / "checkpoint";
  const std::string kept = "--steps 8 --checkpoint " + path;
  with.train_well(kept);
  const std::string whole = read_text(path);
  const auto refuse = [&](const std::string& options, int code, const std::string& words) {
    const std::string before = read_text(path);
    check_error(with.train(options, "other"), code, words);
    CHECK(read_text(path) == before);
    CHECK_FALSE(std::filesystem::exists(with.folder / "other"));
  };
  refuse(kept + " --seed 2", 5, "it says 'seed: 0', this run 'seed: 2'");
  refuse(kept + " --optimizer sgd", 5, "is the checkpoint of another run");
  refuse("--steps 4 --checkpoint " + path, 5, "after step 8 already");
  write_text(with.data, stripes(40));
  refuse(kept, 5, "data: 50x4x4");
  write_text(with.data, stripes(50));
  write_text(path, whole.substr(0, whole.size() - 1));
  refuse(kept, 3, "is cut short");
  write_text(path, whole.substr(0, 20));
  refuse(kept, 3, "is no checkpoint");
  std::string damaged = whole;
  damaged[damaged.size() - 100] = static_cast<char>(damaged[damaged.size() - 100] ^ 1);
  write_text(path, damaged);
  refuse(kept, 3, "SHA-256");
  refuse("--steps 8 --checkpoint /dev/null", 2, "must be a file of its own");
  // A longer run goes on.
  write_text(path, whole);
  CHECK(with.train_well("--steps 16 --checkpoint " + path)["steps_before"] == 8);
}

TEST_CASE("a loss that is no number ends the run, and the last checkpoint stays") {
  const WithFiles with;
  const std::string path = with.folder / "checkpoint";
  const std::string diverging =
      "--optimizer sgd --learning-rate 1e20 --checkpoint-every 1 --checkpoint " + path;
  const std::string line = "train " + (with.folder / "classifier.fgm") + " " +
                           (with.folder / "x.npy") + " --targets " + (with.folder / "y.npy") +
                           " --batch 2 --steps 50 -o " + (with.folder / "out.delta") + " " +
                           diverging;
  write_text(with.folder / "x.npy", npy_file({2, 4}, std::vector<double>(8, 1)));
  write_text(with.folder / "y.npy", npy_file({2, 3}, std::vector<double>(6, 5)));
  const CommandResult result = run_figment(line);
  check_error(result, 5, "the first to give NaN or an infinity");
  CHECK(result.error.find("judge") != std::string::npos);
  CHECK(result.error.find(path + " holds the run as it was after ") != std::string::npos);
  CHECK(std::filesystem::exists(path));
  CHECK_FALSE(std::filesystem::exists(with.folder / "out.delta"));
}

TEST_CASE("a full disk is told, and what was there stays") {
  const WithFiles with;
  check_error(
      run_figment("train " + (with.folder / "decoder.fgm") + " " + with.data + " --encoder " +
                  (with.folder / "encoder.fgm") + " --steps 2 -o /dev/full"),
      8, "cannot write /dev/full: No space left on device");
  const std::string path = with.folder / "checkpoint";
  with.train_well("--steps 4 --checkpoint " + path);
  const std::string checkpoint = read_text(path), delta = read_text(with.folder / "out.delta");
  const std::ptrdiff_t files = with.folder.files();
  const std::string error = with.folder.path() + ".error";
  // Files of 1024 bytes at most.
  const std::string limited = "trap '' XFSZ; ulimit -f 2; " + std::string(FIGMENT_COMMAND) + " " +
                              with.line("--steps 8 --checkpoint " + path) + " >/dev/null 2>" +
                              error;
  const int status = std::system(limited.c_str());
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 8);
  CHECK(read_text(error).find("cannot write " + path + ": File too large") != std::string::npos);
  std::filesystem::remove(error);
  CHECK(read_text(path) == checkpoint);
  CHECK(read_text(with.folder / "out.delta") == delta);
  CHECK(with.folder.files() == files);
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
