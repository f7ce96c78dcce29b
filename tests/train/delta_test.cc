// What was learned, written as a delta and applied to a model's file: in every format of weights,
// with adapters and singular values, and never to another model.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <map>

#include "tests/support/guarded.h"
#include "tests/support/tuned_model.h"
#include "tests/train/learner.h"

namespace figment::testing {
namespace {

// What every learned tensor is worth in float32, by name.
std::map<std::string, std::vector<float>> worth(const Trainer& trainer, const OpenModel& base) {
  std::map<std::string, std::vector<float>> found;
  for (int i = 0; i < trainer.learned_count(); ++i) {
    const LearnedTensor learned = trainer.learned(i);
    std::vector<float>& values = found[std::string(learned.name)];
    if (learned.rank == 0) {
      values.assign(learned.values.begin(), learned.values.end());
      continue;
    }
    values = base.floats(std::string(learned.name));
    const auto rank = static_cast<std::size_t>(learned.rank);
    const std::size_t columns = learned.right.size() / rank;
    for (std::size_t at = 0; at < values.size(); ++at) {
      double sum = double{values[at]};
      for (std::size_t k = 0; k < rank; ++k)
        sum += double{learned.left[at / columns * rank + k]} *
               double{learned.right[k * columns + at % columns]};
      values[at] = static_cast<float>(sum);
    }
  }
  return found;
}

bool same_bytes(const Tensor& a, const Tensor& b) {
  return a.type == b.type && a.shape == b.shape && a.scales.size() == b.scales.size() &&
         std::equal(a.scales.begin(), a.scales.end(), b.scales.begin()) &&
         std::memcmp(a.data, b.data, constant_bytes(a.type, a.shape)) == 0;
}

// Trains, writes, applies; every tensor must be what the converter would have made of what was
// learned.
void check_round_trip(Narrow narrow, int adapter_rank) {
  CAPTURE(adapter_rank);
  const OpenModel base(file_of(narrowed(make_graph(), narrow)));
  RunningTrainer running({base.model}, options_of(adapter_rank));
  running.learn(3);
  const AlignedMemory delta = running.delta();

  const OpenModel applied(file_of(narrowed(make_graph(), narrow)));
  const Status status = apply_delta(applied.bytes.span(), delta.span());
  REQUIRE_MESSAGE(status.ok(), std::string(status.message()));
  REQUIRE(Model::open(applied.bytes.span()).ok());
  const format::Digest digest = format::content_hash(applied.bytes.span());
  CHECK(std::memcmp(applied.model.root().content_hash(), digest.data(), digest.size()) == 0);
  CHECK(golden_of(applied.model.root()) == nullptr);
  CHECK(golden_of(base.model.root()) != nullptr);

  Graph expected = make_graph();
  const auto learned = worth(running.trainer, base);
  CHECK(learned.size() == (adapter_rank > 0 ? 3 : 5));
  for (GraphTensor& tensor : expected.tensors)
    if (const auto found = learned.find(tensor.name); found != learned.end())
      std::memcpy(tensor.data->data(), found->second.data(), tensor.data->size());
  const OpenModel converted(file_of(narrowed(expected, narrow)));
  for (const char* name :
       {"dense.weights", "dense.bias", "up.weights", "up.bias", "convolution.weights"}) {
    CAPTURE(name);
    CHECK(same_bytes(applied.view(name), converted.view(name)));
    CHECK((applied.floats(name) != base.floats(name)) == learned.contains(name));
  }
}

TEST_CASE("what was learned is stored as the converter would store it, in every format") {
  for (const int rank : {0, 2}) {
    check_round_trip(nullptr, rank);
    check_round_trip(converter::narrow_weights, rank);
    check_round_trip(converter::quantize_weights, rank);
    check_round_trip(to_int4, rank);
  }
}

TEST_CASE("an applied model has the loss that the trainer has") {
  const Learned learned;
  const OpenModel applied(file_of(make_graph()));
  REQUIRE(apply_delta(applied.bytes.span(), learned.running.delta().span()).ok());
  RunningTrainer again({applied.model}, options_of());
  learned.running.fill(9);
  again.fill(9);
  Trainer before = learned.running.trainer;
  REQUIRE(before.evaluate(1).ok());
  REQUIRE(again.trainer.evaluate(1).ok());
  CHECK(before.report().loss == again.trainer.report().loss);
}

TEST_CASE("a delta says what it is") {
  const Learned learned;
  const AlignedMemory bytes = learned.running.delta(1234);
  const Result<const format::Delta*> delta = train::open_delta(bytes.span());
  REQUIRE_MESSAGE(delta.ok(), std::string(delta.status().message()));
  CHECK((*delta)->examples_seen() == 1234);
  CHECK((*delta)->updates() == 2);
  CHECK(text((*delta)->runtime_version()) == kVersion);
  REQUIRE((*delta)->sections()->size() == 1);
  const format::Section& section = *(*delta)->sections()->Get(0);
  CHECK(text(section.base_name()) == "learner");
  CHECK(train::same_hash(*section.base_hash(), *learned.base.model.root().content_hash()));
  REQUIRE(static_cast<int>(section.tensors()->size()) == learned.running.trainer.learned_count());
  for (int i = 0; i < learned.running.trainer.learned_count(); ++i) {
    const LearnedTensor tensor = learned.running.trainer.learned(i);
    const format::TensorDelta& stored = *section.tensors()->Get(static_cast<unsigned>(i));
    CHECK(stored.index() == tensor.tensor);
    CHECK(text(stored.name()) == tensor.name);
    CHECK(train::shape_of(stored) == tensor.shape);
  }
}

TEST_CASE("a byte too little is refused with the exact number, and nothing is written") {
  const Learned learned;
  const std::size_t size = learned.running.delta().span().size();
  AlignedMemory bytes(size - 1);
  std::memset(bytes.span().data(), 5, size - 1);
  const Result<std::size_t> written = learned.running.trainer.write_delta(bytes.span(), 1);
  REQUIRE_FALSE(written.ok());
  CHECK(written.status().bytes_needed == size);
  for (const std::byte byte : bytes.span()) REQUIRE(byte == std::byte{5});
  const Guarded<std::byte> exact(static_cast<std::int64_t>(size));
  CHECK(learned.running.trainer.write_delta({exact.data(), exact.size()}, 1).ok());
}

TEST_CASE("two models in one delta; weights under spectral normalization are written divided") {
  Graph generator = make_graph();
  generator.name = "generator";
  Graph judge;
  judge.name = "judge";
  judge.any_batch = true;
  const TensorId picture = judge.add_input("x", DataType::kFloat32, {{1, 6, 6, 3}, 4});
  TensorId logit = judge.add_node("flat", converter::make_options(format::ReshapeT{}), {picture},
                                  Shape{{1, 108}, 2});
  const TensorId weights = judge.add_floats("w", {{1, 108}, 2}, numbers(108, 77));
  logit = judge.add_node("dense", converter::make_options(format::DenseT{}), {logit, weights});
  judge.outputs.push_back({"y", logit, {}});
  for (GraphTensor& tensor : judge.tensors)
    if (!tensor.constant()) tensor.batch_axis = 0;

  const OpenModel base(file_of(generator));
  const OpenModel partner(file_of(judge));
  TrainOptions options = options_of();
  options.task = Task::kGan;
  options.spectral_normalization = true;
  RunningTrainer running({base.model, &partner.model}, options);
  running.learn(3);
  const AlignedMemory delta = running.delta();

  const OpenModel applied(file_of(generator));
  const OpenModel applied_partner(file_of(judge));
  REQUIRE(apply_delta(applied.bytes.span(), delta.span()).ok());
  REQUIRE(apply_delta(applied_partner.bytes.span(), delta.span()).ok());
  double squares = 0;
  for (const float value : applied_partner.floats("w")) squares += double{value} * double{value};
  // One row: its length is its singular value, which power iteration follows a step behind.
  CHECK(std::fabs(squares - 1) < 1e-2);

  TrainOptions plain = options;
  plain.spectral_normalization = false;
  RunningTrainer again({applied.model, &applied_partner.model}, plain);
  running.fill(9);
  again.fill(9);
  REQUIRE(running.trainer.evaluate(1).ok());
  REQUIRE(again.trainer.evaluate(1).ok());
  CHECK(std::fabs(running.trainer.report().partner_loss - again.trainer.report().partner_loss) <
        1e-5F);
}

TEST_CASE("a delta for another model is refused by name") {
  const Learned learned;
  const AlignedMemory delta = learned.running.delta();
  Graph other = make_graph();
  other.name = "stranger";
  check_refused(file_of(other), delta.span(), ErrorCode::kBadArgument,
                "belongs to the model 'learner', not to 'stranger'");
  Graph changed = make_graph();
  changed.tensors[1].data->front() ^= std::byte{1};
  check_refused(file_of(changed), delta.span(), ErrorCode::kBadArgument,
                "another file of the model 'learner'");
  // Applied once, it is another model.
  const AlignedMemory applied = align_bytes(file_of(make_graph()));
  REQUIRE(apply_delta(applied.span(), delta.span()).ok());
  check_refused({applied.span().begin(), applied.span().end()}, delta.span(),
                ErrorCode::kBadArgument, "learned on other weights");
}

TEST_CASE("a tuned model neither learns nor takes a delta") {
  const Learned learned;
  const std::vector<std::byte> tuned = tune_model(learned.base.model);
  check_refused(tuned, learned.running.delta().span(), ErrorCode::kBadArgument, "was tuned");
  const OpenModel model(tuned);
  const Result<std::size_t> bytes = Trainer::arena_bytes({model.model}, options_of());
  REQUIRE_FALSE(bytes.ok());
  CHECK(std::string(bytes.status().message()).find("was tuned") != std::string::npos);
}

TEST_CASE("a model that was changed takes no delta") {
  const Learned learned;
  std::vector<std::byte> file = file_of(make_graph());
  const auto* data = format::GetModel(file.data())->tensors()->Get(1)->data()->data();
  file[static_cast<std::size_t>(reinterpret_cast<const std::byte*>(data) - file.data())] ^=
      std::byte{1};
  check_refused(file, learned.running.delta().span(), ErrorCode::kBadFile, "content hash differs");
}

TEST_CASE("values beyond float16 are refused for a model of float16") {
  const Learned learned(converter::narrow_weights);
  const std::vector<std::byte> large = repack(learned.running.delta(), [](format::DeltaT& delta) {
    delta.sections[0]->tensors[0]->values[3] = 1e5F;
  });
  check_refused(file_of(narrowed(make_graph(), converter::narrow_weights)), large,
                ErrorCode::kUnsupported, "too large for float16");
}

}  // namespace
}  // namespace figment::testing
