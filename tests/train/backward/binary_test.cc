// Gradients of broadcast arithmetic against central differences in double precision.
#include <doctest/doctest.h>

#include <cmath>

#include "runtime/math/broadcast.h"
#include "tests/train/backward/harness.h"
#include "tests/train/backward/indices.h"

namespace figment::testing {
namespace {

using format::BinaryFunction;
using Function = double (*)(double a, double b);
using Extents = std::initializer_list<std::int32_t>;

void check_binary(BinaryFunction function, Function definition, const Extents& a, const Extents& b,
                  float low = -1, float high = 1) {
  const std::string name = format::EnumNameBinaryFunction(function);
  const Shape a_shape = shape_of(a);
  const Shape b_shape = shape_of(b);
  Shape together;
  REQUIRE(math::broadcast_shapes(a_shape, b_shape, together));
  CAPTURE(name);
  CAPTURE(a_shape.elements());
  CAPTURE(b_shape.elements());
  format::BinaryT options;
  options.function = function;
  BackwardCase test;
  test.options = options_of(options);
  test.operands = {random_operand(a, 1, low, high), random_operand(b, 2, low, high)};
  test.definition = [=](const Doubles& operands) {
    return each_position(together, [&](const Index& index) {
      return definition(operands[0][number_of(a_shape, index)],
                        operands[1][number_of(b_shape, index)]);
    });
  };
  check_backward(test);
}

double add(double a, double b) { return a + b; }
double multiply(double a, double b) { return a * b; }
double divide(double a, double b) { return a / b; }

TEST_CASE("gradients of arithmetic, broadcast in every way") {
  struct Pair {
    Extents a, b;
  };
  const Extents none = {};
  const Extents one = {1};
  const Extents vector = {5};
  const Extents picture = {2, 3, 4, 5};
  const Extents style = {2, 1, 1, 5};
  const Extents channelwise = {3, 1, 1};
  const Extents alternating = {1, 3, 1, 5};
  const Extents column = {2, 3, 4, 1};
  const Extents long_row = {3, 131};
  const Extents long_column = {3, 1};
  const Extents long_vector = {131};
  const Extents tall = {300, 2};
  const Extents pair = {2};
  const Pair pairs[] = {{picture, picture},
                        {picture, none},
                        {picture, one},
                        {picture, vector},
                        {picture, style},
                        {picture, channelwise},
                        {picture, alternating},
                        {picture, column},
                        {style, channelwise},
                        {column, style},
                        {long_row, long_column},
                        {long_row, long_vector},
                        {tall, pair},
                        {none, none},
                        {long_column, long_vector}};
  for (const Pair& shapes : pairs) {
    check_binary(BinaryFunction::Add, add, shapes.a, shapes.b);
    check_binary(BinaryFunction::Mul, multiply, shapes.a, shapes.b);
    check_binary(BinaryFunction::Div, divide, shapes.b, shapes.a, 0.5F, 2);
  }
}

TEST_CASE("gradients of every function of two numbers") {
  using F = BinaryFunction;
  const Extents whole = {3, 2, 7};
  const Extents part = {2, 1};
  for (const Extents& other : {whole, part}) {
    check_binary(
        F::Sub, [](double a, double b) { return a - b; }, whole, other);
    check_binary(
        F::Pow, [](double a, double b) { return std::pow(a, b); }, whole, other, 0.3F, 2);
    check_binary(
        F::Max, [](double a, double b) { return a > b ? a : b; }, whole, other);
    check_binary(
        F::Min, [](double a, double b) { return a < b ? a : b; }, whole, other);
    check_binary(
        F::PRelu, [](double a, double b) { return a < 0 ? a * b : a; }, whole, other);
    check_binary(
        F::Remainder, [](double a, double b) { return std::fmod(a, b); }, whole, other);
    check_binary(
        F::Modulo, [](double a, double b) { return a - b * std::floor(a / b); }, whole, other);
  }
}

// Gradients by both operands of one number each, for dy = 1.
std::pair<float, float> slopes(BinaryFunction function, float a, float b, float y) {
  flatbuffers::FlatBufferBuilder builder;
  format::BinaryT options;
  options.function = function;
  builder.Finish(format::CreateBinary(builder, &options));
  Tensor inputs[2];
  inputs[0].data = &a;
  inputs[1].data = &b;
  Tensor output;
  output.data = &y;
  const float dy = 1;
  float gradients[2] = {7, 7};
  Tensor views[2];
  views[0].data = &gradients[0];
  views[1].data = &gradients[1];
  train::Call call;
  call.operation.options = flatbuffers::GetRoot<format::Binary>(builder.GetBufferPointer());
  call.operation.inputs = inputs;
  call.operation.outputs = {&output, 1};
  call.output_gradient = &dy;
  call.input_gradients = views;
  train::kBackwardRooms[static_cast<int>(format::OperatorOptions::Binary)]->backward(call);
  return {gradients[0], gradients[1]};
}

TEST_CASE("gradients where functions have kinks or poles are those of PyTorch") {
  CHECK(slopes(BinaryFunction::Max, 2, 2, 2) == std::pair{0.5F, 0.5F});
  CHECK(slopes(BinaryFunction::Min, 2, 2, 2) == std::pair{0.5F, 0.5F});
  CHECK(slopes(BinaryFunction::Pow, 0, 0, 1) == std::pair{0.0F, 0.0F});
  CHECK(slopes(BinaryFunction::Pow, 0, 2, 0) == std::pair{0.0F, 0.0F});
  CHECK(slopes(BinaryFunction::Pow, -3, 2, 9).first == -6.0F);
  CHECK(slopes(BinaryFunction::PRelu, 0, 0.25F, 0) == std::pair{0.25F, 0.0F});
}

}  // namespace
}  // namespace figment::testing
