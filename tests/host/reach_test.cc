// What a network depends on, against what changes when one pixel does.
#include "targets/host/reach.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/host/upscalers.h"
#include "tests/support/loaded_model.h"

namespace figment::testing {
namespace {

using converter::Graph;
using converter::TensorId;
using format::ResizeMode;

std::optional<host::PictureReach> reach_of(const Network& network, int size = 24) {
  const AlignedMemory bytes = align_bytes(make_upscaler(network, size, size, 1));
  return host::reach_of(*Model::open(bytes.span()), 0, 0);
}

// How far behind and before its own place an output pixel is found to look, along the columns.
host::Reach measured(const Network& network, int size = 24) {
  const AlignedMemory bytes = align_bytes(make_upscaler(network, size, size, 1));
  const Result<Model> model = Model::open(bytes.span());
  REQUIRE(model.ok());
  Options options;
  options.backend = Backend::kPortable;
  RunningSession running(*model, options);
  const auto run = [&](int changed) {
    const Tensor x = running.session.input(0);
    for (std::int64_t at = 0; at < x.elements(); ++at)
      x.floats()[at] = 1 + static_cast<float>(at * 37 % 64) / 64;
    if (changed >= 0)
      for (int row = 0; row < size; ++row) x.floats()[row * size + changed] += 5;
    REQUIRE(running.session.run().ok());
    const Tensor y = running.session.output(0);
    return std::vector<float>(y.floats(), y.floats() + y.elements());
  };
  const std::vector<float> plain = run(-1);
  const int factor = model->output(0).shape[2] / size;
  host::Reach reach;
  for (int changed = 0; changed < size; ++changed) {
    const std::vector<float> other = run(changed);
    for (std::size_t at = 0; at < plain.size(); ++at) {
      if (plain[at] == other[at]) continue;
      const int place = static_cast<int>(at % static_cast<std::size_t>(size * factor)) / factor;
      reach.before = std::max(reach.before, place - changed);
      reach.after = std::max(reach.after, changed - place);
    }
  }
  return reach;
}

struct Case {
  std::string name;
  Network network;
  int alignment = 1;
  int slack = 0;  // pixels that the bound may be above what is measured
};

std::vector<Case> cases() {
  return {
      {"convolutions",
       [](Graph& g, TensorId x) { return convolve(g, convolve(g, x, 3, 5), 1, 3); }},
      {"an even kernel", [](Graph& g, TensorId x) { return convolve(g, x, 1, 4); }},
      {"dilation", [](Graph& g, TensorId x) { return convolve(g, x, 1, 3, 1, 3); }},
      {"a skip",
       [](Graph& g, TensorId x) { return add(g, convolve(g, convolve(g, x, 2, 3), 1, 3), x); }},
      {"nearest",
       [](Graph& g, TensorId x) { return convolve(g, resize(g, x, 2, ResizeMode::Nearest), 1, 3); },
       1, 1},
      {"linear",
       [](Graph& g, TensorId x) { return resize(g, convolve(g, x, 1, 3), 3, ResizeMode::Linear); },
       1, 1},
      {"cubic", [](Graph& g, TensorId x) { return resize(g, x, 2, ResizeMode::Cubic); }, 1, 1},
      {"pixels from channels", small_upscaler(4, 1), 1, 1},
      {"transposed convolution",
       [](Graph& g, TensorId x) { return transpose_convolve(g, convolve(g, x, 3, 3), 1, 4, 2); }, 1,
       1},
      {"stride 3 wide", [](Graph& g, TensorId x) { return transpose_convolve(g, x, 1, 7, 3); }, 1,
       1},
      {"down and up again",
       [](Graph& g, TensorId x) { return transpose_convolve(g, convolve(g, x, 3, 3, 2), 1, 8, 4); },
       2, 2},
  };
}

}  // namespace

TEST_CASE("the reach is what the operators say, and no less than what changes") {
  for (const Case& one : cases()) {
    CAPTURE(one.name);
    const auto reach = reach_of(one.network);
    REQUIRE(reach);
    const host::Reach found = measured(one.network);
    CHECK(reach->across.before >= found.before);
    CHECK(reach->across.after >= found.after);
    CHECK(reach->across.before <= found.before + one.slack);
    CHECK(reach->across.after <= found.after + one.slack);
    CHECK(reach->down.before == reach->across.before);
    CHECK(reach->across.alignment == one.alignment);
  }
}

TEST_CASE("networks whose pixels depend on the whole picture, or on their place") {
  const auto with = [](const std::function<TensorId(Graph&, TensorId)>& middle) {
    return reach_of(
        [=](Graph& g, TensorId x) { return resize(g, middle(g, x), 2, ResizeMode::Nearest); });
  };
  CHECK(with([](Graph&, TensorId x) { return x; }));
  CHECK_FALSE(with([](Graph& g, TensorId x) {
    return g.add_node("norm", converter::make_options(format::GroupNormalizationT{}),
                      {x, converter::kAbsent, converter::kAbsent});
  }));
  CHECK_FALSE(with([](Graph& g, TensorId x) {
    const TensorId map = g.add_floats("map", g.tensor(x).shape, std::vector<float>(24 * 24, 1));
    return add(g, x, map);
  }));
  CHECK_FALSE(with([](Graph& g, TensorId x) {
    format::ResizeT options;
    options.mode = ResizeMode::Linear;
    options.coordinates = format::ResizeCoordinates::AlignCorners;
    options.height = options.width = 24;
    return resize(g, g.add_node("same", converter::make_options(options), {x}), 1,
                  ResizeMode::Linear);
  }));
}

}  // namespace figment::testing
