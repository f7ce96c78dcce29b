// Times layers as training runs them: forward, the gradient of x and that of the weights, and
// prints GFLOP/s (the fast backend's loops, least times), and with several threads how much sooner
// all layers' gradients are there than with one:
//
//   backward_bench [--runs N] [--threads N] [--only TEXT] [--json]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "figment/format/model_generated.h"
#include "runtime/train/backward.h"
#include "runtime/train/threads.h"
#include "targets/host/process.h"
#include "targets/host/thread_pool.h"
#include "tests/bench/program.h"

namespace {

using namespace figment;
using Json = nlohmann::ordered_json;

// Pictures are square.
struct Layer {
  const char* name;
  bool transposed;
  int batch, size, inputs, outputs, kernel, stride, padding;
  int groups = 1;
};

constexpr Layer kLayers[] = {
    {"conv 3>64 k4s2 64x64", false, 64, 64, 3, 64, 4, 2, 1},
    {"conv 64>128 k4s2 32x32", false, 64, 32, 64, 128, 4, 2, 1},
    {"conv 128>256 k4s2 16x16", false, 64, 16, 128, 256, 4, 2, 1},
    {"conv 1>32 k4s2 28x28", false, 64, 28, 1, 32, 4, 2, 1},
    {"conv 32>64 k4s2 14x14", false, 64, 14, 32, 64, 4, 2, 1},
    {"conv 64>64 k3s1 32x32", false, 64, 32, 64, 64, 3, 1, 1},
    {"conv 64>3 k3s1 64x64", false, 64, 64, 64, 3, 3, 1, 1},
    {"conv 128>128 k1s1 16x16", false, 64, 16, 128, 128, 1, 1, 0},
    {"conv 64 depthwise k3s1 32x32", false, 64, 32, 64, 64, 3, 1, 1, 64},
    {"transposed 100>256 k4s1 1x1", true, 64, 1, 100, 256, 4, 1, 0},
    {"transposed 256>128 k4s2 4x4", true, 64, 4, 256, 128, 4, 2, 1},
    {"transposed 128>64 k4s2 8x8", true, 64, 8, 128, 64, 4, 2, 1},
    {"transposed 64>32 k4s2 16x16", true, 64, 16, 64, 32, 4, 2, 1},
    {"transposed 64>3 k4s2 32x32", true, 64, 32, 64, 3, 4, 2, 1},
    {"transposed 64>1 k4s2 14x14", true, 64, 14, 64, 1, 4, 2, 1},
};

struct Aligned {
  explicit Aligned(std::size_t bytes)
      : memory(static_cast<std::byte*>(
            ::operator new (std::max<std::size_t>(bytes, 1), std::align_val_t{64}))) {}
  ~Aligned() { ::operator delete (memory, std::align_val_t{64}); }
  Aligned(const Aligned&) = delete;
  Aligned& operator=(const Aligned&) = delete;
  std::byte* memory;
};

Shape shape_of(std::initializer_list<int> extents) {
  Shape shape;
  for (const int extent : extents) shape[shape.rank++] = extent;
  return shape;
}

// An operand with numbers in it.
struct Numbers {
  explicit Numbers(const Shape& shape) : values(static_cast<std::size_t>(shape.elements())) {
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(i * 7919 % 1001) / 1001.0F - 0.5F;
    tensor.shape = shape;
    tensor.data = values.data();
  }
  std::vector<float> values;
  Tensor tensor;
};

template <typename Options>
void set_window(const Layer& layer, Options& options) {
  options.stride_height = options.stride_width = layer.stride;
  options.pad_top = options.pad_bottom = options.pad_left = options.pad_right = layer.padding;
  options.groups = layer.groups;
}

flatbuffers::FlatBufferBuilder options_of(const Layer& layer) {
  flatbuffers::FlatBufferBuilder builder;
  if (layer.transposed) {
    format::ConvTranspose2DT options;
    set_window(layer, options);
    builder.Finish(format::ConvTranspose2D::Pack(builder, &options));
  } else {
    format::Conv2DT options;
    set_window(layer, options);
    builder.Finish(format::Conv2D::Pack(builder, &options));
  }
  return builder;
}

// The least of some runs, after one that warms up; with the threads awake, as in a step.
template <typename Function>
double least_ms(int runs, pthreadpool* threads, const Function& run) {
  double least = HUGE_VAL;
  train::with_threads(threads, [&] {
    for (int i = 0; i <= runs; ++i) {
      const double begun = host::now_ms();
      run();
      const double ms = host::now_ms() - begun;
      if (i > 0) least = std::min(least, ms);
    }
  });
  return least;
}

Json measure(const Layer& layer, int runs, pthreadpool* threads) {
  const auto kind =
      layer.transposed ? format::OperatorOptions::ConvTranspose2D : format::OperatorOptions::Conv2D;
  const train::BackwardRoom& room = *train::kBackwardRooms[static_cast<int>(kind)];
  const ops::OperatorRoom& definition = *ops::kOperators[static_cast<int>(kind)].room;
  const flatbuffers::FlatBufferBuilder builder = options_of(layer);

  Numbers x(shape_of({layer.batch, layer.size, layer.size, layer.inputs}));
  Numbers weights(
      layer.transposed
          ? shape_of({layer.groups, layer.kernel, layer.kernel, layer.outputs / layer.groups,
                      layer.inputs / layer.groups})
          : shape_of({layer.outputs, layer.kernel, layer.kernel, layer.inputs / layer.groups}));
  Numbers bias(shape_of({layer.outputs}));
  const std::vector<Tensor> inputs{x.tensor, weights.tensor, bias.tensor};
  train::Call call;
  call.operation.threads = threads;
  call.operation.options = flatbuffers::GetRoot<std::byte>(builder.GetBufferPointer());
  call.operation.inputs = inputs;
  Tensor result;
  if (const Status status = definition.shape(call.operation, result); !status.ok())
    throw std::runtime_error(std::string(status.message()));
  Numbers y(result.shape);
  call.operation.outputs = {&y.tensor, 1};
  call.loops = &train::loops_of(Backend::kXnnpack);
  const Aligned scratch(std::max(room.forward_scratch_bytes(call), room.scratch_bytes(call)));
  call.operation.scratch = scratch.memory;

  Numbers dy(result.shape);
  call.output_gradient = dy.values.data();
  Numbers dx(x.tensor.shape);
  Numbers dweights(weights.tensor.shape);
  const auto backward_ms = [&](Tensor wanted, std::size_t index) {
    std::vector<Tensor> gradients(3);
    gradients[index] = wanted;
    call.input_gradients = gradients;
    return least_ms(runs, threads, [&] { room.backward(call); });
  };
  const double gigaflops = 2e-9 * definition.multiply_adds(call.operation);
  const double forward = least_ms(runs, threads, [&] { room.forward(call); });
  const double by_x = backward_ms(dx.tensor, 0);
  const double by_weights = backward_ms(dweights.tensor, 1);
  return {{"layer", layer.name},       {"gigaflop", gigaflops},
          {"forward_ms", forward},     {"dx_ms", by_x},
          {"dweights_ms", by_weights}, {"transposed", layer.transposed},
          {"batch", layer.batch},      {"size", layer.size},
          {"inputs", layer.inputs},    {"outputs", layer.outputs},
          {"kernel", layer.kernel},    {"stride", layer.stride},
          {"padding", layer.padding},  {"groups", layer.groups}};
}

double gradients_ms(const Json& row) {
  return row["dx_ms"].get<double>() + row["dweights_ms"].get<double>();
}

int run(int runs, pthreadpool* threads, const std::string& only, bool json) {
  Json rows = Json::array();
  const auto count = train::thread_count(threads);
  if (!json)
    std::printf("%-30s %18s %18s %18s\n%-30s %18s %18s %18s\n",
                (std::to_string(count) + (count > 1 ? " threads" : " thread")).c_str(), "forward",
                "dx", "dweights", "least times", "ms   GFLOP/s", "ms   GFLOP/s", "ms   GFLOP/s");
  double alone = 0, shared = 0;
  for (const Layer& layer : kLayers) {
    if (std::string(layer.name).find(only) == std::string::npos) continue;
    Json row = measure(layer, runs, threads);
    if (threads != nullptr) {
      // Beside each other in time, so that both have the same machine.
      const double one = gradients_ms(measure(layer, runs, nullptr));
      row["gradients_one_thread_ms"] = one;
      alone += one;
      shared += gradients_ms(row);
    }
    rows.push_back(row);
    if (json) continue;
    std::printf("%-30s", layer.name);
    for (const char* part : {"forward_ms", "dx_ms", "dweights_ms"})
      std::printf(" %8.3f %9.1f", row[part].get<double>(),
                  row["gigaflop"].get<double>() / row[part].get<double>() * 1e3);
    if (threads != nullptr)
      std::printf("  gradients %.2fx sooner",
                  row["gradients_one_thread_ms"].get<double>() / gradients_ms(row));
    std::printf("\n");
    std::fflush(stdout);
  }
  if (json)
    std::printf("%s\n", rows.dump(2).c_str());
  else if (threads != nullptr)
    std::printf("all gradients: %.2f ms, with one thread %.2f: %.2fx sooner\n", shared, alone,
                alone / shared);
  return 0;
}

}  // namespace

int main(int count, char** values) {
  int runs = 20;
  int thread_count = 1;
  std::string only;
  bool json = false;
  CLI::App app{"Times layers as training runs them", "backward_bench"};
  app.add_option("--runs", runs, "Measurements of each, of which the least counts");
  app.add_option("--threads", thread_count, "Threads")->check(CLI::PositiveNumber);
  app.add_option("--only", only, "Only layers whose name has this in it");
  app.add_flag("--json", json, "Print one JSON list");
  return figment::bench::run_program(app, count, values, [&] {
    const host::ThreadPool pool = host::make_thread_pool(thread_count);
    return run(runs, pool.get(), only, json);
  });
}
