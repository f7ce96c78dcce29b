// The bytes of a file: alignment, one copy of equal constants, the order of tensors, the hash.
#include "converter/emit/flatbuffer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "converter/golden.h"
#include "runtime/format/sha256.h"

using namespace figment::converter;
namespace format = figment::format;
using figment::DataType;

namespace {

TensorId vector_of(Graph& graph, const std::string& name, const std::vector<float>& values) {
  return graph.add_floats(name, make_shape({static_cast<std::int64_t>(values.size())}), values);
}

// (x + a) * b, where b is given.
Graph two_steps(const std::vector<float>& b) {
  Graph graph;
  graph.name = "steps";
  const TensorId x = graph.add_input("x", DataType::kFloat32, make_shape({1, 3}));
  // The constants are made first and last, so that the file's order has something to put right.
  const TensorId a = vector_of(graph, "a", {1, 2, 3});
  const TensorId sum =
      graph.add_node("sum", make_options(format::BinaryT{{}, format::BinaryFunction::Add}), {x, a});
  const TensorId factor = vector_of(graph, "b", b);
  const TensorId product = graph.add_node(
      "product", make_options(format::BinaryT{{}, format::BinaryFunction::Mul}), {sum, factor});
  graph.outputs.push_back({"y", product, {1, 0}});
  return graph;
}

int constants(const format::Model& root) {
  return static_cast<int>(
      std::count_if(root.tensors()->begin(), root.tensors()->end(),
                    [](const format::Tensor* tensor) { return tensor->data() != nullptr; }));
}

}  // namespace

TEST_CASE("weights are aligned to 64 bytes from the file's start") {
  Graph graph = two_steps({4, 5, 6});
  for (int length = 1; length < 70;
       length += 7)  // odd sizes shift whatever is not aligned by itself
    graph.nodes[0].inputs.push_back(
        vector_of(graph, std::string(static_cast<std::size_t>(length), 'n'),
                  std::vector<float>(static_cast<std::size_t>(length), 1.0f)));
  const std::vector<std::byte> bytes = emit(graph, {});
  CHECK(format::GetModel(bytes.data())->version() == 1);
  CHECK(bytes.size() % 64 == 0);
  const format::Model& root = *format::GetModel(bytes.data());
  CHECK(constants(root) == 12);
  for (const format::Tensor* tensor : *root.tensors())
    if (tensor->data() != nullptr)
      CHECK((reinterpret_cast<const std::byte*>(tensor->data()->data()) - bytes.data()) % 64 == 0);
}

TEST_CASE("equal constants are stored once; a different shape or type is not equal") {
  CHECK(constants(*format::GetModel(emit(two_steps({1, 2, 3}), {}).data())) == 1);
  CHECK(constants(*format::GetModel(emit(two_steps({1, 2, 4}), {}).data())) == 2);
  Graph other_shape = two_steps({1, 2, 3});
  other_shape.nodes[1].inputs[1] = other_shape.add_floats("b", make_shape({1, 3}), {1, 2, 3});
  CHECK(constants(*format::GetModel(emit(other_shape, {}).data())) == 2);
  Graph other_type = two_steps({0, 0, 0});
  other_type.nodes[0].inputs[1] = other_type.add_integers("a", make_shape({3}), {0, 0, 0});
  CHECK(constants(*format::GetModel(emit(other_type, {}).data())) == 2);
}

TEST_CASE("int8 weights carry their scales, and make the file one of version 2") {
  Graph graph;
  const TensorId x = graph.add_input("x", DataType::kFloat32, make_shape({1, 2}));
  TensorId y = x;
  const std::vector<std::vector<float>> scales{{0.5f, 0.25f}, {0.5f, 0.25f}, {0.5f, 2.0f}};
  for (const std::vector<float>& own : scales) {
    const TensorId weights =
        graph.add_constant("weights", DataType::kInt8, make_shape({2, 2}),
                           {std::byte{1}, std::byte{2}, std::byte{0xff}, std::byte{127}});
    graph.tensor(weights).scales = own;
    y = graph.add_node("dense", make_options(format::DenseT{}), {y, weights, kAbsent});
  }
  graph.outputs.push_back({"y", y, {}});
  const AlignedBytes file(emit(graph, {}));
  const format::Model& root = open_model(file.span()).root();
  CHECK(root.version() == 2);
  CHECK(constants(root) == 2);  // the same numbers in other scales are another constant
  const format::Tensor& first = *root.tensors()->Get(1);
  REQUIRE(first.scales() != nullptr);
  CHECK(first.scales()->Get(0) == 0.5f);
  CHECK(first.scales()->Get(1) == 0.25f);
  CHECK(open_model(file.span()).weight_bytes() == 2 * (4 + 2 * sizeof(float)));
}

TEST_CASE("int4 weights make the file one of version 3") {
  Graph graph;
  const TensorId x = graph.add_input("x", DataType::kFloat32, make_shape({1, 3}));
  // 1 and 0.5 as bfloat16, then two rows of three.
  const std::vector<std::byte> bytes{std::byte{0x80}, std::byte{0x3f}, std::byte{0x00},
                                     std::byte{0x3f}, std::byte{0x21}, std::byte{0x03},
                                     std::byte{0xf8}, std::byte{0x07}};
  const TensorId weights =
      graph.add_constant("weights", DataType::kInt4, make_shape({2, 3}), bytes);
  graph.outputs.push_back(
      {"y", graph.add_node("dense", make_options(format::DenseT{}), {x, weights, kAbsent}), {}});
  const AlignedBytes file(emit(graph, {}));
  const figment::Model model = open_model(file.span());
  CHECK(model.root().version() == 3);
  CHECK(model.weight_bytes() == bytes.size());
  CHECK_THROWS_AS(graph.add_constant("short", DataType::kInt4, make_shape({2, 5}), bytes),
                  ConvertError);
}

TEST_CASE("the runtime opens the file and finds everything where it was") {
  Graph graph = two_steps({4, 5, 6});
  graph.nodes[1].activation = format::UnaryT{{}, format::UnaryFunction::LeakyRelu, 0.25f, 0.0f};
  ModelFacts facts;
  facts.kind = format::ModelKind::Generator;
  facts.prior = format::PriorT{{}, format::Distribution::Uniform, 3, -2.0f, 2.0f};
  facts.output_reading.Set(format::ImageT{{}, 1, 1, 3, -1.0f, 1.0f});
  facts.source_name = "steps.onnx";
  facts.source_hash.assign(32, 7);
  facts.licence = "MIT";
  const AlignedBytes file(emit(graph, facts));
  const figment::Model model = open_model(file.span());
  CHECK(model.name() == "steps");
  CHECK(model.kind() == figment::ModelKind::kGenerator);
  CHECK(model.prior() == figment::Distribution::kUniform);
  CHECK(model.image().channels == 3);
  CHECK(model.image().low == -1.0f);
  CHECK(model.input(0).name == "x");
  CHECK(model.output(0).name == "y");
  CHECK(model.output(0).source_axes[0] == 1);
  CHECK_FALSE(model.any_batch());
  const format::Model& root = model.root();
  CHECK(root.provenance()->source_name()->str() == "steps.onnx");
  CHECK(root.provenance()->source_hash()->bytes()->Get(31) == 7);
  CHECK(root.provenance()->converter_version()->str() == figment::kVersion);
  CHECK(root.provenance()->licence()->str() == "MIT");
  const format::Operator& last = *root.operators()->Get(1);
  CHECK(last.name()->str() == "product");
  CHECK(last.activation()->alpha() == 0.25f);
  CHECK(last.options_as_Binary()->function() == format::BinaryFunction::Mul);
  CHECK(root.operators()->Get(0)->outputs()->Get(0) < last.outputs()->Get(0));
}

TEST_CASE("absent operands keep their place, and go where nothing follows") {
  Graph graph;
  const TensorId x = graph.add_input("x", DataType::kFloat32, make_shape({1, 2, 2, 4}));
  const TensorId bias = vector_of(graph, "bias", {1, 2, 3, 4});
  const format::GroupNormalizationT options{{}, 2, 1e-5f};
  const TensorId first = graph.add_node("first", make_options(options), {x, kAbsent, bias});
  graph.outputs.push_back(
      {"y", graph.add_node("second", make_options(options), {first, kAbsent, kAbsent}), {}});
  const AlignedBytes file(emit(graph, {}));
  const format::Model& root = open_model(file.span()).root();
  REQUIRE(root.operators()->Get(0)->inputs()->size() == 3);
  CHECK(root.operators()->Get(0)->inputs()->Get(1) == -1);
  CHECK(root.operators()->Get(1)->inputs()->size() == 1);
}

TEST_CASE("the content hash is that of the file with the hash itself zero") {
  std::vector<std::byte> bytes = emit(two_steps({4, 5, 6}), {});
  const format::Hash* stored = format::GetModel(bytes.data())->content_hash();
  REQUIRE(stored != nullptr);
  const format::Digest expected = format::content_hash(bytes);
  CHECK(std::memcmp(stored, expected.data(), expected.size()) == 0);
  bytes[bytes.size() / 2] ^= std::byte{1};
  CHECK(format::content_hash(bytes) != expected);
}

TEST_CASE("the same graph gives the same bytes") {
  CHECK(emit(two_steps({4, 5, 6}), {}) == emit(two_steps({4, 5, 6}), {}));
}
