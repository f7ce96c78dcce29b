// Builds small files of BSON.jl for tests.
#include "tests/import/flux_builder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>

namespace figment::testing {

using converter::ConvertError;
using converter::Graph;
using converter::ImportOptions;

namespace {

template <typename T>
std::string raw(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string with_length(const std::string& body) {
  return raw(static_cast<std::int32_t>(body.size())) + body;
}

std::string document(const std::vector<std::pair<std::string, Bson>>& elements) {
  std::string body;
  for (const auto& [key, value] : elements)
    body += static_cast<char>(value.type) + key + '\0' + value.bytes;
  body += '\0';
  return raw(static_cast<std::int32_t>(body.size() + 4)) + body;
}

Bson names(const std::string& path) {
  std::vector<Bson> parts;
  std::string part;
  std::istringstream stream(path);
  while (std::getline(stream, part, '.')) parts.push_back(bson_text(part));
  return bson_list(parts);
}

}  // namespace

Bson bson_integer(std::int64_t value) { return {18, raw(value)}; }
Bson bson_number(double value) { return {1, raw(value)}; }
Bson bson_bool(bool value) { return {8, std::string(1, value ? 1 : 0)}; }
Bson bson_text(const std::string& text) { return {2, with_length(text + '\0')}; }
Bson bson_binary(const std::string& bytes) {
  return {5, raw(static_cast<std::int32_t>(bytes.size())) + '\0' + bytes};
}

Bson bson_list(const std::vector<Bson>& values) {
  std::vector<std::pair<std::string, Bson>> elements;
  for (std::size_t index = 0; index < values.size(); ++index)
    elements.emplace_back(std::to_string(index), values[index]);
  return {4, document(elements)};
}

Bson bson_document(const std::vector<std::pair<std::string, Bson>>& elements) {
  return {3, document(elements)};
}

Bson julia_type(const std::string& name, const std::vector<Bson>& parameters) {
  return bson_document(
      {{"tag", bson_text("datatype")}, {"params", bson_list(parameters)}, {"name", names(name)}});
}

Bson julia_struct(const std::string& name, const std::vector<Bson>& fields,
                  const std::vector<Bson>& parameters) {
  return bson_document({{"tag", bson_text("struct")},
                        {"type", julia_type(name, parameters)},
                        {"data", bson_list(fields)}});
}

Bson julia_function(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  return julia_struct(name.substr(0, dot + 1) + "#" + name.substr(dot + 1), {});
}

Bson julia_closure(const std::string& name) {
  const Bson symbol = bson_document({{"tag", bson_text("symbol")}, {"name", bson_text(name)}});
  const Bson type_name =
      bson_document({{"tag", bson_text("struct")},
                     {"type", julia_type("Core.TypeName")},
                     {"data", bson_list({bson_text("1.6.0"), symbol, bson_list({})})}});
  return bson_document({{"tag", bson_text("struct")},
                        {"type", bson_document({{"tag", bson_text("jl_anonymous")},
                                                {"typename", type_name},
                                                {"params", bson_list({})}})},
                        {"data", bson_list({})}});
}

Bson julia_tuple(const std::vector<Bson>& values) {
  return bson_document({{"tag", bson_text("tuple")}, {"data", bson_list(values)}});
}

Bson julia_integers(const std::vector<std::int64_t>& values) {
  std::vector<Bson> items;
  items.reserve(values.size());
  for (const std::int64_t value : values) items.push_back(bson_integer(value));
  return julia_tuple(items);
}

Bson julia_symbol(const std::string& name) {
  return bson_document({{"tag", bson_text("symbol")}, {"name", bson_text(name)}});
}

Bson julia_float32(float value) {
  return bson_document({{"tag", bson_text("struct")},
                        {"type", julia_type("Core.Float32")},
                        {"data", bson_binary(raw(value))}});
}

Bson julia_array(const std::vector<std::int64_t>& extents, const std::vector<float>& values) {
  std::vector<Bson> size;
  size.reserve(extents.size());
  for (const std::int64_t extent : extents) size.push_back(bson_integer(extent));
  std::string bytes(values.size() * 4, '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bson_document({{"tag", bson_text("array")},
                        {"type", julia_type("Core.Float32")},
                        {"size", bson_list(size)},
                        {"data", bson_binary(bytes)}});
}

Bson flux_chain(const std::vector<Bson>& layers) {
  return julia_struct("Flux.Chain", {julia_tuple(layers)});
}

Bson flux_dense(std::int64_t outputs, std::int64_t inputs, const std::vector<float>& weight,
                const std::vector<float>& bias, const std::string& function) {
  return julia_struct("Flux.Dense", {julia_array({outputs, inputs}, weight),
                                     bias.empty() ? bson_bool(false) : julia_array({outputs}, bias),
                                     julia_function(function)});
}

// ---- Files ----

FluxFile::FluxFile(const std::vector<std::pair<std::string, Bson>>& values)
    : FluxFile(document(values)) {}

FluxFile::FluxFile(const std::string& bytes, const std::string& name) {
  std::string pattern = (std::filesystem::temp_directory_path() / "figment-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
  path_ = folder_ / name;
  overwrite(bytes);
}

FluxFile::~FluxFile() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void FluxFile::overwrite(const std::string& bytes) const {
  std::ofstream file(path_, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

Graph FluxFile::import(const ImportOptions& options) const {
  return converter::import_file(path_, options);
}

std::string FluxFile::refusal(const ImportOptions& options) const {
  try {
    import(options);
  } catch (const ConvertError& error) {
    return error.what();
  }
  return {};
}

ImportOptions with_shape(const std::string& place, std::vector<std::int64_t> shape) {
  ImportOptions options;
  options.layer_shapes[place] = std::move(shape);
  return options;
}

ImportOptions between(const std::string& from, const std::string& to) {
  ImportOptions options;
  options.from = from;
  options.to = to;
  return options;
}

std::vector<double> run_layer(const Bson& layer, const std::vector<std::int64_t>& shape,
                              const std::vector<float>& x) {
  const FluxFile file({{"model", layer}});
  return run_graph(file.import(with_shape("input", shape)), {x}).values.at(0);
}

std::string layer_refusal(const Bson& layer, const std::vector<std::int64_t>& shape) {
  return FluxFile({{"model", layer}}).refusal(with_shape("input", shape));
}

void check_close(const std::vector<double>& values, const std::vector<double>& expected) {
  REQUIRE(values.size() == expected.size());
  for (std::size_t index = 0; index < values.size(); ++index) {
    CAPTURE(index);
    CHECK(std::fabs(values[index] - expected[index]) <=
          1e-5 * std::max(1.0, std::fabs(expected[index])));
  }
}

std::vector<float> read_golden(const std::filesystem::path& path, const std::string& name) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream numbers(line);
    std::string key;
    std::size_t count = 0;
    numbers >> key >> count;
    if (key != name) continue;
    std::vector<float> values{std::istream_iterator<float>(numbers), {}};
    REQUIRE(values.size() == count);
    return values;
  }
  FAIL("no golden " << name);
  return {};
}

std::filesystem::path golden_folder() { return FIGMENT_SOURCE_DIR "/tests/import/goldens"; }

std::string read_file_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

void check_damage(const std::string& bytes, const std::string& name, const ImportOptions& options) {
  const FluxFile file(bytes, name);
  REQUIRE(file.refusal(options).empty());
  const auto check = [&](const std::string& damaged) {
    file.overwrite(damaged);
    const std::string sentence = file.refusal(options);  // others than ConvertError end the test
    for (const char letter : sentence)
      if (static_cast<unsigned char>(letter) < 0x20) FAIL("a line break in: " << sentence);
  };
  std::mt19937 random(11);
  for (int cut = 0; cut < 200; ++cut) {
    file.overwrite(bytes.substr(0, random() % bytes.size()));
    CHECK_FALSE(file.refusal(options).empty());
  }
  for (int flip = 0; flip < 1500; ++flip) {
    std::string damaged = bytes;
    for (int bit = 0; bit <= flip % 3; ++bit)
      damaged[random() % damaged.size()] ^= static_cast<char>(1U << random() % 8);
    check(damaged);
  }
  // Where a file of arrays has its structure: few bytes at a time.
  for (int flip = 0; flip < 1500; ++flip) {
    std::string damaged = bytes;
    const std::size_t at = random() % std::min<std::size_t>(damaged.size(), 4096);
    damaged[at] = static_cast<char>(random() % 256);
    check(damaged);
  }
}

}  // namespace figment::testing
