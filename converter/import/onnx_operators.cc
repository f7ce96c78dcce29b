// The list of ONNX operators: all families together, and those refused with a reason of their own.
#include <unordered_map>

#include "converter/import/onnx_families.h"

namespace figment::converter {
namespace {

void refuse_loop(OnnxNode& node) {
  node.refuse("loops are not supported; export the model with its loop written out");
}

void refuse_quantized(OnnxNode& node) {
  node.refuse("quantized operators are not supported; export the model in float32");
}

constexpr OnnxOperator kRefused[] = {
    {"Loop", refuse_loop},
    {"Scan", refuse_loop},
    {"SequenceMap", refuse_loop},
    {"ConvInteger", refuse_quantized},
    {"MatMulInteger", refuse_quantized},
    {"QLinearConv", refuse_quantized},
    {"QLinearMatMul", refuse_quantized},
    {"DynamicQuantizeLinear", refuse_quantized},
};

}  // namespace

const OnnxOperator* find_onnx_operator(const std::string& name) {
  static const std::unordered_map<std::string, const OnnxOperator*> kRows = [] {
    std::unordered_map<std::string, const OnnxOperator*> rows;
    for (const std::span<const OnnxOperator> family :
         {kOnnxActivations, kOnnxArithmetic, kOnnxConstants, kOnnxConvolution, kOnnxEinsum,
          kOnnxIndices, kOnnxLogic, kOnnxPooling, kOnnxMatrix, kOnnxNormalization,
          kOnnxQuantization, kOnnxRecurrent, kOnnxReduction, kOnnxResampling, kOnnxSequences,
          kOnnxShape, kOnnxSelection, std::span<const OnnxOperator>(kRefused)})
      for (const OnnxOperator& row : family) rows.emplace(row.name, &row);
    return rows;
  }();
  const auto row = kRows.find(name);
  return row != kRows.end() ? row->second : nullptr;
}

}  // namespace figment::converter
