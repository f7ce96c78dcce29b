// Nothing from the heap from Session::create on, XNNPACK included: counted while sessions
// are created and run.
#include <doctest/doctest.h>

#include <cstdlib>
#include <new>

#include "converter/emit/flatbuffer.h"
#include "tests/limits/heap_watch.h"
#include "tests/support/loaded_model.h"
#include "tests/support/tuned_model.h"

namespace figment::testing {

TEST_CASE("the count sees malloc, free and operator new") {
  HeapWatch watch;
  void* volatile block = std::malloc(100);
  std::free(block);
  void* volatile object = ::operator new(16);
  ::operator delete(object);
  void* volatile aligned = std::aligned_alloc(64, 128);
  std::free(aligned);
  CHECK(watch.stop() >= 6);
}

namespace {

// Creates and runs sessions of `model` on both backends, watched.
void check_heap(const Model& model) {
  for (const Backend backend : {Backend::kPortable, Backend::kXnnpack}) {
    for (const std::int32_t batch : {1, 3}) {
      const Options options{.batch = batch, .backend = backend};
      const auto need = Session::arena_bytes(model, options);
      REQUIRE(need.ok());
      const AlignedMemory arena(*need);

      HeapWatch watch;
      auto session = Session::create(model, arena.span(), options);
      const long calls_to_create = watch.stop();
      REQUIRE(session.ok());

      HeapWatch watch_run;
      fill_inputs(*session, model, 1);
      const bool first = session->run().ok();
      const bool second = session->run().ok();
      const long calls_to_run = watch_run.stop();

      CAPTURE(name_of(backend));
      CHECK(calls_to_create == 0);
      CHECK(calls_to_run == 0);
      CHECK(first);
      CHECK(second);
    }
  }
}

}  // namespace

TEST_CASE("creating and running every shipped model takes nothing from the heap") {
  for (const auto& path : shipped_models()) {
    const AlignedMemory file = read_aligned(path);
    const auto model = Model::open(file.span());
    REQUIRE(model.ok());
    CAPTURE(path.string());
    check_heap(*model);
  }
}

TEST_CASE("so do models whose weights the file has packed") {
  for (const auto& path : shipped_models()) {
    const AlignedMemory file = read_aligned(path);
    const auto model = Model::open(file.span());
    REQUIRE(model.ok());
    CAPTURE(path.string());
    const AlignedMemory tuned_file = align_bytes(tune_model(*model));
    const auto tuned = Model::open(tuned_file.span());
    REQUIRE(tuned.ok());
    CHECK(tuned->tuning() == kTunedHere);
    check_heap(*tuned);
  }
}

TEST_CASE("drawing and spelling text takes nothing from the heap") {
  int drawn = 0;
  for (const auto& path : shipped_models()) {
    const AlignedMemory file = read_aligned(path);
    const auto model = Model::open(file.span());
    REQUIRE(model.ok());
    if (model->text().vocabulary == 0) continue;
    for (const Backend backend : {Backend::kPortable, Backend::kXnnpack}) {
      RunningSession running(*model, {.batch = 2, .backend = backend});
      fill_inputs(running.session, *model, 1);
      std::vector<std::int32_t> symbols(2 * static_cast<std::size_t>(model->text().length));
      char letters[256];

      HeapWatch watch;
      const bool wrote = draw_text(*model, running.session, {.seed = 1}, symbols).ok();
      const bool spelled = spell_text(*model, symbols, letters).ok();
      const long calls_to_draw = watch.stop();

      CAPTURE(path.string());
      CAPTURE(name_of(backend));
      CHECK(calls_to_draw == 0);
      CHECK(wrote);
      CHECK(spelled);
      ++drawn;
    }
  }
  CHECK(drawn >= 2);
}

// 300 rows of the query are more than one block, and the last is smaller.
TEST_CASE("so does attention, which no shipped model has") {
  converter::Graph graph;
  graph.any_batch = true;
  std::vector<converter::TensorId> operands;
  for (const char* name : {"query", "key", "value"}) {
    operands.push_back(
        graph.add_input(name, DataType::kFloat32, converter::make_shape({1, 300, 17})));
    graph.tensor(operands.back()).batch_axis = 0;
  }
  format::AttentionT options;
  options.scale = 0.25F;
  graph.outputs.push_back(
      {"y", graph.add_node("attention", converter::make_options(options), operands), {}});
  const AlignedMemory file = align_bytes(converter::emit(graph, {}));
  const auto model = Model::open(file.span());
  REQUIRE(model.ok());
  check_heap(*model);
}

}  // namespace figment::testing
