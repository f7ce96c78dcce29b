// One operator of a TFLite file as its importer sees it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "converter/import/node_builder.h"
#include "converter/import/tflite/importer.h"

namespace figment::converter {

// What an importer wants to see of tensors that are int8.
enum class TfliteForm : std::uint8_t {
  kNumbers,      // their numbers in float32
  kElementwise,  // the same, but a function of one tensor's int8 becomes a table
  kMoves,        // the int8, all of the output's range
};

class TfliteNode;

// How one operator is imported.
struct TfliteOperator {
  const char* name;
  void (*import)(TfliteNode& node);
  TfliteForm form = TfliteForm::kNumbers;
};

class TfliteNode : public NodeBuilder {
 public:
  // Throws when the operator's indices are no tensors' of the file.
  TfliteNode(TfliteImporter& importer, const tflite::Operator& source, std::string label,
             std::string kind);

  // Calls the row's function, for tables on all 256 numbers.
  void import(const TfliteOperator& row);

  // ---- Operands ----

  int input_count() const { return static_cast<int>(inputs_.size()); }
  bool has_input(int index) const;
  // In the form of the row. Throws when the operand is absent.
  TensorId input(int index);
  // Its shape as the file has it.
  Shape input_shape(int index) const { return importer_.shape_of(tensor_of(index)); }
  // The numbers of an operand that must be known now, `what` it is for the sentence.
  std::vector<std::int64_t> integers(int index, const std::string& what);
  std::int64_t integer_operand(int index, const std::string& what);
  using NodeBuilder::integer;
  // What the file says of an operand: for those who compute in integers.
  bool has_int8(int index) const;  // quantized and no constant
  TensorId int8(int index);
  Int8Range range(int index) const;
  std::optional<TfliteIntegers> int8_weights(int index) const;
  TensorId constant_of(const TfliteIntegers& integers, const Shape& shape);

  // ---- Options ----

  template <typename Table>
  const Table* options_or_null() const {
    return source_.template builtin_options_as<Table>();
  }
  template <typename Table>
  const Table& options() const {
    const Table* table = options_or_null<Table>();
    if (table == nullptr) refuse("it lacks its options; the file is damaged");
    return *table;
  }

  // ---- Results ----

  int output_count() const { return static_cast<int>(outputs_.size()); }
  // The type that the file declares for an output.
  tflite::TensorType output_type(int index) const;
  bool gives_int8() const { return importer_.is_quantized(output(0)); }
  Int8Range output_range() const { return importer_.range_of(output(0)); }
  void set_output(int index, TensorId id);
  // x, the numbers of output 0, through a fused activation.
  TensorId activate(TensorId x, tflite::ActivationFunctionType function);
  // Lowest and highest integer that a fused activation leaves of an int8 output; nothing when the
  // activation is no clamp.
  std::optional<std::vector<std::int32_t>> clamp(tflite::ActivationFunctionType function) const;
  // int8 of one range times `below` where it is negative and `above` where it is not, both
  // positive, as int8 of another: a table of what TFLite's reference gives.
  TensorId integer_table(TensorId x, const Int8Range& from, const Int8Range& to, double below,
                         double above);
  // int8 of one range as int8 of another.
  TensorId requantize(TensorId x, const Int8Range& from, const Int8Range& to);

 private:
  int tensor_of(int index) const;
  int output(int index) const;
  // The only operand that a table can stand for; -1: none.
  int table_input() const;
  void import_table(const TfliteOperator& row, int operand);

  TfliteImporter& importer_;
  const tflite::Operator& source_;
  TensorId first_own_tensor_;  // tensors from here on were made by this node
  std::vector<int> inputs_, outputs_;
  TfliteForm form_ = TfliteForm::kNumbers;
  // While a table is made: the operand that is all 256 numbers, and what becomes of them.
  int replaced_ = -1;
  TensorId replacement_ = kAbsent, result_ = kAbsent;
};

// The rows of all families; null when none has the operator.
const TfliteOperator* find_tflite_operator(const std::string& name);

}  // namespace figment::converter
