// .npy files as NumPy writes them, and as nobody should.
#include "targets/host/npy.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <random>

#include "targets/host/exit_code.h"

namespace figment::host {
namespace {

// A file with this header and these bytes of data.
std::vector<std::byte> make_file(const std::string& header, const std::string& data,
                                 int version = 1) {
  std::string file("\x93NUMPY", 6);
  file += {static_cast<char>(version), '\0'};
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  for (std::size_t index = 0; index < length_bytes; ++index)
    file += static_cast<char>(header.size() >> (8 * index) & 255);
  file += header + data;
  const auto bytes = std::as_bytes(std::span(file));
  return {bytes.begin(), bytes.end()};
}

template <typename T>
std::string raw(std::initializer_list<T> values) {
  std::string text(values.size() * sizeof(T), '\0');
  std::memcpy(text.data(), values.begin(), text.size());
  return text;
}

std::string header(const std::string& type, const std::string& shape,
                   const std::string& order = "False") {
  return "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

ExitCode code_of(const std::vector<std::byte>& bytes) {
  try {
    read_npy(bytes, "x.npy");
  } catch (const VerbError& error) {
    CHECK(std::string(error.what()).find("x.npy") == 0);
    return error.code;
  }
  return ExitCode::kSuccess;
}

}  // namespace

TEST_CASE("what is written is read again") {
  const std::vector<std::vector<std::int64_t>> shapes = {{}, {5}, {2, 3}, {1, 3, 4, 5}, {0, 3}};
  for (const auto& shape : shapes) {
    std::size_t count = 1;
    for (const auto extent : shape) count *= static_cast<std::size_t>(extent);
    std::vector<double> values;
    for (std::size_t index = 0; index < count; ++index)
      values.push_back(static_cast<double>(index) - 0.25);
    const auto bytes = write_npy(shape, values, DataType::kFloat32);
    // As NumPy lays it out: the numbers begin at a multiple of 64.
    CHECK((bytes.size() - count * 4) % 64 == 0);
    const Array array = read_npy(bytes, "x.npy");
    CHECK(array.shape == shape);
    CHECK(array.values == values);
  }
  const Array integers =
      read_npy(write_npy({3}, {-2147483648.0, 0, 2147483647.0}, DataType::kInt32), "x");
  CHECK(integers.values == std::vector<double>{-2147483648.0, 0, 2147483647.0});
}

TEST_CASE("the header is the one that NumPy writes") {
  const auto bytes = write_npy({3}, {1, 2, 3}, DataType::kFloat32);
  const std::string text(reinterpret_cast<const char*>(bytes.data()), 128);
  CHECK(text.substr(10, 61) == "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }    ");
  CHECK(text[127] == '\n');
}

TEST_CASE("every type of number") {
  CHECK(read_npy(make_file(header("<f4", "(2,)"), raw<float>({1.5F, -2})), "x").values ==
        std::vector<double>{1.5, -2});
  CHECK(read_npy(make_file(header("<f8", "(2,)"), raw<double>({0.1, -2e300})), "x").values ==
        std::vector<double>{0.1, -2e300});
  CHECK(read_npy(make_file(header("<i4", "(2,)"), raw<std::int32_t>({7, -7})), "x").values ==
        std::vector<double>{7, -7});
  CHECK(read_npy(make_file(header("<i8", "(1,)"), raw<std::int64_t>({-5000000000})), "x").values ==
        std::vector<double>{-5e9});
  CHECK(read_npy(make_file(header("|u1", "(2,)"), raw<std::uint8_t>({0, 255})), "x").values ==
        std::vector<double>{0, 255});
  CHECK(read_npy(make_file(header("|b1", "(2,)"), raw<std::uint8_t>({0, 1})), "x").values ==
        std::vector<double>{0, 1});
  // Half precision: one, minus two, the largest, the smallest, infinity.
  CHECK(read_npy(make_file(header("<f2", "(5,)"),
                           raw<std::uint16_t>({0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00})),
                 "x")
            .values == std::vector<double>{1, -2, 65504, std::ldexp(1.0, -24), HUGE_VAL});
  CHECK(std::isnan(
      read_npy(make_file(header("<f2", "(1,)"), raw<std::uint16_t>({0x7e00})), "x").values[0]));
}

TEST_CASE("Fortran order becomes row-major") {
  // array([[0, 1, 2], [3, 4, 5]], order='F')
  const Array array =
      read_npy(make_file(header("<f4", "(2, 3)", "True"), raw<float>({0, 3, 1, 4, 2, 5})), "x");
  CHECK(array.shape == std::vector<std::int64_t>{2, 3});
  CHECK(array.values == std::vector<double>{0, 1, 2, 3, 4, 5});
  const Array cube =
      read_npy(make_file(header("<i4", "(2, 1, 2)", "True"), raw<std::int32_t>({0, 2, 1, 3})), "x");
  CHECK(cube.values == std::vector<double>{0, 1, 2, 3});
}

TEST_CASE("versions 2 and 3") {
  for (const int version : {2, 3})
    CHECK(read_npy(make_file(header("<f4", "(1,)"), raw<float>({4}), version), "x").values ==
          std::vector<double>{4});
  CHECK(code_of(make_file(header("<f4", "(1,)"), raw<float>({4}), 4)) == ExitCode::kUnsupported);
}

TEST_CASE("files that lie are refused") {
  const auto sound = make_file(header("<f4", "(2, 2)"), raw<float>({1, 2, 3, 4}));
  CHECK(code_of(sound) == ExitCode::kSuccess);
  for (std::size_t length = 0; length < sound.size(); ++length) {
    CAPTURE(length);
    CHECK(code_of({sound.begin(), sound.begin() + static_cast<std::ptrdiff_t>(length)}) ==
          ExitCode::kBadFile);
  }
  auto longer = sound;
  longer.push_back(std::byte{0});
  CHECK(code_of(longer) == ExitCode::kBadFile);
  const std::string four = raw<float>({1, 2, 3, 4});
  CHECK(code_of(make_file(header("<f4", "(9223372036854775807, 4)"), four)) == ExitCode::kBadFile);
  CHECK(code_of(make_file(header("<f4", "(4294967296, 4294967296)"), four)) == ExitCode::kBadFile);
  CHECK(code_of(make_file(header("<f4", "(-2, -2)"), four)) == ExitCode::kBadFile);
  CHECK(code_of(make_file("{'descr': '<f4', 'shape': (4,), }", four)) == ExitCode::kBadFile);
  CHECK(code_of(make_file(header("<f4", "(4,"), four)) == ExitCode::kBadFile);
  CHECK(code_of(make_file(header("<f4", "(4,)", "Maybe"), four)) == ExitCode::kBadFile);
}

TEST_CASE("types that are no plain little-endian numbers are refused by name") {
  const std::string data = raw<double>({1, 2});
  for (const char* type : {">f4", "|O", "<c8", "<U4", "|V8", "<M8[ns]", "f4", "x", ""})
    CHECK(code_of(make_file(header(type, "(1,)"), data)) == ExitCode::kUnsupported);
  CHECK(code_of(make_file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
                          data)) == ExitCode::kUnsupported);
}

TEST_CASE("any single changed byte of the header is read or refused, never believed blindly") {
  const auto sound = make_file(header("<f4", "(2, 2)"), raw<float>({1, 2, 3, 4}));
  std::minstd_rand random(7);
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    auto bytes = sound;
    bytes[random() % bytes.size()] = static_cast<std::byte>(random() & 255);
    bytes[random() % bytes.size()] = static_cast<std::byte>(random() & 255);
    try {
      const Array array = read_npy(bytes, "x");
      std::int64_t count = 1;
      for (const std::int64_t extent : array.shape) count *= extent;
      CHECK(static_cast<std::size_t>(count) == array.values.size());
    } catch (const VerbError&) {
      ++refused;
    }
  }
  CHECK(refused > 1000);
}

}  // namespace figment::host
