// Gradients of group normalization, from one group to as many as there are channels.
#include <doctest/doctest.h>

#include "tests/train/backward/normalizing.h"
#include "tests/train/backward/room_run.h"

namespace figment::testing {
namespace {

BackwardCase make_case(std::int32_t pictures, std::int32_t pixels, std::int32_t channels,
                       std::int32_t groups, bool with_scale = true, bool with_bias = true,
                       float low = -1, float high = 1) {
  format::GroupNormalizationT table;
  table.groups = groups;
  table.epsilon = 1e-3F;
  BackwardCase test;
  const double epsilon = double{table.epsilon};
  test.options = options_of(std::move(table));
  test.operands = {random_operand({pictures, pixels, channels}, 1, low, high),
                   with_scale ? random_operand({channels}, 2, -2, 2) : no_operand(),
                   with_bias ? random_operand({channels}, 3) : no_operand()};
  test.definition = [=](const Doubles& operands) {
    std::vector<double> y = operands[0];
    const auto columns = static_cast<std::size_t>(channels);
    const auto width = static_cast<std::size_t>(channels / groups);
    const std::size_t picture = static_cast<std::size_t>(pixels) * columns;
    for (std::size_t first = 0; first < y.size(); first += picture)
      for (std::size_t group = 0; group < columns; group += width) {
        std::vector<std::size_t> indices;
        for (std::size_t i = 0; i < picture; ++i)
          if (i % columns >= group && i % columns < group + width) indices.push_back(first + i);
        normalize(operands[0], indices, epsilon, y);
      }
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (with_scale) y[i] *= operands[1][i % columns];
      if (with_bias) y[i] += operands[2][i % columns];
    }
    return y;
  };
  return test;
}

TEST_CASE("gradients of group normalization of awkward sizes") {
  for (const std::int32_t pictures : {1, 3})
    for (const std::int32_t pixels : {1, 5, 67})
      for (const std::int32_t channels : {1, 6, 36})
        for (const std::int32_t groups : {1, 3, 6, 36}) {
          if (channels % groups != 0 || (pixels > 5 && channels > 6)) continue;
          CAPTURE(pictures);
          CAPTURE(pixels);
          CAPTURE(channels);
          CAPTURE(groups);
          check_backward(make_case(pictures, pixels, channels, groups));
        }
}

TEST_CASE("gradients of group normalization without scale, without bias, without both") {
  check_backward(make_case(2, 5, 6, 2, false, true));
  check_backward(make_case(2, 5, 6, 2, true, false));
  check_backward(make_case(2, 5, 6, 6, false, false));
}

TEST_CASE("gradients of group normalization with a large mean and a small variance") {
  check_backward(make_case(2, 20, 4, 2, true, true, 20000, 20000.5F));
}

TEST_CASE("group normalization where threads share the work") {
  check_threads(make_case(5, 200, 36, 3));
  check_threads(make_case(2, 600, 35, 35));
}

TEST_CASE("group and instance normalization give PyTorch's gradients") {
  for (const bool instance : {false, true}) {
    const Goldens goldens(instance ? "norm_instance_normalization" : "norm_group_normalization");
    BackwardCase test;
    format::GroupNormalizationT table;
    table.groups = instance ? 6 : 3;
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
}

}  // namespace
}  // namespace figment::testing
