// Flux.jl's pools and what makes pictures larger.
#include <doctest/doctest.h>

#include "tests/import/flux_builder.h"

namespace figment::testing {
namespace {

// (3, 2, 1): rows of three
const std::vector<float> kPicture = {1, 2, 3, 4, 5, 6};

Bson pool(const std::string& kind, const std::vector<std::int64_t>& pad) {
  return julia_struct("Flux." + kind,
                      {julia_integers({2, 1}), julia_integers(pad), julia_integers({1, 1})});
}

Bson upsample(const std::string& mode, const Bson& scale, const Bson& size) {
  return julia_struct("Flux.Upsample", {scale, size}, {julia_symbol(mode)});
}

}  // namespace

TEST_CASE("MaxPool and MeanPool") {
  check_close(run_layer(pool("MaxPool", {0, 0, 0, 0}), {3, 2, 1}, kPicture), {2, 3, 5, 6});
  check_close(run_layer(pool("MeanPool", {0, 0, 0, 0}), {3, 2, 1}, kPicture), {1.5, 2.5, 4.5, 5.5});
  // Padding at the left counts for the mean.
  check_close(run_layer(pool("MeanPool", {1, 0, 0, 0}), {3, 2, 1}, kPicture),
              {0.5, 1.5, 2.5, 2, 4.5, 5.5});
  // One number an axis pads both sides.
  check_close(run_layer(pool("MaxPool", {1, 0}), {3, 2, 1}, kPicture), {1, 2, 3, 3, 4, 5, 6, 6});
}

TEST_CASE("pools of a signal") {
  const Bson layer = julia_struct(
      "Flux.MaxPool", {julia_integers({2}), julia_integers({0, 0}), julia_integers({2})});
  check_close(run_layer(layer, {4, 1}, {1, 5, 2, 0}), {5, 2});
}

TEST_CASE("pools over the whole picture") {
  check_close(run_layer(julia_struct("Flux.GlobalMeanPool", {}), {3, 1, 2}, kPicture), {2, 5});
  check_close(run_layer(julia_struct("Flux.GlobalMaxPool", {}), {3, 1, 2}, kPicture), {3, 6});
}

TEST_CASE("pools to a wanted size") {
  const auto layer = [](const std::string& kind) {
    return julia_struct("Flux." + kind, {julia_integers({2, 1})});
  };
  // Three columns to two: windows of two, one apart; two rows to one.
  check_close(run_layer(layer("AdaptiveMeanPool"), {3, 2, 1}, kPicture), {3, 4});
  check_close(run_layer(layer("AdaptiveMaxPool"), {3, 2, 1}, kPicture), {5, 6});
  CHECK(layer_refusal(julia_struct("Flux.AdaptiveMaxPool", {julia_integers({4, 1})}), {3, 2, 1})
            .find("it wants 4 of 3 pixels") != std::string::npos);
}

TEST_CASE("Upsample") {
  // Twice as wide, rows as they are.
  const std::vector<double> wide = {1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6};
  check_close(run_layer(upsample("nearest", julia_integers({2, 1}), Bson{}), {3, 2, 1}, kPicture),
              wide);
  check_close(run_layer(upsample("nearest", Bson{}, julia_integers({6, 2})), {3, 2, 1}, kPicture),
              wide);
  check_close(run_layer(upsample("nearest", bson_integer(2), Bson{}), {1, 1, 1}, {7}),
              {7, 7, 7, 7});
  // Corners stay: 1 to 3 in four steps.
  check_close(run_layer(upsample("bilinear", Bson{}, julia_integers({5, 2})), {3, 2, 1}, kPicture),
              {1, 1.5, 2, 2.5, 3, 4, 4.5, 5, 5.5, 6});
  CHECK(layer_refusal(upsample("trilinear", bson_integer(2), Bson{}), {3, 2, 1})
            .find("its mode 'trilinear'") != std::string::npos);
  CHECK(layer_refusal(upsample("nearest", Bson{}, julia_integers({4, 2})), {3, 2, 1})
            .find("whole times") != std::string::npos);
  CHECK(layer_refusal(upsample("nearest", bson_integer(1000000), Bson{}), {3, 2, 1})
            .find("its scale is not between") != std::string::npos);
}

TEST_CASE("PixelShuffle") {
  // (1, 1, 8) to (2, 2, 2): the column runs fastest, then the row.
  const std::vector<float> x = {1, 2, 3, 4, 5, 6, 7, 8};
  check_close(run_layer(julia_struct("Flux.PixelShuffle", {bson_integer(2)}), {1, 1, 8}, x),
              {1, 2, 3, 4, 5, 6, 7, 8});
  // Of two columns: (2, 1, 4) to (4, 2, 1)
  check_close(run_layer(julia_struct("Flux.PixelShuffle", {bson_integer(2)}), {2, 1, 4}, x),
              {1, 3, 2, 4, 5, 7, 6, 8});
}

}  // namespace figment::testing
