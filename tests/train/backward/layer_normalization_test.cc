// Gradients of layer normalization over one axis and over several.
#include <doctest/doctest.h>

#include "tests/train/backward/normalizing.h"
#include "tests/train/backward/room_run.h"

namespace figment::testing {
namespace {

BackwardCase make_case(std::int32_t rows, std::int32_t height, std::int32_t width, int axes,
                       bool with_scale, bool with_bias, float low = -1, float high = 1) {
  format::LayerNormalizationT table;
  table.axes = axes;
  table.epsilon = 1e-3F;
  BackwardCase test;
  const double epsilon = double{table.epsilon};
  test.options = options_of(std::move(table));
  const auto parameter = [&](std::uint32_t seed) {
    return axes == 1 ? random_operand({width}, seed, -2, 2)
                     : random_operand({height, width}, seed, -2, 2);
  };
  test.operands = {random_operand({rows, height, width}, 1, low, high),
                   with_scale ? parameter(2) : no_operand(),
                   with_bias ? parameter(3) : no_operand()};
  const auto length = static_cast<std::size_t>(axes == 1 ? width : height * width);
  test.definition = [=](const Doubles& operands) {
    std::vector<double> y = operands[0];
    for (std::size_t first = 0; first < y.size(); first += length) {
      std::vector<std::size_t> line;
      for (std::size_t i = 0; i < length; ++i) line.push_back(first + i);
      normalize(operands[0], line, epsilon, y);
      for (std::size_t i = 0; i < length; ++i) {
        if (with_scale) y[first + i] *= operands[1][i];
        if (with_bias) y[first + i] += operands[2][i];
      }
    }
    return y;
  };
  return test;
}

TEST_CASE("gradients of layer normalization of awkward sizes") {
  for (const std::int32_t rows : {1, 3, 67})
    for (const std::int32_t width : {1, 7, 16, 37})
      for (const int axes : {1, 2}) {
        if (rows > 3 && width > 7) continue;  // the definition is slow
        CAPTURE(rows);
        CAPTURE(width);
        CAPTURE(axes);
        check_backward(make_case(rows, 2, width, axes, true, true));
      }
}

TEST_CASE("gradients of layer normalization without scale, without bias, without both") {
  check_backward(make_case(3, 2, 19, 1, false, true));
  check_backward(make_case(3, 2, 19, 1, true, false));
  check_backward(make_case(3, 2, 19, 2, false, false));
}

TEST_CASE("gradients of layer normalization with a large mean and a small variance") {
  check_backward(make_case(3, 2, 33, 1, true, true, 20000, 20000.5F));
}

TEST_CASE("layer normalization of lines that are summed in parts") {
  // The definition's central differences would take long: one line that repeats every 1024 numbers
  // has the gradients of its first part.
  BackwardCase part = make_case(1, 1, 1024, 1, true, true);
  BackwardCase whole = make_case(1, 1, 3072, 1, true, true);
  std::vector<float> dy;
  const Operand random = random_operand({1024}, 9);
  for (std::size_t i = 0; i < 3072; ++i) {
    dy.push_back(random.values[i % 1024]);
    for (std::size_t k = 0; k < 3; ++k)
      whole.operands[k].values[i] = part.operands[k].values[i % 1024];
  }
  RoomRun small(part);
  RoomRun large(whole);
  small.forward();
  large.forward();
  small.backward(random.values);
  large.backward(dy);
  for (std::size_t i = 0; i < 3072; ++i) {
    CHECK(large.output()[i] == doctest::Approx(small.output()[i % 1024]).epsilon(1e-5));
    for (std::size_t k = 0; k < 3; ++k)
      CHECK(large.gradient(k)[i] == doctest::Approx(small.gradient(k)[i % 1024]).epsilon(1e-4));
  }
}

TEST_CASE("layer normalization where threads share the work") {
  check_threads(make_case(300, 2, 70, 1, true, true));
  check_threads(make_case(5, 60, 70, 2, true, true));
}

TEST_CASE("layer normalization gives PyTorch's gradients") {
  const Goldens goldens("norm_layer_normalization");
  BackwardCase test;
  format::LayerNormalizationT table;
  table.axes = 2;
  table.epsilon = 1e-5F;
  test.options = options_of(std::move(table));
  test.operands = {goldens.at("x"), goldens.at("scale"), goldens.at("bias")};
  RoomRun run(test);
  run.forward();
  goldens.check("y", run.output());
  run.backward(goldens.at("dy").values);
  goldens.check("dx", run.gradient(0));
  goldens.check("dscale", run.gradient(1));
  goldens.check("dbias", run.gradient(2));
}

}  // namespace
}  // namespace figment::testing
