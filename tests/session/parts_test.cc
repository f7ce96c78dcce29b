// Batches that run in parts: the same numbers as all at once, in less memory.
#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "converter/emit/flatbuffer.h"
#include "converter/graph/graph.h"
#include "tests/support/loaded_model.h"

namespace figment::testing {
namespace {

using converter::Graph;
using converter::make_options;
using converter::make_shape;

constexpr int kSamplesThatFit = 4;  // of pictures(), whose convolution reads and writes 512 KB

// x [1,8,8,16] * strength [1] + noise -> nearest to 64x64 -> 1x1 convolution with tanh -> picture
// [1, 65536]; its mean; x as it came. With `mixing`, the softmax over a batch as well.
std::vector<std::byte> pictures(bool mixing) {
  Graph graph;
  graph.any_batch = true;
  const auto x = graph.add_input("x", DataType::kFloat32, make_shape({1, 8, 8, 16}));
  graph.tensor(x).batch_axis = 0;
  const auto strength = graph.add_input("strength", DataType::kFloat32, make_shape({1}));
  format::BinaryT multiply;
  multiply.function = format::BinaryFunction::Mul;
  const auto strong = graph.add_node("strong", make_options(multiply), {x, strength});
  const auto noise =
      graph.add_node("noise", make_options(format::RandomNormalT{}), {}, make_shape({1, 8, 8, 16}));
  graph.tensor(noise).batch_axis = 0;
  const auto noisy = graph.add_node("noisy", make_options(format::BinaryT{}), {strong, noise});
  format::ResizeT enlarge;
  enlarge.height = enlarge.width = 64;
  const auto large = graph.add_node("large", make_options(enlarge), {noisy});
  std::vector<float> weights(256);
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i] = static_cast<float>(static_cast<int>(i % 11) - 5) / 20;
  const auto w = graph.add_floats("w", make_shape({16, 1, 1, 16}), weights);
  const auto picture = graph.add_node("picture", make_options(format::Conv2DT{}), {large, w});
  format::UnaryT bend;
  bend.function = format::UnaryFunction::Tanh;
  graph.nodes.back().activation = bend;
  const auto flat =
      graph.add_node("flat", make_options(format::ReshapeT{}), {picture}, make_shape({1, 65536}));
  format::ReduceT over;
  over.axes = {1};
  const auto mean = graph.add_node("mean", make_options(over), {flat});
  graph.outputs = {{"picture", flat, {}}, {"mean", mean, {}}, {"latent", x, {}}};
  if (mixing) {
    format::SoftmaxT softmax;
    softmax.axis = 0;
    graph.outputs.push_back({"share", graph.add_node("s", make_options(softmax), {mean}), {}});
  }
  return emit(graph, {});
}

}  // namespace

TEST_CASE("a batch in parts gives what the whole batch gives, run after run") {
  const AlignedMemory files[] = {align_bytes(pictures(false)), align_bytes(pictures(true))};
  const auto parted = Model::open(files[0].span());
  const auto whole = Model::open(files[1].span());
  REQUIRE_MESSAGE(parted.ok(), std::string(parted.status().message()));
  REQUIRE_MESSAGE(whole.ok(), std::string(whole.status().message()));
  for (const Backend backend : {Backend::kPortable, Backend::kXnnpack}) {
    CAPTURE(name_of(backend));
    // Parts that divide the batch, that do not, and one of one sample more than fits.
    for (const int batch : {8, 7, 5, 9}) {
      CAPTURE(batch);
      const Options options{.batch = batch, .backend = backend, .noise_seed = 11};
      RunningSession a(*parted, options), b(*whole, options);
      CHECK(a.session.samples_at_once() < batch);
      CHECK(a.session.samples_at_once() <= kSamplesThatFit);
      CHECK(b.session.samples_at_once() == batch);
      CHECK(a.arena.span().size() < b.arena.span().size());
      for (const std::uint64_t seed : {1, 2}) {
        fill_inputs(a.session, *parted, seed);
        fill_inputs(b.session, *whole, seed);
        for (int round = 0; round < 2; ++round) {
          REQUIRE(a.session.run().ok());
          REQUIRE(b.session.run().ok());
          for (int output = 0; output < 3; ++output) {
            CAPTURE(output);
            REQUIRE(a.session.output(output).shape == b.session.output(output).shape);
            const double difference = largest_difference(a.session.output(output).values(),
                                                         b.session.output(output).values());
            // The last output is the input as it came.
            CHECK(difference <= (backend == Backend::kPortable || output == 2 ? 0 : 1e-6));
          }
        }
      }
    }
  }
}

TEST_CASE("a file that lies of its samples gives other numbers, within its arena") {
  const std::vector<std::byte> sound = pictures(true);
  const std::unique_ptr<format::ModelT> changed(format::GetModel(sound.data())->UnPack());
  for (const std::uint64_t widest : {std::uint64_t{1}, std::uint64_t{1} << 20, UINT64_MAX}) {
    changed->widest_sample = widest;
    flatbuffers::FlatBufferBuilder builder;
    format::FinishModelBuffer(builder, format::Model::Pack(builder, changed.get()));
    const AlignedMemory file =
        align_bytes(std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize())));
    const auto model = Model::open(file.span());
    REQUIRE_MESSAGE(model.ok(), std::string(model.status().message()));
    for (const Backend backend : {Backend::kPortable, Backend::kXnnpack}) {
      RunningSession running(*model, {.batch = 7, .backend = backend});
      fill_inputs(running.session, *model, 3);
      CHECK(running.session.run().ok());
    }
  }
}

TEST_CASE("what fits runs at once") {
  const AlignedMemory file = align_bytes(pictures(false));
  const auto model = Model::open(file.span());
  REQUIRE(model.ok());
  for (const int batch : {1, 2, kSamplesThatFit}) {
    const RunningSession running(*model, {.batch = batch});
    CHECK(running.session.samples_at_once() == batch);
  }
}

TEST_CASE("an observer is told of every part, and the report counts the whole batch") {
  const AlignedMemory file = align_bytes(pictures(false));
  const auto model = Model::open(file.span());
  REQUIRE(model.ok());
  int told = 0;
  Options options{.batch = 2 * kSamplesThatFit};
  options.observer = [](void* context, const OperatorEvent& event) {
    if (event.finished) ++*static_cast<int*>(context);
  };
  options.observer_context = &told;
  RunningSession running(*model, options);
  REQUIRE(running.session.run().ok());
  CHECK(told == 2 * model->operator_count());
  for (int index = 0; index < model->operator_count(); ++index)
    if (const OperatorReport report = running.session.operator_report(index);
        report.kind == "Conv2D")
      CHECK(report.multiply_adds == 2.0 * kSamplesThatFit * 64 * 64 * 16 * 16);
}

}  // namespace figment::testing
