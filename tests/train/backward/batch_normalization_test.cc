// Gradients of batch normalization with statistics of the batch and with stored ones, and how the
// stored ones move.
#include <doctest/doctest.h>

#include "tests/train/backward/normalizing.h"
#include "tests/train/backward/room_run.h"

namespace figment::testing {
namespace {

constexpr float kEpsilon = 1e-3F;

format::OperatorOptionsUnion options() {
  format::BatchNormalizationT table;
  table.epsilon = kEpsilon;
  return options_of(std::move(table));
}

BackwardCase make_case(std::int32_t rows, std::int32_t channels, bool batch_statistics,
                       float low = -1, float high = 1) {
  BackwardCase test;
  test.options = options();
  test.operands = {random_operand({rows, channels}, 1, low, high),
                   random_operand({channels}, 2, -2, 2), random_operand({channels}, 3),
                   random_operand({channels}, 4), random_operand({channels}, 5, 0.1F, 2)};
  test.batch_statistics = batch_statistics;
  test.definition = [=](const Doubles& operands) {
    const auto columns = static_cast<std::size_t>(channels);
    std::vector<double> y = operands[0];
    for (std::size_t c = 0; c < columns; ++c) {
      std::vector<std::size_t> column;
      for (std::size_t i = c; i < y.size(); i += columns) column.push_back(i);
      if (batch_statistics)
        normalize(operands[0], column, double{kEpsilon}, y);
      else
        for (const std::size_t i : column)
          y[i] = (y[i] - operands[3][c]) / std::sqrt(operands[4][c] + double{kEpsilon});
      for (const std::size_t i : column) y[i] = y[i] * operands[1][c] + operands[2][c];
    }
    return y;
  };
  return test;
}

TEST_CASE("gradients of batch normalization of awkward sizes") {
  for (const std::int32_t rows : {1, 2, 65, 131})
    for (const std::int32_t channels : {1, 3, 16, 37})
      for (const bool batch_statistics : {false, true}) {
        if (rows > 65 && channels > 3) continue;  // the definition is slow
        CAPTURE(rows);
        CAPTURE(channels);
        CAPTURE(batch_statistics);
        check_backward(make_case(rows, channels, batch_statistics));
      }
}

TEST_CASE("gradients of batch normalization where threads share the work") {
  check_threads(make_case(600, 40, true));
  check_threads(make_case(600, 40, false));
}

TEST_CASE("gradients of batch normalization with a large mean and a small variance") {
  check_backward(make_case(70, 3, true, 20000, 20000.5F));
}

// The stored mean and variance after one forward pass.
std::vector<float> moved(const BackwardCase& test, float momentum) {
  RoomRun run(test);
  run.set_momentum(momentum);
  run.forward();
  std::vector<float> values = run.operand(3);
  values.insert(values.end(), run.operand(4).begin(), run.operand(4).end());
  return values;
}

TEST_CASE("stored statistics move toward the mean and the unbiased variance of the batch") {
  BackwardCase test = make_case(4, 2, true);
  test.operands[0].values = {1, 5000, 2, 5000, 3, 5001, 6, 5001};
  test.operands[3].values = {10, 20};
  test.operands[4].values = {1, 2};
  const std::vector<float> values = moved(test, 0.25F);
  CHECK(values[0] == doctest::Approx(10 + 0.25 * (3 - 10)));
  CHECK(values[1] == doctest::Approx(20 + 0.25 * (5000.5 - 20)));
  CHECK(values[2] == doctest::Approx(1 + 0.25 * (14.0 / 3 - 1)));
  CHECK(values[3] == doctest::Approx(2 + 0.25 * (1.0 / 3 - 2)));
}

TEST_CASE("one row has no unbiased variance to move toward") {
  BackwardCase test = make_case(1, 2, true);
  test.operands[0].values = {1, 2};
  test.operands[3].values = {3, 4};
  test.operands[4].values = {5, 6};
  CHECK(moved(test, 0.5F) == std::vector<float>{2, 3, 5, 6});
}

TEST_CASE("stored statistics stay where those of the batch are not used") {
  BackwardCase test = make_case(4, 2, false);
  std::vector<float> before = test.operands[3].values;
  before.insert(before.end(), test.operands[4].values.begin(), test.operands[4].values.end());
  CHECK(moved(test, 0.5F) == before);
}

TEST_CASE("batch normalization gives PyTorch's gradients and statistics") {
  const Goldens goldens("norm_batch_normalization");
  BackwardCase test;
  format::BatchNormalizationT table;
  table.epsilon = 1e-5F;
  test.options = options_of(std::move(table));
  test.batch_statistics = true;
  test.operands = {goldens.at("x"), goldens.at("scale"), goldens.at("bias"), goldens.at("mean"),
                   goldens.at("variance")};
  RoomRun run(test);
  run.set_momentum(0.3F);
  run.forward();
  goldens.check("y", run.output());
  goldens.check("new_mean", run.operand(3));
  goldens.check("new_variance", run.operand(4));
  run.backward(goldens.at("dy").values);
  goldens.check("dx", run.gradient(0));
  goldens.check("dscale", run.gradient(1));
  goldens.check("dbias", run.gradient(2));
}

}  // namespace
}  // namespace figment::testing
