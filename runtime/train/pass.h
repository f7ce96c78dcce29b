// One walk through a model, forward and perhaps back, written into a program.
#pragma once

#include "runtime/train/state.h"

namespace figment::train {

// What one pass is for.
struct PassOptions {
  int model = 0;
  bool parameter_gradients = false;  // of what learns in the model
  bool input_gradient = false;       // of input 0
  // Leave out an elementwise function or a softmax at the end of output 0: the loss takes logits.
  bool drops_sigmoid = false;
  bool drops_softmax = false;
  bool iterates = false;  // spectral normalization takes its power iteration here
};

// Memory for the operands of instructions: lasting.
struct Views {
  std::span<Tensor> tensors;
  std::size_t used = 0;

  std::span<Tensor> take(std::size_t count) {
    const std::span<Tensor> taken = tensors.subspan(used, count);
    used += count;
    return taken;
  }
};

// What a pass of a model takes at most.
struct PassSize {
  std::int32_t instructions = 0, values = 0, places = 0;
  std::size_t views = 0;

  PassSize& operator+=(const PassSize& other);
};
PassSize pass_size(const Trainer::State& state, const PassOptions& options);

class Pass {
 public:
  // `nodes`: a working table of node_count(root) entries, which lives as long as the pass does.
  struct Node;
  static std::size_t node_count(const format::Model& root);
  static std::size_t node_bytes();
  static Node* node_at(Node* nodes, std::size_t index);
  Pass(Trainer::State& state, Program& program, Views& views, const PassOptions& options,
       Node* nodes);

  // Emits the forward. `inputs`: the model's, in order.
  void forward(std::span<const ValueId> inputs);
  // An output of the forward, as it is or as logits.
  ValueId output(int index) const;
  Shape output_shape(int index) const;

  // Whether a gradient of output `index` leads to anything.
  bool wants_gradient(int index) const;
  // Emits the backward from the gradients by the outputs (kNoValue: none). Parameters that do not
  // keep their gradients are updated on the way.
  void backward(std::span<const ValueId> output_gradients);
  // After the backward, where input_gradient.
  ValueId input_gradient() const;

 private:
  struct Step;
  struct Gradient;

  const format::Model& root() const { return *state_.roots[options_.model]; }
  Step step_of(std::int32_t index, bool activation) const;
  template <typename Visit>
  void each_step(const Visit& visit) const;
  template <typename Visit>
  void each_step_backward(const Visit& visit) const;
  void count_uses();
  void mark_needs();
  void find_dropped();
  bool wants(const Step& step, std::size_t index) const;
  Inputs wanted(const Step& step) const;
  bool is_stored(const Step& step, std::size_t index) const;
  bool is_cheap(const Step& step, const Call& call) const;
  ValueId make_again(const Step& step);
  bool may_reuse(const Step& step, const Call& call) const;
  std::span<Tensor> operands(const Step& step, Inputs reads, bool forward, Tensor& output);
  void fill_call(const Step& step, std::span<Tensor> inputs, Tensor* output, Call& call) const;
  ValueId form(Parameter& parameter, Phase phase);
  ValueId widen(const Tensor& constant, Phase phase);
  void forward_step(const Step& step);
  void backward_step(const Step& step);
  template <typename T>
  void use_kept(Parameter& parameter, T*& pointer);
  void finish_adapter(Parameter& parameter, Instruction& instruction);
  bool is_first(const Parameter& parameter) const;
  void use_weights_gradient(Parameter& parameter, ValueId gradient);
  Gradient place_gradient(const Step& step, std::size_t index, ValueId output_gradient,
                          Tensor& view);
  void scratch(Instruction& instruction, std::size_t bytes);

  Trainer::State& state_;
  Program& program_;
  Views& views_;
  PassOptions options_;
  Node* nodes_;
  std::int32_t dropped_ = -1;  // a node: an output of the model is its input instead
};

// The last word on parameters of `model` that keep their gradients: clips them and moves what
// learns. After all passes of the model.
void emit_updates(Trainer::State& state, Program& program, int model);

// At the end of a step: the averages of what `model` learns move.
void emit_average(Program& program);

// Weights whose gradient is larger than so many numbers are updated in parts of so many.
inline constexpr std::int64_t kGradientPart = 16384;

}  // namespace figment::train
