// What was learned, written as a delta and applied to a model's file: in every format of weights,
// with adapters and singular values, and never to another model.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <map>

#include "converter/emit/flatbuffer.h"
#include "converter/passes/passes.h"
#include "runtime/format/sha256.h"
#include "runtime/math/stored_weights.h"
#include "runtime/model_view.h"
#include "runtime/train/delta.h"
#include "tests/support/guarded.h"
#include "tests/support/running_trainer.h"
#include "tests/support/tuned_model.h"

namespace figment::testing {
namespace {

using converter::Graph;
using converter::GraphTensor;
using converter::TensorId;
using Narrow = converter::PassResult (*)(Graph& graph);

std::vector<float> numbers(std::size_t count, std::uint64_t seed) {
  std::vector<float> values(count);
  Tensor tensor;
  tensor.data = values.data();
  tensor.shape = {{static_cast<std::int32_t>(count)}, 1};
  fill_normal(tensor, seed);
  for (float& value : values) value *= 0.3F;
  return values;
}

// x [N,50] -> Dense to 72 -> [N,3,3,8] -> transposed convolution in two groups -> [N,6,6,4] ->
// convolution -> y [N,6,6,3]: each of the three layouts of weights.
Graph make_graph() {
  Graph graph;
  graph.name = "learner";
  graph.any_batch = true;
  const auto floats = [&](const char* name, std::initializer_list<std::int64_t> extents) {
    const Shape shape = converter::make_shape(extents);
    return graph.add_floats(
        name, shape, numbers(static_cast<std::size_t>(shape.elements()), graph.tensors.size()));
  };
  const TensorId x = graph.add_input("x", DataType::kFloat32, {{1, 50}, 2});
  TensorId y = graph.add_node("dense", converter::make_options(format::DenseT{}),
                              {x, floats("dense.weights", {72, 50}), floats("dense.bias", {72})});
  y = graph.add_node("reshape", converter::make_options(format::ReshapeT{}), {y},
                     Shape{{1, 3, 3, 8}, 4});
  format::ConvTranspose2DT up;
  up.stride_height = up.stride_width = 2;
  up.groups = 2;
  y = graph.add_node("up", converter::make_options(up),
                     {y, floats("up.weights", {2, 2, 2, 2, 4}), floats("up.bias", {4})});
  format::Conv2DT convolution;
  convolution.pad_top = convolution.pad_left = convolution.pad_bottom = convolution.pad_right = 1;
  y = graph.add_node("convolution", converter::make_options(convolution),
                     {y, floats("convolution.weights", {3, 3, 3, 4})});
  graph.outputs.push_back({"y", y, {}});
  for (GraphTensor& tensor : graph.tensors)
    if (!tensor.constant()) tensor.batch_axis = 0;
  return graph;
}

Graph narrowed(Graph graph, Narrow narrow) {
  if (narrow != nullptr) narrow(graph);
  return graph;
}

std::vector<std::byte> file_of(const Graph& graph) {
  converter::ModelFacts facts;
  facts.golden.emplace();
  facts.golden->output_digest = std::make_unique<format::Hash>();
  std::memset(reinterpret_cast<void*>(facts.golden->output_digest.get()), 7, 32);
  return emit(graph, facts);
}

struct OpenModel {
  explicit OpenModel(const std::vector<std::byte>& file)
      : bytes(align_bytes(file)), model(*Model::open(bytes.span())) {}
  AlignedMemory bytes;
  Model model;

  // The tensor of that name.
  int find(const std::string& name) const {
    for (flatbuffers::uoffset_t i = 0; i < model.root().tensors()->size(); ++i)
      if (text(model.root().tensors()->Get(i)->name()) == name) return static_cast<int>(i);
    FAIL("no tensor " << name);
    return -1;
  }
  Tensor view(const std::string& name) const { return tensor_view(model.root(), find(name), 1); }
  std::vector<float> floats(const std::string& name) const {
    const Tensor tensor = view(name);
    std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
    math::widen_constant(tensor, values.data());
    return values;
  }
};

TrainOptions options_of(int adapter_rank = 0) {
  TrainOptions options;
  options.batch = 4;
  options.optimizer.learning_rate = 0.02F;
  options.selection.adapter_rank = adapter_rank;
  return options;
}

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

converter::PassResult to_int4(Graph& graph) {
  converter::quantize_dense(graph);
  return converter::quantize_weights(graph);
}

// A learned delta, as an object to change.
std::vector<std::byte> repack(const AlignedMemory& delta,
                              const std::function<void(format::DeltaT&)>& change) {
  format::DeltaT object;
  format::GetDelta(delta.span().data())->UnPackTo(&object);
  change(object);
  if (object.content_hash) object.content_hash = std::make_unique<format::Hash>();
  flatbuffers::FlatBufferBuilder builder;
  format::FinishDeltaBuffer(builder, format::Delta::Pack(builder, &object));
  const auto* begin = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
  std::vector<std::byte> bytes(begin, begin + builder.GetSize());
  auto* hash = const_cast<format::Hash*>(format::GetDelta(bytes.data())->content_hash());
  if (hash == nullptr) return bytes;
  const format::Digest digest = format::hash_around(bytes, hash);
  std::memcpy(hash, digest.data(), digest.size());
  return bytes;
}

// A model and what it has learned.
struct Learned {
  explicit Learned(Narrow narrow = nullptr, int adapter_rank = 0)
      : base(file_of(narrowed(make_graph(), narrow))),
        running({base.model}, options_of(adapter_rank)) {
    running.learn(2);
  }
  OpenModel base;
  RunningTrainer running;
};

// Applying is refused with these words, and the model stays as it is.
void check_refused(const std::vector<std::byte>& model, std::span<const std::byte> delta,
                   ErrorCode code, const std::string& words) {
  const AlignedMemory bytes = align_bytes(model);
  const Status status = apply_delta(bytes.span(), delta);
  CAPTURE(std::string(status.message()));
  CHECK(status.code == code);
  CHECK(std::string(status.message()).find(words) != std::string::npos);
  CHECK(std::equal(model.begin(), model.end(), bytes.span().begin()));
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
  CHECK_FALSE(running.trainer.write_delta({}, 0).ok());
  CHECK(std::string(running.trainer.write_delta({}, 0).status().message()).find("singular value") !=
        std::string::npos);
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
  const std::vector<std::byte> large =
      repack(learned.running.delta(), [](format::DeltaT& delta) {
        delta.sections[0]->tensors[0]->values[3] = 1e5F;
      });
  check_refused(file_of(narrowed(make_graph(), converter::narrow_weights)), large,
                ErrorCode::kUnsupported, "too large for float16");
}

TEST_CASE("dishonest deltas are refused with a sentence") {
  const Learned learned;
  const Learned adapted(nullptr, 2);
  const std::vector<std::byte> model = file_of(make_graph());
  struct Case {
    std::function<void(format::DeltaT&)> change;
    ErrorCode code;
    const char* words;
    bool adapter = false;
  };
  const auto tensor = [](format::DeltaT& delta) -> format::TensorDeltaT& {
    return *delta.sections[0]->tensors[0];
  };
  const Case cases[] = {
      {[](format::DeltaT& d) { d.version = 9; }, ErrorCode::kUnsupported, "format version 9"},
      {[](format::DeltaT& d) { d.content_hash.reset(); }, ErrorCode::kBadFile, "content hash"},
      {[](format::DeltaT& d) { d.sections.clear(); }, ErrorCode::kBadFile, "nothing"},
      {[](format::DeltaT& d) { d.sections[0]->base_hash.reset(); }, ErrorCode::kBadFile,
       "which model"},
      {[](format::DeltaT& d) {
         d.sections.push_back(std::make_unique<format::SectionT>(*d.sections[0]));
       },
       ErrorCode::kBadFile, "two sections"},
      {[&](format::DeltaT& d) { tensor(d).index = -1; }, ErrorCode::kBadFile, "out of order"},
      {[](format::DeltaT& d) { std::swap(d.sections[0]->tensors[0], d.sections[0]->tensors[1]); },
       ErrorCode::kBadFile, "out of order"},
      {[](format::DeltaT& d) { d.sections[0]->tensors.back()->index = 9999; }, ErrorCode::kBadFile,
       "is not in the model"},
      {[](format::DeltaT& d) { d.sections[0]->tensors[0]->index = 0; }, ErrorCode::kBadFile,
       "holds no weights"},
      {[&](format::DeltaT& d) { tensor(d).values.pop_back(); }, ErrorCode::kBadFile, "as many"},
      {[&](format::DeltaT& d) { tensor(d).shape = {-1, 3600}; }, ErrorCode::kBadFile,
       "that no tensor has"},
      {[&](format::DeltaT& d) { tensor(d).shape = {1 << 30, 1 << 30, 1 << 30}; },
       ErrorCode::kBadFile, "that no tensor has"},
      {[&](format::DeltaT& d) { tensor(d).shape = {50, 72}; }, ErrorCode::kBadFile,
       "but the model's 72x50"},
      {[&](format::DeltaT& d) { tensor(d).shape.assign(9, 1); }, ErrorCode::kBadFile, "9 axes"},
      {[&](format::DeltaT& d) { tensor(d).values[5] = NAN; }, ErrorCode::kBadFile, "not finite"},
      {[&](format::DeltaT& d) { tensor(d).rank = 1; }, ErrorCode::kBadFile, "as many"},
      {[&](format::DeltaT& d) { tensor(d).rank = -1; }, ErrorCode::kBadFile, "as many"},
      {[&](format::DeltaT& d) { tensor(d).rank = 1 << 30; }, ErrorCode::kBadFile, "as many", true},
      {[&](format::DeltaT& d) { tensor(d).left.pop_back(); }, ErrorCode::kBadFile, "as many", true},
      {[&](format::DeltaT& d) { tensor(d).right[0] = INFINITY; }, ErrorCode::kBadFile,
       "not finite", true},
      {[&](format::DeltaT& d) {
         tensor(d).left[0] = 3e38F;
         tensor(d).right[0] = 3e38F;
       },
       ErrorCode::kUnsupported, "too large to be numbers", true},
  };
  for (const Case& one : cases) {
    CAPTURE(one.words);
    const AlignedMemory delta = (one.adapter ? adapted : learned).running.delta();
    check_refused(model, align_bytes(repack(delta, one.change)).span(), one.code, one.words);
  }
  check_refused(model, {}, ErrorCode::kBadFile, "no delta");
  check_refused(model, model, ErrorCode::kBadFile, "no delta");
}

TEST_CASE("every truncated delta and every flipped byte is refused") {
  const Learned learned(to_int4, 1);
  const std::vector<std::byte> model = file_of(narrowed(make_graph(), to_int4));
  const AlignedMemory delta = learned.running.delta();
  const std::size_t size = delta.span().size();
  const AlignedMemory target = align_bytes(model);
  for (std::size_t at = 0; at < size; ++at) {
    const AlignedMemory damaged = align_bytes(delta.span());
    damaged.span()[at] ^= static_cast<std::byte>(1 + at % 255);
    REQUIRE_FALSE(apply_delta(target.span(), damaged.span()).ok());
    const AlignedMemory cut = align_bytes(delta.span().first(at));
    REQUIRE_FALSE(apply_delta(target.span(), cut.span()).ok());
  }
  CHECK(std::equal(model.begin(), model.end(), target.span().begin()));
}

// Whoever forges a file can forge its hash as well.
TEST_CASE("damage with a right hash is refused or harmless") {
  const Learned learned(to_int4, 1);
  const std::vector<std::byte> model = file_of(narrowed(make_graph(), to_int4));
  const AlignedMemory delta = learned.running.delta();
  const std::size_t size = delta.span().size();
  int refused = 0;
  int applied = 0;
  for (std::size_t at = 0; at < size; ++at) {
    // Of the numbers a few suffice.
    if (at > 1000 && at % 7 != 0) continue;
    const Guarded<std::byte> damaged(static_cast<std::int64_t>(size / 8 * 8 + 8));
    std::memcpy(damaged.data(), delta.span().data(), size);
    damaged[static_cast<std::int64_t>(at)] ^= static_cast<std::byte>(1U << at % 8);
    flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(damaged.data()), size);
    if (!format::VerifyDeltaBuffer(verifier)) continue;
    auto* hash = const_cast<format::Hash*>(format::GetDelta(damaged.data())->content_hash());
    if (hash == nullptr) continue;
    const format::Digest digest = format::hash_around({damaged.data(), size}, hash);
    std::memcpy(hash, digest.data(), digest.size());
    const AlignedMemory target = align_bytes(model);
    const Status status = apply_delta(target.span(), {damaged.data(), size});
    ++(status.ok() ? applied : refused);
    if (status.ok())
      CHECK(Model::open(target.span()).ok());
    else
      CHECK(std::equal(model.begin(), model.end(), target.span().begin()));
  }
  CHECK(refused > 20);
  CHECK(applied > 100);
}

TEST_CASE("a forged model with tensors over its tables is refused or harmless") {
  const Learned learned;
  const std::vector<std::byte> sound = file_of(make_graph());
  const auto at_of = [&](const void* place) {
    return static_cast<std::size_t>(static_cast<const std::byte*>(place) - sound.data());
  };
  const format::Model& root = *format::GetModel(sound.data());
  // The offset to the data of the convolution's weights, led elsewhere in the file: over the tables
  // of the tensors that were written before.
  const auto index = static_cast<unsigned>(learned.base.find("convolution.weights"));
  const auto* table = reinterpret_cast<const std::uint8_t*>(root.tensors()->Get(index));
  const auto* fields = table - flatbuffers::ReadScalar<flatbuffers::soffset_t>(table);
  const auto slot = flatbuffers::ReadScalar<flatbuffers::voffset_t>(fields + 12);
  REQUIRE(slot != 0);
  const std::size_t place = at_of(table + slot);
  int overlapping = 0;
  for (std::size_t target = place + 4; target + 4 < sound.size(); target += 4) {
    const AlignedMemory file = align_bytes(sound);
    const auto distance = static_cast<std::uint32_t>(target - place);
    std::memcpy(file.span().data() + place, &distance, sizeof distance);
    // The count that its shape asks for.
    const std::uint32_t count = 3 * 3 * 3 * 4 * sizeof(float);
    std::memcpy(file.span().data() + target, &count, sizeof count);
    if (!Model::open(file.span()).ok()) continue;
    auto* hash =
        const_cast<format::Hash*>(format::GetModel(file.span().data())->content_hash());
    const format::Digest digest = format::content_hash(file.span());
    std::memcpy(hash, digest.data(), digest.size());
    const std::vector<std::byte> delta =
        repack(learned.running.delta(), [&](format::DeltaT& object) {
          std::memcpy(reinterpret_cast<void*>(object.sections[0]->base_hash.get()),
                      digest.data(), digest.size());
        });
    const Status status = apply_delta(file.span(), align_bytes(delta).span());
    if (std::string(status.message()).find("over each other") != std::string::npos) ++overlapping;
  }
  CHECK(overlapping > 0);
}

}  // namespace
}  // namespace figment::testing
