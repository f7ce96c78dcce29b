// Times a model against XNNPACK's own operators as they come, in one program and in turn:
//
//   plain_xnnpack_bench MODEL.fgm [--runs N] [--cpu avx2] [--json]
//
// The model must be a chain of Dense, ConvTranspose2D, Unary and Reshape, as DCGAN's generator and
// a VAE's decoder are. Prints the least and the median time of both, their ratio, and how far their
// outputs differ.
#include <xnnpack.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "figment/figment.h"
#include "figment/format/model_generated.h"
#include "runtime/model_view.h"
#include "targets/host/exit_code.h"
#include "targets/host/model_file.h"
#include "targets/host/processor.h"
#include "targets/host/session_memory.h"
#include "tests/bench/program.h"
#include "tests/bench/turns.h"

namespace {

using namespace figment;

[[noreturn]] void refuse(const std::string& sentence) { throw std::runtime_error(sentence); }

void require(xnn_status status) {
  if (status != xnn_status_success)
    refuse("XNNPACK refused an operator (status " + std::to_string(status) + ")");
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
      if (options->groups() != 1) refuse("grouped transposed convolutions are not compared here");
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
      refuse(std::string("this chain holds ") +
             format::EnumNameOperatorOptions(node.options_type()) + ", which is not compared here");
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
        refuse("this activation is not compared here");
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

struct Arguments {
  std::string model, processor;
  int runs = 200;
  bool json = false;
};

constexpr double kLargestDifference = 1e-3;

int compare(const Arguments& arguments) {
  host::cap_processor(arguments.processor);
  const host::ModelFile file(arguments.model);
  host::SessionMemory memory(file.model, {});
  PlainChain plain(file.model.root());
  fill_normal(memory.session.input(0), 42);
  const std::span<float> input = memory.session.input(0).values();
  std::memcpy(plain.input(), input.data(), input.size_bytes());

  std::vector<bench::Contender> both;
  both.emplace_back([&] { host::require(memory.session.run()); });
  both.emplace_back([&] { plain.run(); });
  bench::take_turns(both, arguments.runs, std::numeric_limits<double>::infinity());
  const host::Statistics ours = both[0].times();
  const host::Statistics theirs = both[1].times();

  double difference = 0;
  const std::span<float> output = memory.session.output(0).values();
  for (std::size_t i = 0; i < output.size(); ++i)
    difference = std::max(difference, std::abs(static_cast<double>(output[i]) - plain.output()[i]));
  if (arguments.json) {
    const auto times = [](const host::Statistics& of) {
      return nlohmann::ordered_json{{"min", of.min}, {"median", of.median}};
    };
    const nlohmann::ordered_json result{{"model", file.model.name()},
                                        {"cpu", host::loops_name()},
                                        {"figment_ms", times(ours)},
                                        {"xnnpack_ms", times(theirs)},
                                        {"largest_difference", difference}};
    std::printf("%s\n", result.dump(2).c_str());
  } else {
    std::printf("%-24s %12s %12s\n", "one thread, batch 1", "least ms", "median ms");
    std::printf("%-24s %12.5f %12.5f\n", "Figment", ours.min, ours.median);
    std::printf("%-24s %12.5f %12.5f\n", "XNNPACK's own operators", theirs.min, theirs.median);
    std::printf("ratio %.2f (least), %.2f (median); outputs differ by at most %.2g\n",
                theirs.min / ours.min, theirs.median / ours.median, difference);
  }
  if (difference >= kLargestDifference) refuse("the outputs do not agree");
  return 0;
}

}  // namespace

int main(int count, char** values) {
  Arguments arguments;
  CLI::App app{"Times a model against XNNPACK's own operators as they come", "plain_xnnpack_bench"};
  app.add_option("model", arguments.model, "The model, an .fgm file")->required();
  app.add_option("--runs", arguments.runs, "Measurements of each")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  host::add_processor_option(app, arguments.processor);
  app.add_flag("--json", arguments.json, "Print one JSON object");
  return bench::run_program(app, count, values, [&] { return compare(arguments); });
}
