// Builds small TFLite files for tests, as TensorFlow's converter would write them.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

#include "converter/import/import.h"
#include "figment/import/tflite_generated.h"
#include "tests/host/scratch_folder.h"

namespace figment::testing::lite {

using Extents = std::vector<std::int64_t>;
using tflite::BuiltinOperator;
using tflite::TensorType;

// The options of an operator: options_of(tflite::AddOptionsT{}).
template <typename Table>
tflite::BuiltinOptionsUnion options_of(Table table) {
  tflite::BuiltinOptionsUnion options;
  options.Set(std::move(table));
  return options;
}

// The scale and zero point of a tensor, or of each position along an axis of weights.
struct Quantized {
  std::vector<float> scales;
  std::vector<std::int64_t> zero_points;
  int axis = 0;
};

class TfliteBuilder {
 public:
  TfliteBuilder();

  // Each gives the tensor's index. Extents of -1 are open.
  int tensor(const Extents& extents, TensorType type = TensorType::FLOAT32,
             const Quantized& quantized = {}, const std::string& name = {});
  int input(const Extents& extents, TensorType type = TensorType::FLOAT32,
            const Quantized& quantized = {}, const std::string& name = "x");
  int floats(const Extents& extents, const std::vector<float>& values);
  int integers(const Extents& extents, const std::vector<std::int32_t>& values);
  int halves(const Extents& extents, const std::vector<float>& values);
  // int8, or uint8 with the bits as they are.
  int bytes(const Extents& extents, const std::vector<int>& values, const Quantized& quantized,
            TensorType type = TensorType::INT8);
  int int32_bias(const std::vector<std::int32_t>& values) {
    return integers({static_cast<std::int64_t>(values.size())}, values);
  }

  // An operator that gives `output`, or several.
  TfliteBuilder& node(BuiltinOperator kind, const std::vector<int>& inputs,
                      const std::vector<int>& outputs,
                      const tflite::BuiltinOptionsUnion& options = {});
  TfliteBuilder& output(int index);

  tflite::ModelT& model() { return model_; }
  tflite::SubGraphT& graph() { return *model_.subgraphs[0]; }
  std::string file() const;  // its bytes
  std::filesystem::path save() const;
  const ScratchFolder& folder() const { return folder_; }

  converter::Graph import(const converter::ImportOptions& options = {}) const;
  converter::Graph import_with_batch(const converter::ImportOptions& options = {}) const;
  // The sentence with which the import is refused; empty when it is not.
  std::string refusal(const converter::ImportOptions& options = {}) const;
  // How many operators of that kind the imported graph has.
  int count(format::OperatorOptions kind) const;

 private:
  int add_constant(const Extents& extents, TensorType type, const void* data, std::size_t size,
                   const Quantized& quantized = {});

  tflite::ModelT model_;
  ScratchFolder folder_;
};

// `count` numbers between low and high that depend on the seed alone.
std::vector<float> random_numbers(std::int64_t count, unsigned seed, float low = -1,
                                  float high = 1);
std::vector<int> random_int8(std::int64_t count, unsigned seed, int low = -127, int high = 127);

// The only output of the imported model on `inputs`.
std::vector<double> run_model(const TfliteBuilder& builder,
                              const std::vector<std::vector<float>>& inputs);

// Its shape too, and every number within `tolerance` * max(1, |expected|).
void check_model(const TfliteBuilder& builder, const std::vector<std::vector<float>>& inputs,
                 const Extents& shape, const std::vector<double>& expected,
                 double tolerance = 1e-5);

// A model of one operator: input x of that shape, the constants as they stand in the builder.
void check_operator(BuiltinOperator kind, const Extents& x_shape, const std::vector<float>& x,
                    const std::vector<std::pair<Extents, std::vector<std::int32_t>>>& integers,
                    const tflite::BuiltinOptionsUnion& options, const Extents& shape,
                    const std::vector<double>& expected);

}  // namespace figment::testing::lite
