// The arrays of an ONNX file: types, raw and typed data, files beside the model, and what is
// damaged.
#include "converter/import/onnx_data.h"

#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <limits>

#include "converter/graph/graph.h"
#include "tests/import/onnx_builder.h"
#include "tests/support/packed_numbers.h"

namespace figment::testing {
namespace {

using converter::graph_type;
using converter::onnx_type_name;
using onnx::TensorProto;

TensorProto typed(int type, const Extents& extents) {
  TensorProto tensor;
  tensor.set_name("weights");
  tensor.set_data_type(type);
  for (const std::int64_t extent : extents) tensor.add_dims(extent);
  return tensor;
}

template <typename T>
TensorProto raw(int type, const std::vector<T>& values) {
  TensorProto tensor = typed(type, {static_cast<std::int64_t>(values.size())});
  tensor.set_raw_data(values.data(), values.size() * sizeof(T));
  return tensor;
}

std::vector<double> read(const TensorProto& proto, const std::filesystem::path& folder = {}) {
  const converter::OnnxArray array = converter::read_onnx_array(proto, folder);
  std::vector<double> values(static_cast<std::size_t>(array.shape.elements()));
  for (std::size_t index = 0; index < values.size(); ++index) {
    float number = 0;
    std::int32_t whole = 0;
    std::memcpy(&number, array.bytes.data() + 4 * index, 4);
    std::memcpy(&whole, array.bytes.data() + 4 * index, 4);
    values[index] = array.type == DataType::kInt32 ? whole : static_cast<double>(number);
  }
  return values;
}

std::string refusal(const TensorProto& proto, const std::filesystem::path& folder = {}) {
  try {
    converter::read_onnx_array(proto, folder);
  } catch (const converter::ConvertError& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("every type, raw") {
  CHECK(read(raw<float>(TensorProto::FLOAT, {1.5F, -2})) == std::vector<double>{1.5, -2});
  CHECK(read(raw<double>(TensorProto::DOUBLE, {1.5, -2})) == std::vector<double>{1.5, -2});
  // 1, -2, the largest, the smallest denormal, infinity
  CHECK(read(raw<std::uint16_t>(TensorProto::FLOAT16, {0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00})) ==
        std::vector<double>{1, -2, 65504, 5.9604644775390625e-8,
                            std::numeric_limits<double>::infinity()});
  CHECK(read(raw<std::uint16_t>(TensorProto::BFLOAT16, {0x3f80, 0xc040})) ==
        std::vector<double>{1, -3});
  CHECK(read(raw<std::int64_t>(TensorProto::INT64, {7, -8, INT64_MAX, INT64_MIN})) ==
        std::vector<double>{7, -8, 2147483647.0, -2147483648.0});
  CHECK(read(raw<std::uint64_t>(TensorProto::UINT64, {7, UINT64_MAX})) ==
        std::vector<double>{7, 2147483647.0});
  CHECK(read(raw<std::uint32_t>(TensorProto::UINT32, {7, UINT32_MAX})) ==
        std::vector<double>{7, 2147483647.0});
  CHECK(read(raw<std::int32_t>(TensorProto::INT32, {7, -8})) == std::vector<double>{7, -8});
  CHECK(read(raw<std::int16_t>(TensorProto::INT16, {7, -8})) == std::vector<double>{7, -8});
  CHECK(read(raw<std::uint16_t>(TensorProto::UINT16, {7, 65535})) == std::vector<double>{7, 65535});
  CHECK(read(raw<std::int8_t>(TensorProto::INT8, {7, -8})) == std::vector<double>{7, -8});
  CHECK(read(raw<std::uint8_t>(TensorProto::UINT8, {7, 255})) == std::vector<double>{7, 255});
  CHECK(read(raw<std::uint8_t>(TensorProto::BOOL, {0, 1, 2})) == std::vector<double>{0, 1, 1});
}

TEST_CASE("types that are not supported are named, those younger than the messages too") {
  CHECK(onnx_type_name(TensorProto::COMPLEX64) == "COMPLEX64");
  CHECK(onnx_type_name(17) == "FLOAT8E4M3FN");
  CHECK(onnx_type_name(22) == "INT4");
  CHECK(onnx_type_name(99) == "number 99");
  CHECK_THROWS_WITH_AS(graph_type(19, "input 'x'"),
                       doctest::Contains("input 'x' has numbers of the type FLOAT8E5M2"),
                       converter::ConvertError);
}

TEST_CASE("every type, in its field") {
  TensorProto half = typed(TensorProto::FLOAT16, {2});
  half.set_int32_data(packed_varints({0x3c00, 0xc000}));
  CHECK(read(half) == std::vector<double>{1, -2});
  TensorProto numbers = typed(TensorProto::DOUBLE, {2});
  numbers.set_double_data(packed_fixed<double>({0.5, -4}));
  CHECK(read(numbers) == std::vector<double>{0.5, -4});
  TensorProto whole = typed(TensorProto::INT64, {1});
  whole.set_int64_data(packed_varints({INT64_MAX}));
  CHECK(read(whole) == std::vector<double>{2147483647.0});
  TensorProto truth = typed(TensorProto::BOOL, {2});
  truth.set_int32_data(packed_varints({5, 0}));
  CHECK(read(truth) == std::vector<double>{1, 0});
  TensorProto scalar = typed(TensorProto::FLOAT, {});
  scalar.set_float_data(packed_fixed<float>({3}));
  CHECK(read(scalar) == std::vector<double>{3});
  CHECK(read(typed(TensorProto::FLOAT, {0})).empty());
}

TEST_CASE("damaged arrays are refused before memory is taken for them") {
  CHECK(refusal(typed(TensorProto::FLOAT, {1 << 20, 1 << 10}))
            .find("has 0 values, but its shape needs") != std::string::npos);
  CHECK(refusal(typed(TensorProto::FLOAT, {1 << 20, 1 << 20})).find("too large") !=
        std::string::npos);
  CHECK(refusal(typed(TensorProto::FLOAT, {-1})).find("extent -1") != std::string::npos);
  CHECK(refusal(typed(TensorProto::FLOAT, Extents(9, 1))).find("9 axes") != std::string::npos);
  CHECK(refusal(typed(TensorProto::STRING, {1})).find("type STRING") != std::string::npos);
  CHECK(refusal(typed(TensorProto::COMPLEX64, {1})).find("type COMPLEX64") != std::string::npos);
  TensorProto shorter = raw<float>(TensorProto::FLOAT, {1, 2, 3});
  shorter.set_dims(0, 4);
  CHECK(refusal(shorter) ==
        "array 'weights': it has 12 bytes, but its shape needs 16; the file is damaged");
  TensorProto wrong_field = typed(TensorProto::FLOAT, {1});
  wrong_field.set_int32_data(packed_varints({1}));
  CHECK(refusal(wrong_field).find("has 0 values") != std::string::npos);
  TensorProto cut_off = typed(TensorProto::INT64, {2});
  cut_off.set_int64_data("\x01\xff");
  CHECK(refusal(cut_off).find("its last number is cut off") != std::string::npos);
  cut_off = typed(TensorProto::FLOAT, {1});
  cut_off.set_float_data("12345");
  CHECK(refusal(cut_off).find("its last number is cut off") != std::string::npos);
  // More bytes than a number has: what lies beyond 64 bits is not there.
  TensorProto long_number = typed(TensorProto::INT64, {1});
  long_number.set_int64_data(std::string(12, '\x81') + '\x01');
  CHECK_NOTHROW(read(long_number));
}

TEST_CASE("data in a file beside the model") {
  const OnnxBuilder place(13);  // for its folder
  const std::vector<float> numbers = {1, 2, 3, 4};
  {
    std::ofstream file(place.folder() / "weights.bin", std::ios::binary);
    file.write(reinterpret_cast<const char*>(numbers.data()), 16);
  }
  const auto external = [&](const std::string& location, const std::string& offset,
                            const std::string& length) {
    TensorProto tensor = typed(TensorProto::FLOAT, {2});
    tensor.set_data_location(TensorProto::EXTERNAL);
    const auto add = [&](const char* key, const std::string& value) {
      if (value.empty()) return;
      auto& entry = *tensor.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    };
    add("location", location);
    add("offset", offset);
    add("length", length);
    return tensor;
  };
  CHECK(read(external("weights.bin", "4", "8"), place.folder()) == std::vector<double>{2, 3});
  CHECK(read(external("weights.bin", "", ""), place.folder()) == std::vector<double>{1, 2});
  const auto refused = [&](const TensorProto& proto, const char* words) {
    const std::string sentence = refusal(proto, place.folder());
    CAPTURE(sentence);
    CHECK(sentence.find(words) != std::string::npos);
  };
  refused(external("weights.bin", "12", "8"), "is too short");
  refused(external("weights.bin", "99999999999999999", ""), "is too short");
  refused(external("weights.bin", "-4", ""), "is no number");
  refused(external("weights.bin", "0", "12"), "has 12 bytes, but its shape needs 8");
  refused(external("other.bin", "", ""), "is missing");
  refused(external("", "", ""), "no file is named");
  refused(external("../weights.bin", "", ""), "outside the model's folder");
  refused(external("a/../../weights.bin", "", ""), "outside the model's folder");
  refused(external("/etc/hostname", "", ""), "outside the model's folder");
  std::filesystem::create_symlink("/etc/hostname", place.folder() / "link.bin");
  refused(external("link.bin", "", ""), "outside the model's folder");
  refused(external(".", "", ""), "is missing");
}

}  // namespace figment::testing
