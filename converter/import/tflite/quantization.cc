// Between int8 and float32.
#include "converter/import/tflite/families.h"

namespace figment::converter {
namespace {

// float32 to int8 happens where the output is noted; int8 of another range has been brought to the
// output's where it is read.
void quantize(TfliteNode& node) {
  if (!node.gives_int8())
    node.refuse(std::string("it gives ") + tflite::EnumNameTensorType(node.output_type(0)) +
                ", but only int8 and uint8 with a scale are supported");
  node.set_output(0, node.input(0));
}

// Of int8, and of constants of float16, which are float32 here already.
void dequantize(TfliteNode& node) { node.set_output(0, node.input(0)); }

constexpr TfliteOperator kRows[] = {
    {"DEQUANTIZE", dequantize},
    {"QUANTIZE", quantize, TfliteForm::kMoves},
};

}  // namespace

const std::span<const TfliteOperator> kTfliteQuantization = kRows;

}  // namespace figment::converter
