// The walk over a TFLite model: numbered tensors become the graph's, operators the runtime's.
//
// A tensor of int8 is held as the runtime's int8, whose zero point lies among the operands of those
// who read and write it. Whoever computes in float32 reads it through a Dequantize and writes it
// through a Quantize. uint8 is int8 with its integers and zero point 128 less.
#pragma once

#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "converter/import/import.h"
#include "converter/import/tflite/file.h"
#include "converter/passes/int8_range.h"

namespace figment::converter {

// A constant of int8 as the file has it, less 128 if it was uint8.
struct TfliteIntegers {
  std::vector<std::byte> values;
  std::vector<float> scales;              // one, or one a position along `axis`
  std::vector<std::int32_t> zero_points;  // as many
  int axis = 0;
};

class TfliteImporter {
 public:
  // `file` must outlive the importer.
  TfliteImporter(const TfliteFile& file, const ImportOptions& options)
      : file_(file), options_(options) {}

  Graph import();

  // ---- for TfliteNode; `index` is among the file's tensors and has been checked ----

  Graph& graph() { return graph_; }
  const tflite::Tensor& source(int index) const;
  std::string name_of(int index) const;  // never empty
  Shape shape_of(int index) const;       // as the file has it
  // True for int8 and uint8 with a scale.
  bool is_quantized(int index) const;
  // Its one scale and zero point. Throws when it has more.
  Int8Range range_of(int index) const;
  bool is_constant(int index) const;
  // The tensor's numbers as float32 or int32. Throws when nobody has computed it.
  TensorId number(int index);
  // The tensor, which is quantized, as int8.
  TensorId int8(int index);
  // A constant of int8 weights; nothing when it is none.
  std::optional<TfliteIntegers> integers(int index) const;
  // Notes what an operator computed: float32, int32, or int8 of a quantized tensor's range.
  void set(int index, TensorId id);
  // Refuses a file whose constants would take far more room than itself, small ones apart.
  static constexpr std::size_t kFreeBytes = std::size_t{1} << 20;
  void claim(std::size_t bytes);

 private:
  // What stands for one of the file's tensors so far.
  struct Value {
    TensorId number = kAbsent, int8 = kAbsent;
  };

  const tflite::SubGraph& subgraph() const { return *file_.model().subgraphs()->Get(0); }
  int find_tensor(const std::string& name, const char* option) const;
  std::vector<int> ports(const flatbuffers::Vector<std::int32_t>* list, const char* what) const;
  std::vector<bool> needed_operators(const std::vector<int>& inputs,
                                     const std::vector<int>& outputs) const;
  void check_given_shapes() const;
  void add_input(int index);
  void add_outputs(const std::vector<int>& outputs);
  void import_operator(int index);
  TensorId read_constant(int index);
  TensorId quantize(int index, TensorId number);
  // The two operands of Quantize and Dequantize behind their first.
  std::vector<TensorId> range_operands(int index, TensorId x);

  const TfliteFile& file_;
  const ImportOptions& options_;
  Graph graph_;
  std::unordered_map<int, Value> values_;
  std::size_t claimed_ = 0;
};

}  // namespace figment::converter
