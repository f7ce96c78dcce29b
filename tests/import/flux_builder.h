// Builds small files of BSON.jl for tests, as the package writes them, and runs what they become.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "converter/import/import.h"
#include "tests/import/run_graph.h"

namespace figment::testing {

// A BSON value: its type's number and its bytes.
struct Bson {
  unsigned char type = 10;  // nothing
  std::string bytes;
};

Bson bson_integer(std::int64_t value);
Bson bson_number(double value);
Bson bson_bool(bool value);
Bson bson_text(const std::string& text);
Bson bson_binary(const std::string& bytes);
Bson bson_list(const std::vector<Bson>& values);
Bson bson_document(const std::vector<std::pair<std::string, Bson>>& elements);

// ---- Julia's values ----

// "Flux.Dense" with its parameters.
Bson julia_type(const std::string& name, const std::vector<Bson>& parameters = {});
Bson julia_struct(const std::string& name, const std::vector<Bson>& fields,
                  const std::vector<Bson>& parameters = {});
Bson julia_function(const std::string& name);  // "NNlib.relu"
Bson julia_closure(const std::string& name);   // "#3#4", with some code
Bson julia_tuple(const std::vector<Bson>& values);
Bson julia_integers(const std::vector<std::int64_t>& values);  // a tuple of them
Bson julia_symbol(const std::string& name);
Bson julia_float32(float value);
// Extents and values in Julia's order.
Bson julia_array(const std::vector<std::int64_t>& extents, const std::vector<float>& values);

Bson flux_chain(const std::vector<Bson>& layers);
// weight (outputs, inputs), column after column; an empty bias is `false`.
Bson flux_dense(std::int64_t outputs, std::int64_t inputs, const std::vector<float>& weight,
                const std::vector<float>& bias, const std::string& function = "Base.identity");

class FluxFile {
 public:
  // A file with these values; `bytes` instead where they are given.
  explicit FluxFile(const std::vector<std::pair<std::string, Bson>>& values);
  explicit FluxFile(const std::string& bytes, const std::string& name = "model.bson");
  ~FluxFile();
  FluxFile(const FluxFile&) = delete;
  FluxFile& operator=(const FluxFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void overwrite(const std::string& bytes) const;
  converter::Graph import(const converter::ImportOptions& options = {}) const;
  // The sentence with which the import is refused; empty when it is not.
  std::string refusal(const converter::ImportOptions& options = {}) const;

 private:
  std::filesystem::path folder_, path_;
};

// Options with one entry of --shape.
converter::ImportOptions with_shape(const std::string& place, std::vector<std::int64_t> shape);
converter::ImportOptions between(const std::string& from, const std::string& to = {});

// The output of a model that is this one layer (or chain), for one sample of `shape` in Julia's
// order; its values too are in Julia's order.
std::vector<double> run_layer(const Bson& layer, const std::vector<std::int64_t>& shape,
                              const std::vector<float>& x);
// The sentence with which it is refused.
std::string layer_refusal(const Bson& layer, const std::vector<std::int64_t>& shape);

// Every element within 1e-5 * max(1, |expected|).
void check_close(const std::vector<double>& values, const std::vector<double>& expected);

// Goldens: a name, how many numbers, the numbers.
std::vector<float> read_golden(const std::filesystem::path& path, const std::string& name);
std::filesystem::path golden_folder();
std::string read_file_text(const std::filesystem::path& path);

// Truncates a sound file at many lengths and flips bits at many places: each time the outcome must
// be a graph or one sentence.
void check_damage(const std::string& bytes, const std::string& name,
                  const converter::ImportOptions& options);

}  // namespace figment::testing
