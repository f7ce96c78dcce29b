// The portable backend is the definition: XNNPACK must agree with it on every shipped model.
#include <doctest/doctest.h>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#ifdef FIGMENT_WITH_XNNPACK
#include "runtime/simd/kernels.h"
#endif
#include "tests/support/loaded_model.h"
#include "tests/support/threads.h"

namespace figment::testing {
namespace {

// The root of the mean squared difference beside what lies between the smallest and the largest
// number.
double mean_difference(std::span<const float> a, std::span<const float> b) {
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) squares += std::pow(double{a[i]} - b[i], 2);
  const auto [low, high] = std::minmax_element(b.begin(), b.end());
  return std::sqrt(squares / static_cast<double>(a.size())) / (double{*high} - *low);
}

// Within 1e-4, with int8 weights within 1e-2 of the range in the mean.
void check_shipped_models() {
  for (const auto& path : shipped_models()) {
    const AlignedMemory file = read_aligned(path);
    const auto model = Model::open(file.span());
    REQUIRE(model.ok());
    for (const std::int32_t batch : {1, 7}) {
      RunningSession portable(*model, {.batch = batch, .backend = Backend::kPortable});
      RunningSession fast(*model, {.batch = batch, .backend = Backend::kXnnpack});
      double last_sum = 0;
      for (const std::uint64_t seed : {1, 2, 3}) {
        fill_inputs(portable.session, *model, seed);
        fill_inputs(fast.session, *model, seed);
        REQUIRE(portable.session.run().ok());
        REQUIRE(fast.session.run().ok());
        for (int i = 0; i < model->output_count(); ++i) {
          CAPTURE(path.string());
          CAPTURE(batch);
          const std::span<float> expected = portable.session.output(i).values();
          if (path.stem().string().ends_with("int8"))
            CHECK(mean_difference(fast.session.output(i).values(), expected) <= 1e-2);
          else
            CHECK(largest_difference(fast.session.output(i).values(), expected) <= 1e-4);
          // Something was computed at all: another seed gives other numbers.
          const double sum = std::accumulate(expected.begin(), expected.end(), 0.0);
          if (i == 0) CHECK(sum != last_sum);
          if (i == 0) last_sum = sum;
        }
      }
    }
  }
}

}  // namespace

// Weights of integers meet activations in 255 steps, as they are, or as points of tiles in steps.
TEST_CASE("portable and every XNNPACK agree on each shipped model") {
#ifdef FIGMENT_WITH_XNNPACK
  for (const simd::Kernels* table : simd::tables()) {
    if (!simd::cap_kernels(table->name)) continue;
    CAPTURE(table->name);
    check_shipped_models();
  }
  simd::cap_kernels(nullptr);
#else
  check_shipped_models();
#endif
}

#ifdef FIGMENT_WITH_XNNPACK
TEST_CASE("two threads draw what one draws") {
  const test::Threads threads(2);
  for (const auto& path : shipped_models()) {
    const AlignedMemory file = read_aligned(path);
    const auto model = Model::open(file.span());
    REQUIRE(model.ok());
    RunningSession alone(*model, {.batch = 3});
    RunningSession shared(*model, {.batch = 3, .threads = threads.get()});
    fill_inputs(alone.session, *model, 9);
    fill_inputs(shared.session, *model, 9);
    REQUIRE(alone.session.run().ok());
    REQUIRE(shared.session.run().ok());
    for (int i = 0; i < model->output_count(); ++i) {
      CAPTURE(path.string());
      CHECK(largest_difference(shared.session.output(i).values(),
                               alone.session.output(i).values()) <= 1e-5);
    }
  }
}
#endif

TEST_CASE("a batch draws what its samples draw alone") {
  for (const auto& path : shipped_models()) {
    const AlignedMemory file = read_aligned(path);
    const auto model = Model::open(file.span());
    REQUIRE(model.ok());
    constexpr std::int32_t kBatch = 3;
    RunningSession whole(*model, {.batch = kBatch, .backend = Backend::kPortable});
    RunningSession single(*model, {.batch = 1, .backend = Backend::kPortable});
    fill_inputs(whole.session, *model, 11);
    REQUIRE(whole.session.run().ok());
    for (std::int32_t sample = 0; sample < kBatch; ++sample) {
      fill_inputs(single.session, *model, 11, static_cast<std::uint64_t>(sample));
      REQUIRE(single.session.run().ok());
      CAPTURE(path.string());
      CAPTURE(sample);
      const std::span<float> alone = single.session.output(0).values();
      const std::span<float> together = whole.session.output(0).values().subspan(
          static_cast<std::size_t>(sample) * alone.size(), alone.size());
      CHECK(std::equal(alone.begin(), alone.end(), together.begin()));
    }
  }
}

}  // namespace figment::testing
