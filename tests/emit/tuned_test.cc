// Tuned files: the same model, the ways to run it, and packed weights where a page begins.
#include "converter/emit/tuned.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "converter/emit/flatbuffer.h"
#include "converter/golden.h"
#include "runtime/format/sha256.h"
#include "runtime/model_view.h"

using namespace figment::converter;
namespace format = figment::format;
using figment::DataType;
using figment::Model;

namespace {

// Two layers that share their weights, with everything that a file can say of itself.
std::vector<std::byte> make_file() {
  Graph graph;
  graph.name = "two layers";
  graph.any_batch = true;
  const TensorId x = graph.add_input("x", DataType::kFloat32, make_shape({1, 7}));
  std::vector<float> numbers(49);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i) / 49 - 0.5F;
  const TensorId weights = graph.add_floats("weights", make_shape({7, 7}), numbers);
  const TensorId bias = graph.add_floats("bias", make_shape({7}), {1, 2, 3, 4, 5, 6, 7});
  const TensorId bytes = graph.add_constant("bytes", DataType::kInt8, make_shape({7, 7}),
                                            std::vector<std::byte>(49, std::byte{3}));
  graph.tensor(bytes).scales = std::vector<float>(7, 0.25F);
  const TensorId first =
      graph.add_node("first", make_options(format::DenseT{}), {x, weights, bias});
  graph.nodes.back().activation = format::UnaryT{{}, format::UnaryFunction::LeakyRelu, 0.25F, 0};
  const TensorId second =
      graph.add_node("second", make_options(format::DenseT{}), {first, weights, kAbsent});
  graph.nodes.back().lowering = "what it was before";
  graph.outputs.push_back(
      {"y",
       graph.add_node("third", make_options(format::DenseT{}), {second, bytes, bias}),
       {1, 0}});
  for (GraphTensor& tensor : graph.tensors)
    if (!tensor.constant()) tensor.batch_axis = 0;
  ModelFacts facts;
  facts.kind = format::ModelKind::Generator;
  facts.prior = format::PriorT{{}, format::Distribution::Uniform, 7, -2, 2};
  facts.output_reading.Set(format::ImageT{{}, 7, 1, 1, -1, 1});
  facts.source_name = "two.onnx";
  facts.source_hash.assign(32, 7);
  facts.licence = "MIT";
  {
    const AlignedBytes file(emit(graph, facts));
    facts.golden = make_golden(open_model(file.span()), 5);
  }
  return emit(graph, facts);
}

std::vector<std::byte> bytes_from(int first, std::size_t count) {
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i)
    bytes[i] = static_cast<std::byte>(static_cast<std::size_t>(first) + i);
  return bytes;
}

// What the tables say, but for what tuning adds.
std::vector<std::byte> untuned_tables(const Model& model) {
  format::ModelT tables;
  model.root().UnPackTo(&tables);
  for (const auto& node : tables.operators) node->lowering.clear();
  tables.packed.reset();
  tables.content_hash.reset();
  flatbuffers::FlatBufferBuilder builder;
  format::FinishModelBuffer(builder, format::Model::Pack(builder, &tables));
  const auto* begin = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
  return {begin, begin + builder.GetSize()};
}

struct Tuned {
  AlignedBytes original{make_file()};
  Model model = open_model(original.span());
  // Blocks of odd sizes; an operator may have several, or none.
  std::vector<std::byte> blocks[3] = {bytes_from(1, 5), bytes_from(2, 64), bytes_from(3, 129)};
  std::vector<TunedOperator> operators{
      {"gemm", {blocks[0], blocks[1]}}, {"", {}}, {"a way", {blocks[2]}}};
  std::vector<std::byte> bytes = emit_tuned(model, operators, "some machine");
  AlignedBytes file{bytes};
  Model tuned = open_model(file.span());
};

}  // namespace

TEST_CASE("a tuned file keeps everything that the model's file says") {
  const Tuned with;
  CHECK(untuned_tables(with.tuned) == untuned_tables(with.model));
  CHECK(with.tuned.name() == "two layers");
  CHECK(with.tuned.kind() == figment::ModelKind::kGenerator);
  CHECK(with.tuned.prior() == figment::Distribution::kUniform);
  CHECK(with.tuned.image().channels == 1);
  CHECK(with.tuned.any_batch());
  CHECK(with.tuned.output(0).source_axes[0] == 1);
  CHECK(with.tuned.weight_bytes() == with.model.weight_bytes());
  const format::Model& root = with.tuned.root();
  CHECK(root.version() == with.model.root().version());
  CHECK(root.provenance()->source_name()->str() == "two.onnx");
  CHECK(root.provenance()->source_hash()->bytes()->Get(31) == 7);
  CHECK(root.provenance()->licence()->str() == "MIT");
  CHECK(root.operators()->Get(0)->activation()->alpha() == 0.25F);
  REQUIRE(root.golden() != nullptr);
  // It computes what it did, which is its golden.
  GoldenSession before(with.model);
  GoldenSession after(with.tuned);
  before.run(5);
  after.run(5);
  for (int i = 0; i < 7; ++i) CHECK(after.output(0).floats()[i] == before.output(0).floats()[i]);
}

TEST_CASE("the ways to run operators are stored, an empty one too") {
  const Tuned with;
  const auto& operators = *with.tuned.root().operators();
  CHECK(figment::text(operators.Get(0)->lowering()) == "gemm");
  CHECK(figment::text(operators.Get(1)->lowering()).empty());
  CHECK(figment::text(operators.Get(2)->lowering()) == "a way");
}

TEST_CASE("weights stand at multiples of 64 and packed ones at a multiple of 4096") {
  const Tuned with;
  const format::Model& root = with.tuned.root();
  const std::byte* start = with.file.span().data();
  int constants = 0;
  for (const format::Tensor* tensor : *root.tensors()) {
    if (tensor->data() == nullptr) continue;
    const auto at = reinterpret_cast<const std::byte*>(tensor->data()->data()) - start;
    CHECK(at % 64 == 0);
    CHECK(at + static_cast<std::ptrdiff_t>(tensor->data()->size()) <=
          static_cast<std::ptrdiff_t>(root.packed()->offset()));
    ++constants;
  }
  CHECK(constants == 3);
  CHECK(root.packed()->offset() % 4096 == 0);
  CHECK(root.packed()->offset() < root.packed()->size() + 3 * 4096);
  CHECK(root.packed()->offset() + root.packed()->size() == with.bytes.size());
}

TEST_CASE("constants of more than 4096 bytes stand behind the packed weights, unchanged") {
  Graph graph;
  const TensorId x = graph.add_input("x", DataType::kFloat32, make_shape({1, 64}));
  TensorId y = x;
  for (const int outputs : {64, 16, 65}) {  // 16 * 64 floats are 4096 bytes
    const std::int64_t inputs = graph.tensor(y).shape[1];
    std::vector<float> numbers(static_cast<std::size_t>(outputs * inputs));
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i) / 64;
    const TensorId weights = graph.add_floats("weights", make_shape({outputs, inputs}), numbers);
    y = graph.add_node("dense", make_options(format::DenseT{}), {y, weights, kAbsent});
  }
  graph.outputs.push_back({"y", y, {}});
  const AlignedBytes original(emit(graph, {}));
  const Model model = open_model(original.span());
  const std::vector<std::byte> block = bytes_from(1, 100);
  const std::vector<TunedOperator> operators{{"", {block}}, {"", {}}, {"", {}}};
  for (const std::string machine : {"some machine", ""}) {
    CAPTURE(machine);
    const std::vector<std::byte> bytes = emit_tuned(model, operators, machine);
    const AlignedBytes file(bytes);
    const Model tuned = open_model(file.span());
    CHECK(untuned_tables(tuned) == untuned_tables(model));
    CHECK(bytes.size() % 64 == 0);
    const auto place = [&](const format::Tensor& tensor) {
      return static_cast<std::size_t>(reinterpret_cast<const std::byte*>(tensor.data()->data()) -
                                      file.span().data());
    };
    const format::PackedWeights* packed = tuned.root().packed();
    CHECK((packed == nullptr) == machine.empty());
    const std::size_t end = packed == nullptr ? 0 : packed->offset() + packed->size();
    std::size_t tables_end = 0;
    int large = 0;
    for (const format::Tensor* tensor : *tuned.root().tensors()) {
      if (tensor->data() == nullptr) continue;
      CHECK(place(*tensor) % 64 == 0);
      if (tensor->data()->size() <= 4096) {
        tables_end = place(*tensor) + tensor->data()->size();
        CHECK((packed == nullptr || tables_end <= packed->offset()));
      } else {
        CHECK(place(*tensor) >= end);
        ++large;
      }
    }
    CHECK(large == 2);
    CHECK(tables_end > 0);
  }
}

TEST_CASE("blocks are found where the operator's begin, each with its size in front") {
  const Tuned with;
  const format::PackedWeights& packed = *with.tuned.root().packed();
  CHECK(packed.fingerprint()->str() == "some machine");
  REQUIRE(packed.starts()->size() == 4);
  const std::size_t starts[] = {0, 128 + 128, 256, 256 + 64 + 192};
  for (unsigned i = 0; i < 4; ++i) CHECK(packed.starts()->Get(i) == starts[i]);
  const auto check_block = [&](int index, std::size_t at, const std::vector<std::byte>& block) {
    const std::span<const std::byte> found = figment::packed_blocks(with.tuned, index);
    REQUIRE(found.size() >= at + 64 + block.size());
    std::uint64_t size = 0;
    std::memcpy(&size, found.data() + at, sizeof size);
    CHECK(size == block.size());
    CHECK(std::equal(block.begin(), block.end(), found.data() + at + 64));
    CHECK(reinterpret_cast<std::uintptr_t>(found.data() + at) % 64 == 0);
  };
  check_block(0, 0, with.blocks[0]);
  check_block(0, 128, with.blocks[1]);
  CHECK(figment::packed_blocks(with.tuned, 1).empty());
  check_block(2, 0, with.blocks[2]);
}

TEST_CASE("a tuned file's content hash is that of the whole file with the hash itself zero") {
  Tuned with;
  const format::Hash* stored = with.tuned.root().content_hash();
  REQUIRE(stored != nullptr);
  const format::Digest expected = format::content_hash(with.bytes);
  CHECK(std::memcmp(stored, expected.data(), expected.size()) == 0);
  with.bytes.back() ^= std::byte{1};
  CHECK(format::content_hash(with.bytes) != expected);
}

TEST_CASE("without a fingerprint the ways alone are stored, and no machine is another") {
  const Tuned with;
  const AlignedBytes file(emit_tuned(with.model, with.operators, ""));
  const Model model = open_model(file.span());
  CHECK(model.root().packed() == nullptr);
  CHECK(model.tuning() == figment::Tuning::kNone);
  CHECK(figment::text(model.root().operators()->Get(2)->lowering()) == "a way");
  CHECK(untuned_tables(model) == untuned_tables(with.model));
  CHECK(file.span().size() <= with.original.span().size() + 128);
  CHECK(with.tuned.tuning() == figment::Tuning::kElsewhere);
}

TEST_CASE("tuning a tuned file leaves nothing of what was packed before") {
  const Tuned with;
  CHECK(emit_tuned(with.tuned, with.operators, "some machine") == with.bytes);
  CHECK(emit_tuned(with.tuned, with.operators, "") == emit_tuned(with.model, with.operators, ""));
}
