// ONNX files that are refused have not had their constants widened, nor made others of them.
#include <doctest/doctest.h>

#include "converter/import/import.h"
#include "tests/import/onnx_builder.h"
#include "tests/limits/heap_watch.h"
#include "tests/support/packed_numbers.h"

namespace figment::testing {
namespace {

// Numbers without a pattern.
std::string raw(std::size_t bytes) {
  std::string numbers(bytes, '\0');
  std::uint32_t state = 1;
  for (char& number : numbers) number = static_cast<char>((state = state * 1664525 + 7) >> 24);
  return numbers;
}

// [4096, columns]
void add_weights(OnnxBuilder& builder, onnx::TensorProto_DataType type, std::int64_t columns,
                 std::size_t width) {
  onnx::TensorProto weights;
  weights.set_name("w");
  weights.set_data_type(type);
  weights.add_dims(4096);
  weights.add_dims(columns);
  weights.set_raw_data(raw(std::size_t{4096} * static_cast<std::size_t>(columns) * width));
  *builder.model().mutable_graph()->add_initializer() = weights;
}

// A file that is refused at its last node takes at most `most` times its size, and 1 MB.
void check_room(OnnxBuilder& builder, double most) {
  builder.node("Nonsense", {"y"}, {"z"}).output("z");
  const std::filesystem::path path = builder.save();
  builder.model().Clear();
  std::string sentence;
  HeapWatch heap;
  try {
    converter::import_file(path, {});
  } catch (const converter::ConvertError& error) {
    sentence = error.what();
  }
  const std::size_t peak = heap.peak_bytes();
  CHECK(sentence.find("(Nonsense)") != std::string::npos);
  const auto file = static_cast<double>(std::filesystem::file_size(path));
  CHECK(static_cast<double>(peak) <= most * file + (1 << 20));
}

}  // namespace

TEST_CASE("int8 weights that would be widened and turned") {
  OnnxBuilder builder(13);
  builder.input("x", {1, 8192}).floats("s", {4096}, std::vector<float>(4096, 0.5F));
  add_weights(builder, onnx::TensorProto::INT8, 8192, 1);
  onnx::TensorProto zero = integer_tensor("zero", {4096}, {});
  zero.set_data_type(onnx::TensorProto::INT8);
  std::vector<std::int64_t> zeros(4096);
  for (std::size_t channel = 0; channel < zeros.size(); ++channel)
    zeros[channel] = static_cast<std::int64_t>(channel % 3);
  zero.set_int32_data(packed_varints(zeros));
  *builder.model().mutable_graph()->add_initializer() = zero;
  builder.node("DequantizeLinear", {"w", "s", "zero"}, {"dw"}, {attribute("axis", 0)});
  builder.node("Transpose", {"dw"}, {"t"}, {attribute("perm", Extents{1, 0})});
  builder.node("MatMul", {"x", "t"}, {"y"});
  check_room(builder, 1.2);
}

TEST_CASE("weights that would be given one shape after another") {
  OnnxBuilder builder(13);
  builder.input("x", {1, 4096}).integers("a", {2}, {8192, 2048}).integers("b", {2}, {4096, 4096});
  add_weights(builder, onnx::TensorProto::FLOAT16, 4096, 2);
  std::string last = "w";
  for (int count = 0; count < 6; ++count) {
    const std::string next = "r" + std::to_string(count);
    builder.node("Reshape", {last, count % 2 == 0 ? "a" : "b"}, {next});
    last = next;
  }
  builder.node("Gemm", {"x", last}, {"y"}, {attribute("transB", 1)});
  check_room(builder, 1.2);
}

TEST_CASE("numbers that stand one by one, of a byte each") {
  OnnxBuilder builder(13);
  builder.input("x", {1, 4096});
  onnx::TensorProto weights;
  weights.set_name("w");
  weights.set_data_type(onnx::TensorProto::UINT8);
  weights.add_dims(4096);
  weights.add_dims(4096);
  weights.set_int32_data(std::string(std::size_t{4096} * 4096, '\x07'));
  *builder.model().mutable_graph()->add_initializer() = weights;
  builder.node("Cast", {"w"}, {"f"}, {attribute("to", std::int64_t{1})});
  builder.node("MatMul", {"x", "f"}, {"y"});
  check_room(builder, 1.2);
}

TEST_CASE("a list of millions of numbers is refused before it fills the memory") {
  OnnxBuilder builder(13);
  builder.input("x", {1, 4}).node("Relu", {"x"}, {"y"});
  onnx::AttributeProto list;
  list.set_name("list");
  list.set_type(onnx::AttributeProto::INTS);
  for (int i = 0; i < 20'000'000; ++i) list.add_ints(1);
  *builder.model().mutable_graph()->mutable_node(0)->add_attribute() = list;
  list.Clear();
  const std::filesystem::path path = builder.save();
  builder.model().Clear();
  HeapWatch heap;
  CHECK_THROWS_WITH_AS(converter::import_file(path, {}),
                       doctest::Contains("more nodes and names than a file of its size"),
                       converter::ConvertError);
  CHECK(heap.peak_bytes() <= 4 * std::filesystem::file_size(path));
}

}  // namespace figment::testing
