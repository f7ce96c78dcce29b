// figment apply: the file that it writes, and what it refuses.
#include <doctest/doctest.h>

#include "tests/host/command_line.h"
#include "tests/host/scratch_folder.h"
#include "tests/host/small_model.h"
#include "tests/support/running_trainer.h"
#include "tests/support/tuned_model.h"

namespace figment::testing {
namespace {

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A small model in a folder, and what it has learned.
struct WithDelta {
  WithDelta() {
    TrainOptions options;
    options.batch = 4;
    options.optimizer.learning_rate = 0.05F;
    RunningTrainer running({small.model}, options);
    running.learn(3);
    write_text(model, text_of(small.bytes));
    write_text(delta, text_of(running.delta(1200).span()));
  }
  SmallModel small;
  ScratchFolder folder;
  std::string model = folder / "small.fgm";
  std::string delta = folder / "learned.delta";
  std::string output = folder / "trained.fgm";
};

void check_refused(const std::string& arguments, int code, const std::string& words) {
  const CommandResult result = run_figment(arguments);
  CAPTURE(result.error);
  CHECK(result.code == code);
  CHECK(result.error.find(words) != std::string::npos);
  CHECK(result.error.find('\n') == result.error.size() - 1);
}

}  // namespace

TEST_CASE("apply writes another model, which check accepts") {
  const WithDelta with;
  const CommandResult result =
      run_figment("apply " + with.model + " " + with.delta + " -o " + with.output);
  CAPTURE(result.error);
  REQUIRE(result.code == 0);
  CHECK(result.output ==
        with.output + ": 2 tensors of 'small' changed; learned from 1,200 examples in 3 updates\n");
  CHECK(run_figment("check " + with.output).code == 0);
  CHECK(read_text(with.output) != read_text(with.model));
  CHECK(read_text(with.output).size() == read_text(with.model).size());
}

TEST_CASE("the golden of a shipped model is made anew") {
  const AlignedMemory file = read_aligned(source_folder() + "models/digits_vae/decoder.fgm");
  const auto model = Model::open(file.span());
  REQUIRE(model.ok());
  TrainOptions options;
  options.batch = 2;
  options.selection.learns = Learns::kLastLayers;
  RunningTrainer running({*model}, options);
  running.learn(1);
  const ScratchFolder folder;
  const std::string delta = folder / "d.delta";
  const std::string trained = folder / "t.fgm";
  write_text(delta, text_of(running.delta().span()));
  const std::string base = source_folder() + "models/digits_vae/decoder.fgm";
  REQUIRE(run_figment("apply " + base + " " + delta + " -o " + trained).code == 0);
  const CommandResult checked = run_figment("check " + trained);
  CAPTURE(checked.error);
  CHECK(checked.code == 0);
  CHECK(checked.output.find("ok  content hash") != std::string::npos);
  CHECK(checked.output.find("ok  golden on the portable backend, bit for bit") !=
        std::string::npos);
  // As a device leaves it, the golden says nothing.
  const AlignedMemory on_device = align_bytes(file.span());
  REQUIRE(apply_delta(on_device.span(), running.delta().span()).ok());
  write_text(trained, text_of(on_device.span()));
  const CommandResult left = run_figment("check " + trained);
  CHECK(left.code == 0);
  CHECK(left.output.find("--  golden: the file has none") != std::string::npos);
  CHECK(run_figment("show " + trained).output.find("golden") == std::string::npos);
}

TEST_CASE("apply refuses what does not fit, and leaves nothing behind") {
  const WithDelta with;
  const std::string out = " -o " + with.output;
  const SmallModel other("other");
  const std::string stranger = with.folder / "other.fgm";
  write_text(stranger, text_of(other.bytes));
  const std::string tuned = with.folder / "tuned.fgm";
  write_text(tuned, text_of(tune_model(with.small.model)));
  const std::string cut = with.folder / "cut.delta";
  write_text(cut, read_text(with.delta).substr(0, 100));
  const auto files = with.folder.files();

  check_refused("apply " + stranger + " " + with.delta + out, 5,
                "learned.delta: the delta belongs to another file of the model 'small'");
  check_refused("apply " + with.model + " " + cut + out, 3, "cut.delta: the delta is damaged");
  check_refused("apply " + with.model + " " + with.model + out, 3, "small.fgm: this is no delta");
  check_refused("apply " + with.delta + " " + with.delta + out, 3, "no .fgm file");
  check_refused("apply " + with.model + " " + with.delta, 2, "--output is required");
  check_refused("apply " + with.model + " nothing.delta" + out, 8, "nothing.delta");
  check_refused("apply " + with.model + " " + with.delta + " -o " + (with.folder / "no/where.fgm"),
                8, "cannot write");
  // A line of warning may come first.
  CHECK(run_figment("apply " + tuned + " " + with.delta + out).code == 5);
  CHECK(with.folder.files() == files);
}

}  // namespace figment::testing
