// However a run of `figment train` ends, its checkpoint is whole, and what goes on from it ends
// with the same weights.
#include "targets/host/train/checkpoint.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "tests/host/train_files.h"

namespace figment::testing {
namespace {

using Json = nlohmann::json;

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

TEST_CASE("killed at any moment and started again, a run ends with the same weights") {
  const WithFiles with;
  const std::string checkpoint = with.folder / "checkpoint";
  const std::string log = with.folder / "log.csv";
  const std::string course = "--steps 1500 --accumulate 2 --clip 1 --schedule cosine --warm-up 10";
  with.train_well(course + " --log " + log, "whole");
  const std::string whole_log = read_text(log);

  const std::string kept =
      course + " --checkpoint-every 7 --checkpoint " + checkpoint + " --log " + log;
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
  CHECK(with.train_well(kept, "again")["steps_before"] == 1500);
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

}  // namespace figment::testing
