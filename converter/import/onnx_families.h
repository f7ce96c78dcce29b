// The families of ONNX operators; each is a table in its own file.
#pragma once

#include <span>

#include "converter/import/onnx_node.h"

namespace figment::converter {

extern const std::span<const OnnxOperator> kOnnxActivations;    // onnx_activations.cc
extern const std::span<const OnnxOperator> kOnnxArithmetic;     // onnx_arithmetic.cc
extern const std::span<const OnnxOperator> kOnnxConstants;      // onnx_constants.cc
extern const std::span<const OnnxOperator> kOnnxConvolution;    // onnx_convolution.cc
extern const std::span<const OnnxOperator> kOnnxEinsum;         // onnx_einsum.cc
extern const std::span<const OnnxOperator> kOnnxIndices;        // onnx_indices.cc
extern const std::span<const OnnxOperator> kOnnxLogic;          // onnx_logic.cc
extern const std::span<const OnnxOperator> kOnnxPooling;        // onnx_pooling.cc
extern const std::span<const OnnxOperator> kOnnxMatrix;         // onnx_matrix.cc
extern const std::span<const OnnxOperator> kOnnxNormalization;  // onnx_normalization.cc
extern const std::span<const OnnxOperator> kOnnxQuantization;   // onnx_quantization.cc
extern const std::span<const OnnxOperator> kOnnxRecurrent;      // onnx_recurrent.cc
extern const std::span<const OnnxOperator> kOnnxReduction;      // onnx_reduction.cc
extern const std::span<const OnnxOperator> kOnnxResampling;     // onnx_resampling.cc
extern const std::span<const OnnxOperator> kOnnxSequences;      // onnx_sequences.cc
extern const std::span<const OnnxOperator> kOnnxShape;          // onnx_shape.cc
extern const std::span<const OnnxOperator> kOnnxSelection;      // onnx_selection.cc

}  // namespace figment::converter
