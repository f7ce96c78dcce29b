// Files that are no whole ONNX model: one sentence each, and never a crash.
#include "converter/import/onnx.h"

#include <doctest/doctest.h>

#include <fstream>
#include <random>

#include "tests/import/onnx_builder.h"
#include "tests/support/packed_numbers.h"

namespace figment::testing {
namespace {

std::string refusal(const std::filesystem::path& path) {
  try {
    converter::import_file(path, {});
  } catch (const converter::ConvertError& error) {
    return error.what();
  }
  return {};
}

void write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
}

OnnxBuilder& small(OnnxBuilder& builder) {
  builder.input("x", {1, 3, 4, 4}).floats("w", {2, 3, 3, 3}, ramp(54)).floats("b", {2}, {1, 2});
  builder.node("Conv", {"x", "w", "b"}, {"h"}, {attribute("pads", Extents{1, 1, 1, 1})});
  return builder.node("Flatten", {"h"}, {"y"}).output("y");
}

}  // namespace

TEST_CASE("files that are not there, or no models") {
  const OnnxBuilder place(13);
  const std::filesystem::path path = place.folder() / "model.onnx";
  CHECK(refusal(path).find("does not exist") != std::string::npos);
  CHECK(refusal(place.folder()).find("is no file") != std::string::npos);
  for (const std::string& bytes : {std::string(), std::string("PK\x03\x04"),
                                   std::string("<html></html>"), std::string(1000, '\0')}) {
    write(path, bytes);
    CHECK_FALSE(converter::looks_like_onnx(path));
    CHECK(refusal(path).find("is no trained model of a known format") != std::string::npos);
  }
}

TEST_CASE("small messages that would fill the memory are refused") {
  const OnnxBuilder place(13);
  const std::filesystem::path path = place.folder() / "model.onnx";
  // A graph of half a million empty nodes, each a hundred times its size in memory.
  std::string nodes;
  while (nodes.size() < 1U << 20) nodes += std::string("\x0a\x00", 2);
  write(path, std::string("\x08\x07\x3a\x80\x80\x40", 6) + nodes);
  CHECK(refusal(path).find("has more nodes and names than a file of its size") !=
        std::string::npos);
  // A text that says it is longer than the file.
  write(path, std::string("\x08\x07\x12\x80\x80\x80\x10", 7) + "short");
  CHECK(refusal(path).find("is cut off or damaged") != std::string::npos);
  // Numbers one by one are a model like any other.
  OnnxBuilder builder(13);
  const std::vector<float> values(std::size_t{3} << 20, 1.5F);
  onnx::TensorProto tensor;
  tensor.set_float_data(packed_fixed(values));
  tensor.set_name("w");
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  tensor.add_dims(3);
  tensor.add_dims(1 << 20);
  builder.input("x", {1, 3}).node("MatMul", {"x", "w"}, {"y"}).output("y");
  *builder.model().mutable_graph()->add_initializer() = tensor;
  CHECK(builder.refusal() == "");
}

TEST_CASE("a model cut off anywhere is refused") {
  OnnxBuilder builder(13);
  const std::string whole = small(builder).model().SerializeAsString();
  const std::filesystem::path path = builder.folder() / "cut.onnx";
  write(path, whole);
  CHECK(refusal(path) == "");
  for (std::size_t length = 0; length < whole.size(); length += 1 + length / 40) {
    write(path, whole.substr(0, length));
    CAPTURE(length);
    CHECK(refusal(path) != "");
  }
}

TEST_CASE("a model with damaged bytes is refused or still a model, and never crashes") {
  OnnxBuilder builder(13);
  const std::string whole = small(builder).model().SerializeAsString();
  const std::filesystem::path path = builder.folder() / "damaged.onnx";
  std::mt19937 random(7);
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    std::string bytes = whole;
    for (int change = 0; change < 1 + round % 4; ++change)
      bytes[random() % bytes.size()] = static_cast<char>(random() % 256);
    write(path, bytes);
    const std::string sentence = refusal(path);
    if (!sentence.empty()) ++refused;
    CHECK(sentence.find('\n') == std::string::npos);
  }
  CHECK(refused > 40);
}

}  // namespace figment::testing
