// Times a model against XNNPACK's own operators as they come, in one program and in turn:
//
//   plain_xnnpack_bench MODEL.fgm [ROUNDS]
//
// The model must be a chain of Dense, ConvTranspose2D, Unary and Reshape, as DCGAN's generator and
// a VAE's decoder are. Prints the least and the median time of both, their ratio, and how far their
// outputs differ.
#include <xnnpack.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "figment/figment.h"
#include "figment/format/model_generated.h"
#include "runtime/model_view.h"

namespace {

using namespace figment;
using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const std::string& sentence) {
  std::fprintf(stderr, "plain_xnnpack_bench: %s\n", sentence.c_str());
  std::exit(1);
}

void require(xnn_status status) {
  if (status != xnn_status_success)
    fail("XNNPACK refused an operator (status " + std::to_string(status) + ")");
}

struct AlignedBytes {
  explicit AlignedBytes(std::size_t size)
      : bytes(static_cast<std::byte*>(std::aligned_alloc(64, (size + 63) / 64 * 64)), std::free),
        count(size) {}
  std::unique_ptr<std::byte, decltype(&std::free)> bytes;
  std::size_t count;
  std::span<std::byte> span() const { return {bytes.get(), count}; }
};

AlignedBytes read_file(const char* path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) fail(std::string("cannot read ") + path);
  AlignedBytes bytes(static_cast<std::size_t>(file.tellg()));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(bytes.bytes.get()), static_cast<std::streamsize>(bytes.count));
  return bytes;
}

// The same chain on XNNPACK's operators, one each, with its clamps fused where it can.
class PlainChain {
 public:
  explicit PlainChain(const format::Model& root) {
    width_ =
        static_cast<std::size_t>(tensor_view(root, root.inputs()->Get(0)->tensor(), 1).elements());
    buffers_.emplace_back(width_ + 16);
    for (const format::Operator* node : *root.operators()) add(root, *node);
  }
  ~PlainChain() {
    for (xnn_operator_t step : steps_) xnn_delete_operator(step);
  }
  PlainChain(const PlainChain&) = delete;
  PlainChain& operator=(const PlainChain&) = delete;

  float* input() { return buffers_.front().data(); }
  const std::vector<float>& output() const { return buffers_.back(); }
  void run() {
    for (xnn_operator_t step : steps_) require(xnn_run_operator(step, nullptr));
  }

 private:
  float* next_buffer(std::size_t floats) {
    buffers_.emplace_back(floats + 16);
    return buffers_.back().data();
  }

  void add(const format::Model& root, const format::Operator& node) {
    Tensor inputs[kMaxInputs];
    Tensor output;
    view_operands(root, node, 1, inputs, &output);
    const float* x = buffers_.back().data();
    const auto floats = static_cast<std::size_t>(output.elements());
    const bool relu = node.activation() != nullptr &&
                      node.activation()->function() == format::UnaryFunction::Relu;
    const float low = relu ? 0 : -std::numeric_limits<float>::infinity();
    const float high = std::numeric_limits<float>::infinity();
    const float* bias =
        node.inputs()->size() > 2 && inputs[2].present() ? inputs[2].floats() : nullptr;
    xnn_operator_t step = nullptr;
    if (const auto* options = node.options_as_ConvTranspose2D()) {
      const Shape& weights = inputs[1].shape;
      if (options->groups() != 1) fail("grouped transposed convolutions are not compared here");
      const auto extent = [](std::int32_t value) { return static_cast<std::uint32_t>(value); };
      // From [kernel_height, kernel_width, outputs, inputs] to [outputs, kernel_height,
      // kernel_width, inputs].
      const std::int64_t taps = std::int64_t{weights[1]} * weights[2];
      std::vector<float> turned(static_cast<std::size_t>(inputs[1].elements()));
      for (std::int64_t tap = 0; tap < taps; ++tap)
        for (std::int64_t channel = 0; channel < weights[3]; ++channel)
          std::memcpy(turned.data() + (channel * taps + tap) * weights[4],
                      inputs[1].floats() + (tap * weights[3] + channel) * weights[4],
                      static_cast<std::size_t>(weights[4]) * sizeof(float));
      require(xnn_create_deconvolution2d_nhwc_f32(
          extent(options->pad_top()), extent(options->pad_right()), extent(options->pad_bottom()),
          extent(options->pad_left()), extent(weights[1]), extent(weights[2]),
          extent(options->stride_height()), extent(options->stride_width()),
          extent(options->dilation_height()), extent(options->dilation_width()), 1,
          extent(weights[4]), extent(weights[3]), extent(weights[4]), extent(weights[3]),
          turned.data(), bias, low, high, 0, nullptr, nullptr, &step));
      const Shape& in = inputs[0].shape;
      require(xnn_reshape_deconvolution2d_nhwc_f32(
          step, 1, extent(in[1]), extent(in[2]), extent(options->output_padding_height()),
          extent(options->output_padding_width()), nullptr, nullptr, nullptr));
      require(xnn_setup_deconvolution2d_nhwc_f32(step, x, next_buffer(floats)));
    } else if (node.options_as_Dense() != nullptr) {
      const auto outputs = static_cast<std::size_t>(inputs[1].shape[0]);
      const auto depth = static_cast<std::size_t>(inputs[1].shape[1]);
      require(xnn_create_fully_connected_nc_f32(depth, outputs, depth, outputs, inputs[1].floats(),
                                                bias, low, high, 0, nullptr, nullptr, &step));
      require(xnn_reshape_fully_connected_nc_f32(step, floats / outputs, nullptr));
      require(xnn_setup_fully_connected_nc_f32(step, x, next_buffer(floats)));
    } else if (const auto* unary = node.options_as_Unary()) {
      add_unary(*unary, floats);
      return;
    } else if (node.options_as_Reshape() != nullptr) {
      return;
    } else {
      fail(std::string("this chain holds ") + format::EnumNameOperatorOptions(node.options_type()) +
           ", which is not compared here");
    }
    steps_.push_back(step);
    if (node.activation() != nullptr && !relu) add_unary(*node.activation(), floats);
  }

  void add_unary(const format::Unary& unary, std::size_t floats) {
    xnn_unary_params parameters{};
    xnn_unary_operator function = xnn_unary_invalid;
    switch (unary.function()) {
      case format::UnaryFunction::Relu:
        function = xnn_unary_clamp;
        parameters.clamp = {0, std::numeric_limits<float>::infinity()};
        break;
      case format::UnaryFunction::LeakyRelu:
        function = xnn_unary_leaky_relu;
        parameters.leaky_relu.negative_slope = unary.alpha();
        break;
      case format::UnaryFunction::Sigmoid:
        function = xnn_unary_sigmoid;
        break;
      case format::UnaryFunction::Tanh:
        function = xnn_unary_tanh;
        break;
      default:
        fail("this activation is not compared here");
    }
    xnn_operator_t step = nullptr;
    require(xnn_create_unary_elementwise_nc(function, xnn_datatype_fp32, xnn_datatype_fp32,
                                            &parameters, nullptr, nullptr, 0, &step));
    require(xnn_reshape_unary_elementwise_nc(step, 1, floats, floats, floats, nullptr));
    float* buffer = buffers_.back().data();
    require(xnn_setup_unary_elementwise_nc(step, buffer, buffer));
    steps_.push_back(step);
  }

  std::size_t width_ = 0;
  std::vector<std::vector<float>> buffers_;
  std::vector<xnn_operator_t> steps_;
};

struct Times {
  std::vector<double> milliseconds;
  double least() const { return *std::min_element(milliseconds.begin(), milliseconds.end()); }
  double median() const {
    std::vector<double> sorted = milliseconds;
    std::nth_element(sorted.begin(),
                     sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2), sorted.end());
    return sorted[sorted.size() / 2];
  }
};

// Times `work` in blocks: a few runs that bring its weights back into the cache, as a program that
// draws one sample after another finds them, then `count` that are timed, `repeats` at a time.
template <typename Work>
void time_block(Times& times, int count, int repeats, Work work) {
  for (int i = 0; i < 3 * repeats; ++i) work();
  for (int i = 0; i < count; ++i) {
    const auto start = Clock::now();
    for (int k = 0; k < repeats; ++k) work();
    times.milliseconds.push_back(
        std::chrono::duration<double, std::milli>(Clock::now() - start).count() / repeats);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) fail("usage: plain_xnnpack_bench MODEL.fgm [ROUNDS]");
  const int rounds = count > 2 ? std::atoi(arguments[2]) : 200;
  const AlignedBytes file = read_file(arguments[1]);
  const auto model = Model::open(file.span());
  if (!model.ok()) fail(std::string(model.status().message()));
  const Options options;
  const auto need = Session::arena_bytes(*model, options);
  if (!need.ok()) fail(std::string(need.status().message()));
  const AlignedBytes arena(*need);
  auto session = Session::create(*model, arena.span(), options);
  if (!session.ok()) fail(std::string(session.status().message()));
  PlainChain plain(model->root());
  fill_normal(session->input(0), 42);
  std::memcpy(plain.input(), session->input(0).data, session->input(0).values().size_bytes());

  Times ours;
  Times theirs;
  const auto run_ours = [&] {
    if (!session->run().ok()) fail("the session refused to run");
  };
  const auto run_plain = [&] { plain.run(); };
  // Short work is timed by many at once, so that the clock does not weigh in; the two take turns,
  // so that the machine's moods fall on both.
  Times probe;
  time_block(probe, 5, 1, run_ours);
  const int repeats = std::max(1, static_cast<int>(0.2 / probe.least()));
  constexpr int kBlock = 10;
  for (int done = 0; done < rounds; done += kBlock) {
    time_block(ours, kBlock, repeats, run_ours);
    time_block(theirs, kBlock, repeats, run_plain);
  }

  double difference = 0;
  const std::span<float> output = session->output(0).values();
  for (std::size_t i = 0; i < output.size(); ++i)
    difference = std::max(difference, std::abs(static_cast<double>(output[i]) - plain.output()[i]));
  std::printf("%-24s %12s %12s\n", "one thread, batch 1", "least ms", "median ms");
  std::printf("%-24s %12.5f %12.5f\n", "Figment", ours.least(), ours.median());
  std::printf("%-24s %12.5f %12.5f\n", "XNNPACK's own operators", theirs.least(), theirs.median());
  std::printf("ratio %.2f (least), %.2f (median); outputs differ by at most %.2g\n",
              theirs.least() / ours.least(), theirs.median() / ours.median(), difference);
  return difference < 1e-3 ? 0 : 1;
}
