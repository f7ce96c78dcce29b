// The families of TFLite's operators; each is a table in its own file.
#pragma once

#include <span>

#include "converter/import/tflite/node.h"

namespace figment::converter {

extern const std::span<const TfliteOperator> kTfliteActivations;   // activations.cc
extern const std::span<const TfliteOperator> kTfliteArithmetic;    // arithmetic.cc
extern const std::span<const TfliteOperator> kTfliteProducts;      // products.cc
extern const std::span<const TfliteOperator> kTfliteQuantization;  // quantization.cc
extern const std::span<const TfliteOperator> kTfliteReduction;     // reduction.cc
extern const std::span<const TfliteOperator> kTfliteResampling;    // resampling.cc
extern const std::span<const TfliteOperator> kTfliteSelection;     // selection.cc
extern const std::span<const TfliteOperator> kTfliteShape;         // shape.cc

}  // namespace figment::converter
