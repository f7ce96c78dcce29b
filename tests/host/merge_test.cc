// figment merge: means of values, means of products of factors, and what it refuses.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "runtime/model_view.h"
#include "runtime/train/delta.h"
#include "tests/host/command_line.h"
#include "tests/host/scratch_folder.h"
#include "tests/host/small_model.h"
#include "tests/support/running_trainer.h"

namespace figment::testing {
namespace {

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Deltas of one small model, learned apart.
struct WithDeltas {
  // Returns the file's path.
  std::string learn(const std::string& name, std::uint64_t seed, std::uint64_t examples_seen,
                    int adapter_rank = 0, const Model* model = nullptr,
                    Learns learns = Learns::kAll) {
    TrainOptions options;
    options.batch = 4;
    options.optimizer.learning_rate = 0.05F;
    options.selection.adapter_rank = adapter_rank;
    options.selection.learns = learns;
    options.seed = seed;
    RunningTrainer running({model == nullptr ? small.model : *model}, options);
    running.learn(3, seed);
    write_text(folder / name, text_of(running.delta(examples_seen).span()));
    return folder / name;
  }
  // The model's weights once a delta is applied.
  std::vector<float> applied(const std::string& path) const {
    const AlignedMemory model = align_bytes(small.bytes);
    const std::string delta = read_text(path);
    const Status status =
        apply_delta(model.span(), align_bytes(std::as_bytes(std::span(delta))).span());
    REQUIRE_MESSAGE(status.ok(), std::string(status.message()));
    const format::Model& root = *format::GetModel(model.span().data());
    for (int i = 0; i < static_cast<int>(root.tensors()->size()); ++i) {
      const Tensor view = tensor_view(root, i, 1);
      if (view.constant && view.shape.rank == 2)
        return {view.floats(), view.floats() + view.elements()};
    }
    return {};
  }
  // Merges, and checks that the weights are the mean with `share` for the first of the two.
  void check_mean(const std::string& a, const std::string& b, const std::string& options,
                  double share) const {
    const CommandResult result = run_figment("merge " + a + " " + b + " -o " + output + options);
    CAPTURE(result.error);
    REQUIRE(result.code == 0);
    const std::vector<float> first = applied(a);
    const std::vector<float> second = applied(b);
    const std::vector<float> merged = applied(output);
    REQUIRE(merged.size() == 16);
    for (std::size_t i = 0; i < merged.size(); ++i) {
      const double mean = share * double{first[i]} + (1 - share) * double{second[i]};
      CHECK(std::fabs(double{merged[i]} - mean) < 1e-6);
    }
    CHECK(first != second);
  }
  void check_refused(const std::string& arguments, int code, const std::string& words) const {
    const CommandResult result = run_figment("merge " + arguments + " -o " + output);
    CAPTURE(result.error);
    CHECK(result.code == code);
    CHECK(result.error.find(words) != std::string::npos);
    CHECK(result.error.find('\n') == result.error.size() - 1);
    CHECK_FALSE(std::filesystem::exists(output));
  }

  SmallModel small;
  ScratchFolder folder;
  std::string output = folder / "merged.delta";
};

}  // namespace

TEST_CASE("values are averaged by the examples seen, or by --weights") {
  WithDeltas with;
  const std::string a = with.learn("a.delta", 1, 100);
  const std::string b = with.learn("b.delta", 20, 300);
  with.check_mean(a, b, "", 0.25);
  const std::string bytes = read_text(with.output);
  const AlignedMemory merged = align_bytes(std::as_bytes(std::span(bytes)));
  const auto delta = train::open_delta(merged.span());
  REQUIRE(delta.ok());
  CHECK((*delta)->examples_seen() == 400);
  CHECK((*delta)->updates() == 3);
  with.check_mean(a, b, " --weights 3,1", 0.75);
  with.check_mean(a, b, " --weights 0,2", 0);
}

TEST_CASE("adapters are averaged as their products, and the ranks add up") {
  WithDeltas with;
  const std::string a = with.learn("a.delta", 1, 100, 1);
  const std::string b = with.learn("b.delta", 20, 100, 2);
  with.check_mean(a, b, " --weights 3,1", 0.75);
  const std::string bytes = read_text(with.output);
  const AlignedMemory merged = align_bytes(std::as_bytes(std::span(bytes)));
  CHECK(format::GetDelta(merged.span().data())->sections()->Get(0)->tensors()->Get(0)->rank() == 3);
}

TEST_CASE("a merged delta may be merged again, and says its parts") {
  WithDeltas with;
  const std::string a = with.learn("a.delta", 1, 100);
  const std::string b = with.learn("b.delta", 20, 300);
  const std::string both = with.folder / "both.delta";
  const CommandResult result = run_figment("merge " + a + " " + b + " -o " + both);
  CHECK(result.output == both + ": the mean of 2 deltas, learned from 400 examples\n   25.0 %  " +
                             a + "\n   75.0 %  " + b + "\n");
  CHECK(run_figment("merge " + both + " " + a + " " + b + " -o " + with.output).code == 0);
}

TEST_CASE("deltas that do not fit are refused by name") {
  WithDeltas with;
  const SmallModel other("other");
  const std::string a = with.learn("a.delta", 1, 0);
  const std::string b = with.learn("b.delta", 20, 0);
  const std::string adapter = with.learn("adapter.delta", 3, 10, 1);
  const std::string biases =
      with.learn("biases.delta", 3, 10, 0, nullptr, Learns::kBiasesAndScales);
  const std::string stranger = with.learn("stranger.delta", 3, 10, 0, &other.model);
  const std::string both = a + " " + b;
  with.check_refused(both, 2, "no delta says how many examples");
  with.check_refused(both + " --weights 1,2,3", 2, "3 numbers for 2 deltas");
  with.check_refused(both + " --weights=-1,2", 2, "0 or more");
  with.check_refused(both + " --weights 0,0", 2, "sum above 0");
  with.check_refused(a, 2, "give two or more");
  with.check_refused(a + " " + stranger, 5,
                     "stranger.delta does not fit " + a +
                         ": it was not learned on the same file of "
                         "the model 'small'");
  with.check_refused(a + " " + biases, 5, "have learned 2 tensors and 1 tensor");
  with.check_refused(adapter + " " + biases, 5, "the other");
  with.check_refused(a + " " + (with.folder / "none.delta"), 8, "none.delta");
}

}  // namespace figment::testing
