// The list of TFLite's operators: all families together.
#include <unordered_map>

#include "converter/import/tflite/families.h"

namespace figment::converter {

const TfliteOperator* find_tflite_operator(const std::string& name) {
  static const std::unordered_map<std::string, const TfliteOperator*> kRows = [] {
    std::unordered_map<std::string, const TfliteOperator*> rows;
    for (const std::span<const TfliteOperator> family :
         {kTfliteActivations, kTfliteArithmetic, kTfliteProducts, kTfliteQuantization,
          kTfliteReduction, kTfliteResampling, kTfliteSelection, kTfliteShape})
      for (const TfliteOperator& row : family) rows.emplace(row.name, &row);
    return rows;
  }();
  const auto row = kRows.find(name);
  return row != kRows.end() ? row->second : nullptr;
}

}  // namespace figment::converter
