// A dense layer's zeros: 0 times an infinite weight is NaN on every road, from the arena's weights
// and from a tuned file's.
#include "runtime/xnnpack/matrix_product.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "converter/emit/flatbuffer.h"
#include "runtime/simd/kernels.h"
#include "tests/support/loaded_model.h"
#include "tests/support/tuned_model.h"

namespace figment::xnnpack {
namespace {

using testing::align_bytes;
using testing::AlignedMemory;

constexpr int kInputs = 24;
constexpr int kOutputs = 45;
constexpr int kPlace = 7;  // of the weight that is not like the others

// Dense from kInputs to kOutputs; the weights are 1 but for the last output's at kPlace.
std::vector<std::byte> make_model(float weight) {
  using namespace converter;
  Graph graph;
  graph.name = "dense";
  graph.any_batch = true;
  const TensorId x = graph.add_input("x", DataType::kFloat32, make_shape({1, kInputs}));
  std::vector<float> numbers(std::size_t{kOutputs} * kInputs, 1);
  numbers[std::size_t{kOutputs - 1} * kInputs + kPlace] = weight;
  const TensorId weights = graph.add_floats("weights", make_shape({kOutputs, kInputs}), numbers);
  const TensorId y = graph.add_node("dense", make_options(format::DenseT{}), {x, weights, kAbsent});
  graph.tensor(x).batch_axis = graph.tensor(y).batch_axis = 0;
  graph.outputs.push_back({"y", y, {}});
  return emit(graph, {});
}

// The outputs of every row where x is 1 in every second place and 0 in the others, kPlace among
// them.
std::vector<float> run(const AlignedMemory& file, int batch, Backend backend) {
  const Result<Model> model = Model::open(file.span());
  REQUIRE(model.ok());
  testing::RunningSession running(*model, {.batch = batch, .backend = backend});
  const std::span<float> x = running.session.input(0).values();
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = i % 2 == 0 ? 1.0F : 0.0F;
  REQUIRE(running.session.run().ok());
  const std::span<const float> y = running.session.output(0).values();
  return {y.begin(), y.end()};
}

void check_outputs(const std::vector<float>& y, bool last_is_nan) {
  for (std::size_t i = 0; i < y.size(); ++i)
    if (last_is_nan && i % kOutputs == kOutputs - 1)
      CHECK(std::isnan(y[i]));
    else
      CHECK(y[i] == kInputs / 2);
}

}  // namespace

TEST_CASE("a weight that is not finite makes NaN of a zero, wherever it is packed") {
  for (const float weight :
       {5.0F, std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
        std::numeric_limits<float>::quiet_NaN()}) {
    CAPTURE(weight);
    const AlignedMemory file = align_bytes(make_model(weight));
    const AlignedMemory tuned = align_bytes(testing::tune_model(*Model::open(file.span())));
    for (const int batch : {1, 3}) {
      CAPTURE(batch);
      check_outputs(run(file, batch, Backend::kPortable), !std::isfinite(weight));
      check_outputs(run(file, batch, Backend::kXnnpack), !std::isfinite(weight));
      check_outputs(run(tuned, batch, Backend::kXnnpack), !std::isfinite(weight));
    }
  }
}

// NaN in place of the packed weight, of which the file says that it is finite, shows who reads it.
TEST_CASE("weights that one row's zeros meet are not read, nor looked for in a tuned file") {
  if (!simd::kernels().beats_libraries) return;  // XNNPACK multiplies, and reads them all
  const AlignedMemory file = align_bytes(make_model(5));
  const AlignedMemory tuned = align_bytes(testing::tune_model(*Model::open(file.span())));
  const format::PackedWeights& packed = *format::GetModel(tuned.span().data())->packed();
  std::byte* block = tuned.span().data() + packed.offset() + kBlockAlignment;
  const simd::Packing packing(simd::kernels(), kOutputs, kInputs);
  reinterpret_cast<float*>(block)[packing.at(kOutputs - 1, kPlace)] =
      std::numeric_limits<float>::quiet_NaN();
  check_outputs(run(tuned, 1, Backend::kXnnpack), false);
  check_outputs(run(tuned, 3, Backend::kXnnpack), true);
}

}  // namespace figment::xnnpack
