// What a trainer is inside its arena.
#pragma once

#include "figment/train.h"
#include "runtime/model_view.h"
#include "runtime/train/parts.h"
#include "runtime/train/program.h"

namespace figment::train {

// How the weights that an operator uses come from what learns.
enum class Form : std::uint8_t {
  kPlain,      // they are it
  kStatistic,  // a stored statistic: no gradient, but its operator moves it
  kAdapter,    // the file's weights + left * right
  kSpectral,   // what learns / its largest singular value
};

// A constant of a model that learns.
struct Parameter {
  std::int32_t model = 0;
  Form form = Form::kPlain;
  bool decays = false;          // a matrix, not a vector
  bool keeps_gradient = false;  // until the end of the step; else it is used as it arises
  std::int32_t tensor = 0;
  std::int32_t uses = 0;  // by operators of the model
  std::int32_t rank = 0;  // kAdapter
  Tensor source;          // as the file has it
  // As a matrix, for kAdapter and kSpectral.
  std::int64_t rows = 0, columns = 0;
  // Numbers that learn: the tensor's elements, or left [rows, rank] and then right [rank, columns].
  std::int64_t count = 0;
  float* values = nullptr;
  float* moments[2] = {};
  float* average = nullptr;  // over the updates, where one is kept
  // kSpectral: the singular vectors u [rows], v [columns], and the value.
  float* left_vector = nullptr;
  float* right_vector = nullptr;
  float* singular_value = nullptr;
  // Where keeps_gradient: its place, and whether anything stands there yet (while the program is
  // written).
  float* gradient = nullptr;
  ValueId gradient_value = kNoValue;
  bool has_gradient = false;

  bool learns() const { return form != Form::kStatistic; }
  // The operator uses memory of its own, not `values`.
  bool is_formed() const { return adapts() || is_spectral(); }
  bool adapts() const { return kLearnsAdapters && form == Form::kAdapter; }
  bool is_spectral() const { return kLearnsGans && form == Form::kSpectral; }
  // Null while an arena only measures.
  float* right() const { return values == nullptr ? nullptr : values + rows * rank; }
  LowRank low_rank() const { return {values, right(), rank}; }
};

// The beginning of what Trainer::state() shows.
struct Counters {
  std::int64_t steps;    // so far
  std::int64_t updates;  // so far
};

}  // namespace figment::train

namespace figment {

struct Trainer::State {
  TrainOptions options;
  const format::Model* roots[2];  // [1] may be null
  const Model* models[2];
  const train::Loops* loops;
  std::span<train::Parameter> parameters;
  std::span<Blocking> blockings;
  std::span<train::Instruction> instructions;
  std::span<std::byte> persistent;
  train::Counters* counters;
  std::span<float> gradients;  // kept from step to step
  Tensor examples, targets, labels;
  TrainReport report;
  std::size_t activation_bytes;
};

namespace train {

// What an instruction knows of the step in which it runs.
struct Context {
  Trainer::State& state;
  bool evaluating = false;
  std::uint64_t noise_key = 0;
  float beta = 1;
  float learning_rates[2] = {};
  float gradient_scales[2] = {1, 1};
  // The instruction whose loss was no number.
  const Instruction* broken = nullptr;

  pthreadpool* threads() const { return state.options.threads; }
};

}  // namespace train
}  // namespace figment
