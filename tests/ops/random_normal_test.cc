// Noise inside a model: its moments, its seeds, and that it is nobody else's.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/ops/operator_harness.h"

using namespace figment;
using namespace figment::testing;

namespace {

format::OperatorOptionsUnion options(float mean, float scale, std::uint32_t seed) {
  format::RandomNormalT table;
  table.mean = mean;
  table.scale = scale;
  table.seed = seed;
  return options_of(table);
}

std::vector<float> draw(float mean, float scale, std::uint32_t seed, const Shape& shape,
                        Backend backend = Backend::kPortable) {
  const Run run = run_operator(options(mean, scale, seed), {}, shape, backend);
  REQUIRE_MESSAGE(run.error.empty(), run.error);
  CHECK(run.shape == shape);
  CHECK(run.type == DataType::kFloat32);
  return run.values;
}

}  // namespace

TEST_CASE("mean and scale") {
  const std::vector<float> values = draw(3, 0.5F, 1, shape_of({1, 101, 99}));
  double sum = 0;
  double square = 0;
  for (const float value : values) {
    sum += value;
    square += (value - 3.0) * (value - 3.0);
  }
  const double count = static_cast<double>(values.size());
  CHECK(std::fabs(sum / count - 3) < 0.025);
  CHECK(std::fabs(square / count - 0.25) < 0.02);
  const std::vector<float> standard = draw(0, 1, 1, shape_of({1, 101, 99}));
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] == 3 + 0.5F * standard[i]);
}

TEST_CASE("the same on both backends and every time; another with another seed") {
  const Shape shape = shape_of({3, 7});
  const std::vector<float> first = draw(0, 1, 5, shape);
  CHECK(first == draw(0, 1, 5, shape));
  CHECK(first == draw(0, 1, 5, shape, Backend::kXnnpack));
  CHECK(first != draw(0, 1, 6, shape));
}

TEST_CASE("not the latents that the same seed fills") {
  std::vector<float> latents(8);
  Tensor view;
  view.data = latents.data();
  view.shape = shape_of({8});
  for (const std::uint32_t seed : {0U, 1U, 42U}) {
    fill_normal(view, seed);
    CHECK(draw(0, 1, 0, shape_of({8})) != latents);
    CHECK(draw(0, 1, seed, shape_of({8})) != latents);
  }
}

TEST_CASE("scale 0 is the mean, a scalar is one number") {
  CHECK(draw(1.5F, 0, 1, shape_of({5})) == std::vector<float>(5, 1.5F));
  CHECK(draw(0, 1, 1, shape_of({})).size() == 1);
}

TEST_CASE("what a damaged file may say is refused") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  check_refused(options(0, 1, 1), {}, {}, "must be declared");
  check_refused(options(nan, 1, 1), {}, shape_of({2}), "must be finite");
  check_refused(options(0, nan, 1), {}, shape_of({2}), "must be finite");
  check_refused(options(0, infinity, 1), {}, shape_of({2}), "must be finite");
  check_refused(options(0, 1, 1), {}, shape_of({0}), "must be positive");
  check_refused(options(0, 1, 1), {}, shape_of({65536, 65536}), "too large");
  check_refused(options(0, 1, 1), {{.shape = shape_of({2}), .values = {1, 2}}}, shape_of({2}),
                "1 inputs");
}
