// What the two halves of a pass (pass_forward.cc, pass_backward.cc) share with pass.cc.
#pragma once

#include <optional>

#include "runtime/train/parameters.h"
#include "runtime/train/pass.h"

namespace figment::train {

using format::OperatorOptions;

// One thing to run: an operator, or the activation that it carries.
struct Pass::Step {
  const format::Operator* node;
  const void* options;
  OperatorOptions kind;
  bool activation;
  std::int32_t operator_index;
  std::int32_t output;                // a node
  std::int32_t raw;                   // the node of the operator's output before its activation
  const BackwardRoom* backward_room;  // null: none

  std::size_t input_count() const {
    if (activation) return 1;
    return node->inputs() == nullptr ? 0 : node->inputs()->size();
  }
  // The node of input `index`; -1: absent.
  std::int32_t input(std::size_t index) const {
    return activation ? raw : node->inputs()->Get(static_cast<flatbuffers::uoffset_t>(index));
  }
  const ops::OperatorRoom& room() const { return *ops::kOperators[static_cast<int>(kind)].room; }
};

// A tensor of the model, or what an operator gives before the activation that it carries: those
// come after the tensors, by operator.
struct Pass::Node {
  ValueId value = kNoValue;
  ValueId gradient = kNoValue;
  ValueId saved = kNoValue;  // by the step that gives it
  Parameter* parameter = nullptr;
  std::int32_t uses = 0;
  bool needs = false;     // a gradient: something that learns lies above
  bool is_alias = false;  // shares its value with another
  // With options.recompute: the value is made again for the backward, by this step.
  std::optional<Step> again;
};

template <typename Visit>
void Pass::each_step(const Visit& visit) const {
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(root().operators()->size()); ++i) {
    const Step step = step_of(i, false);
    visit(step);
    if (step.node->activation() != nullptr) visit(step_of(i, true));
  }
}

template <typename Visit>
void Pass::each_step_backward(const Visit& visit) const {
  for (auto i = static_cast<std::int32_t>(root().operators()->size()); i-- > 0;) {
    const Step step = step_of(i, false);
    if (step.node->activation() != nullptr) visit(step_of(i, true));
    visit(step);
  }
}

inline std::int32_t tensor_count(const format::Model& root) {
  return static_cast<std::int32_t>(root.tensors()->size());
}

inline bool is_narrow(DataType type) {
  return type == DataType::kFloat16 || type == DataType::kInt8 || type == DataType::kInt4;
}

}  // namespace figment::train
