// A log of losses, also of a run that was killed and goes on.
#include "targets/host/train/loss_log.h"

#include "tests/host/data/files.h"

namespace figment::testing {
namespace {

const host::LossTerms kTerms{{"loss", 0.5}, {"divergence", 2}};

}  // namespace

TEST_CASE("a log has a head and a line for each step") {
  const ScratchFolder folder;
  {
    host::LossLog log(folder / "log.csv", 0);
    log.add(1, 0.25, kTerms);
    log.flush();
    CHECK(read_text(folder / "log.csv") == "step,learning_rate,loss,divergence\n1,0.25,0.5,2\n");
    log.add(2, 0.25, kTerms);
  }
  CHECK(read_text(folder / "log.csv") ==
        "step,learning_rate,loss,divergence\n1,0.25,0.5,2\n2,0.25,0.5,2\n");
}

TEST_CASE("a run that goes on takes the lines back that no checkpoint has") {
  const ScratchFolder folder;
  const std::string path = folder / "log.csv";
  write_text(path, "step,learning_rate,loss,divergence\n1,1,1,1\n2,2,2,2\n3,3,3,3\n4,4");
  host::LossLog(path, 2).add(3, 0.25, kTerms);
  CHECK(read_text(path) == "step,learning_rate,loss,divergence\n1,1,1,1\n2,2,2,2\n3,0.25,0.5,2\n");
  // One that begins anew begins a new log.
  host::LossLog(path, 0).add(1, 0.25, kTerms);
  CHECK(read_text(path) == "step,learning_rate,loss,divergence\n1,0.25,0.5,2\n");
}

TEST_CASE("a log that cannot be written is an error") {
  const ScratchFolder folder;
  check_refused([&] { host::LossLog(folder / "nowhere/log.csv", 0); }, host::ExitCode::kInputOutput,
                "cannot write");
  host::LossLog full("/dev/full", 0);
  check_refused(
      [&] {
        full.add(1, 0.25, kTerms);
        full.flush();
      },
      host::ExitCode::kInputOutput, "No space left");
}

}  // namespace figment::testing
