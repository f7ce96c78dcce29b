// BSON documents and Julia's values in them.
#include "converter/import/flux/bson_document.h"

#include <doctest/doctest.h>

#include <cstring>

#include "converter/graph/graph.h"
#include "tests/import/flux_builder.h"

namespace figment::testing {
namespace {

using converter::BsonType;
using converter::DamagedFile;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

bool is_whole(const std::string& text) {
  try {
    converter::check_bson(bytes_of(text));
    return true;
  } catch (const DamagedFile&) {
    return false;
  }
}

Bson backref(std::int64_t index) {
  return bson_document({{"tag", bson_text("backref")}, {"ref", bson_integer(index)}});
}

// A model of one Dense layer (1 => 1) whose weight is `weight`.
std::vector<std::pair<std::string, Bson>> one_dense(const Bson& weight) {
  return {{"model", julia_struct("Flux.Dense",
                                 {weight, bson_bool(false), julia_function("Base.identity")})}};
}

}  // namespace

TEST_CASE("a document's elements") {
  const Bson document = bson_document({{"i", bson_integer(-5)},
                                       {"d", bson_number(0.25)},
                                       {"b", bson_bool(true)},
                                       {"t", bson_text("text")},
                                       {"n", Bson{}},
                                       {"s", bson_integer(1)}});
  REQUIRE(is_whole(document.bytes));
  const auto bytes = bytes_of(document.bytes);
  CHECK(converter::count_elements(bytes) == 6);
  CHECK(converter::find_element(bytes, "i")->integer() == -5);
  CHECK(converter::find_element(bytes, "d")->number() == 0.25);
  CHECK(converter::find_element(bytes, "b")->integer() == 1);
  CHECK(converter::find_element(bytes, "t")->text() == "text");
  CHECK(converter::find_element(bytes, "n")->is(BsonType::kNull));
  CHECK_FALSE(converter::find_element(bytes, "x").has_value());
  CHECK(converter::find_element(bytes, "d")->integer() == 0);
  CHECK(converter::find_element(bytes, "i")->text().empty());
}

TEST_CASE("documents that are not whole") {
  CHECK(is_whole(bson_document({}).bytes));
  const std::string sound = bson_document({{"list", bson_list({bson_text("a"), Bson{}})}}).bytes;
  CHECK(is_whole(sound));
  for (std::size_t size = 0; size < sound.size(); ++size)
    CHECK_FALSE(is_whole(sound.substr(0, size)));
  CHECK_FALSE(is_whole(sound + '\0'));
  std::string negative = sound;
  negative[3] = '\xff';
  CHECK_FALSE(is_whole(negative));
  // An element of an unknown type, a text without an end, a length past the document's.
  CHECK_FALSE(is_whole(bson_document({{"x", Bson{99, ""}}}).bytes));
  CHECK_FALSE(is_whole(bson_document({{"x", Bson{2, std::string(4, '\0')}}}).bytes));
  CHECK_FALSE(is_whole(bson_document({{"x", Bson{5, std::string("\x10\0\0\0\0", 5)}}}).bytes));
  Bson deep = bson_document({});
  for (int level = 0; level < 300; ++level) deep = bson_document({{"x", deep}});
  CHECK_FALSE(is_whole(deep.bytes));
}

TEST_CASE("arrays of every width of float") {
  const auto array_of = [](const char* type, const std::string& bytes) {
    return bson_document({{"tag", bson_text("array")},
                          {"type", julia_type(type)},
                          {"size", bson_list({bson_integer(1), bson_integer(1)})},
                          {"data", bson_binary(bytes)}});
  };
  const double wide = -1.5;
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &wide, 8);
  for (const Bson& weight : {julia_array({1, 1}, {-1.5F}), array_of("Core.Float64", bytes),
                             array_of("Core.Float16", std::string("\x00\xbe", 2))}) {
    const FluxFile file(one_dense(weight));
    check_close(run_graph(file.import(), {{2}}).values[0], {-3});
  }
  CHECK(FluxFile(one_dense(array_of("Core.Int64", bytes)))
            .refusal()
            .find("'model.weight' is no array of Float32") == 0);
  CHECK(FluxFile(one_dense(array_of("Core.Float32", bytes)))
            .refusal()
            .find("an array's size is not that of its values") != std::string::npos);
  CHECK(FluxFile(one_dense(julia_struct("CUDA.CuArray", {}))).refusal().find("cpu(model)") !=
        std::string::npos);
}

TEST_CASE("what is met again") {
  auto values = one_dense(backref(1));
  values.emplace_back("_backrefs", bson_list({julia_array({1, 1}, {4}), backref(1), backref(3)}));
  check_close(run_graph(FluxFile(values).import(), {{2}}).values[0], {8});
  values[0] = one_dense(backref(2))[0];  // by way of another
  check_close(run_graph(FluxFile(values).import(), {{2}}).values[0], {8});
  values[0] = one_dense(backref(3))[0];  // itself
  CHECK(FluxFile(values).refusal().find("is no plain array") != std::string::npos);
  for (const int index : {0, 4, -1}) {
    values[0] = one_dense(backref(index))[0];
    CHECK(FluxFile(values).refusal().find("a reference points at nothing") != std::string::npos);
  }
}

TEST_CASE("a chain that is part of itself") {
  // Two layers a level, each the level below: 2^60 layers.
  std::vector<Bson> levels = {flux_dense(1, 1, {1}, {})};
  for (std::int64_t level = 1; level < 60; ++level)
    levels.push_back(flux_chain({backref(level), backref(level)}));
  CHECK(FluxFile({{"model", backref(60)}, {"_backrefs", bson_list(levels)}})
            .refusal()
            .find("too many layers") != std::string::npos);
  CHECK_FALSE(
      FluxFile({{"model", backref(1)}, {"_backrefs", bson_list({flux_chain({backref(1)})})}})
          .refusal()
          .empty());
}

TEST_CASE("tables of models") {
  const Bson dense = flux_dense(1, 1, {3}, {});
  const auto dict = [&](const Bson& keys) {
    return julia_struct("Base.Dict", {keys, bson_list({bson_integer(1), dense})});
  };
  const Bson named = julia_struct(
      "Core.NamedTuple", {bson_integer(1), dense},
      {julia_tuple({julia_symbol("epoch"), julia_symbol("net")}), julia_type("Core.Tuple")});
  for (const Bson& table : {dict(bson_list({bson_text("epoch"), bson_text("net")})),
                            dict(bson_list({julia_symbol("epoch"), julia_symbol("net")})), named,
                            bson_document({{"epoch", bson_integer(1)}, {"net", dense}})})
    check_close(
        run_graph(FluxFile({{"saved", table}}).import(between("saved.net")), {{2}}).values[0], {6});
}

TEST_CASE("more small values than a model has") {
  const std::vector<Bson> log(20000, bson_integer(7));
  const FluxFile file({{"log", bson_list(log)}, {"model", flux_dense(1, 1, {3}, {})}});
  CHECK(file.refusal().find("save the model alone") != std::string::npos);
  // Nothings and booleans take no room.
  CHECK(FluxFile({{"log", bson_list(std::vector<Bson>(20000, Bson{}))},
                  {"model", flux_dense(1, 1, {3}, {})}})
            .refusal()
            .empty());
}

TEST_CASE("damaged files of BSON.jl") {
  converter::ImportOptions options = with_shape("model.decoder.4", {3, 2, 2});
  options.from = "model.decoder";
  check_damage(read_file_text(golden_folder() / "flux_layers.bson"), "model.bson", options);
}

}  // namespace figment::testing
