// Checks an operator's backward room against central differences of a definition in double
// precision.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "figment/format/model_generated.h"
#include "runtime/train/backward.h"

namespace figment::testing {

// An operand: float32 numbers, or integers (indices). Rank -1: absent.
struct Operand {
  Shape shape;
  std::vector<float> values = {};
  std::vector<std::int32_t> integers = {};
};

// Evenly distributed in [low, high); the same for the same seed.
Operand random_operand(std::initializer_list<std::int32_t> extents, std::uint32_t seed,
                       float low = -1, float high = 1);
Operand no_operand();

// An index that definitions have counted in int, which few elements allow.
inline std::size_t element(int index) { return static_cast<std::size_t>(index); }

// Operands of float32 as double precision; integers and absent ones are empty.
using Doubles = std::vector<std::vector<double>>;
// The operator in double precision: the output's elements from the operands'.
using Definition = std::function<std::vector<double>(const Doubles& operands)>;

struct BackwardCase {
  format::OperatorOptionsUnion options;
  std::vector<Operand> operands;
  Definition definition;
  double tolerance = 1e-4;  // |a - b| <= tolerance * max(1, |b|)
  bool batch_statistics = false;
  Shape declared = {};  // the output's, for operators whose file declares it
};

// Runs forward and backward with the loops of both backends, on one thread and on two, for every
// set of wanted gradients that differs in what it reads, once in place if the room allows. Values
// that the room does not read are not there. Checks the output and every gradient.
void check_backward(const BackwardCase& test);

template <typename Table>
format::OperatorOptionsUnion options_of(Table table) {
  format::OperatorOptionsUnion options;
  options.Set(std::move(table));
  return options;
}

}  // namespace figment::testing
