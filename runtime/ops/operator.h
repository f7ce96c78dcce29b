// What an operator's room (runtime/ops/<operator>.cc) provides, and what it is called with.
//
// A room defines one constant, `const OperatorRoom k<Member>` in namespace figment::ops, named as
// the member of the schema's union OperatorOptions. CMake makes the table of rooms from that union.
#pragma once

#include "figment/figment.h"
#include "figment/format/model_generated.h"
#include "runtime/base/error.h"

namespace figment {

// One call of an operator. Operands are views; nothing here is owned.
struct Operation {
  const void* options = nullptr;  // the operator's table in the schema
  std::span<const Tensor> inputs;
  std::span<const Tensor> outputs;
  std::byte* scratch = nullptr;  // as many bytes as the room asked for, aligned to 64
  pthreadpool* threads = nullptr;
  std::uint64_t noise_seed = 0;
  std::uint64_t noise_first = 0;  // the number, in its stream, of the noise's first element

  template <typename Table>
  const Table& as() const {
    return *static_cast<const Table*>(options);
  }
  const Tensor& in(std::size_t index) const { return inputs[index]; }
  const Tensor& out(std::size_t index = 0) const { return outputs[index]; }
  // True when the optional operand `index` was given.
  bool has(std::size_t index) const { return index < inputs.size() && inputs[index].present(); }
};

inline constexpr int kMaxInputs = 64;
// Elements of a tensor at most: 32 bits count them, and where addresses have 32 bits their bytes
// must not pass for few.
inline constexpr std::int64_t kMaxElements = sizeof(void*) < 8 ? 1 << 26 : INT32_MAX;
inline constexpr int kMaxOutputs = 1;

namespace ops {

// How an operator's output may use its input's memory.
enum class Memory : std::uint8_t {
  kOwn,      // output must not overlap any input
  kInPlace,  // output may lie exactly on input 0 when both have the same number of bytes
  kAlias,    // output is input 0 under another shape: nothing is computed
};

// An operator, as the portable definition has it. `shape` checks everything a file could lie about,
// for the shapes at hand; once it has passed, `forward` cannot fail.
struct OperatorRoom {
  std::uint8_t min_inputs;
  std::uint8_t max_inputs;  // inputs from min_inputs on may be absent
  Memory memory;
  // Checks types, shapes and options, and writes the output's shape and type into `result`. On
  // entry `result` holds what the file declares (in the converter perhaps nothing: rank -1); rooms
  // whose output shape is a matter of declaration (Reshape, Tile, RandomNormal) check it and leave
  // it.
  Status (*shape)(const Operation& operation, Tensor& result);
  // Bytes of scratch that forward wants; null: none.
  std::size_t (*scratch_bytes)(const Operation& operation);
  // Computes the output. Null for Memory::kAlias.
  void (*forward)(const Operation& operation);
  // Multiply-adds in one forward; null where nobody counts them.
  double (*multiply_adds)(const Operation& operation);
};

}  // namespace ops

namespace xnnpack {
struct FastRoom;
}

namespace ops {

// A row of the table that CMake makes from the schema's union.
struct OperatorEntry {
  const char* kind;               // the member's name
  const OperatorRoom* room;       // null: left out of this build
  const xnnpack::FastRoom* fast;  // null: no faster version
};

// Indexed by format::OperatorOptions; [0] is NONE.
extern const OperatorEntry kOperators[];
extern const int kOperatorCount;

// Runs `room.shape` after checking the number of operands. The one border check of operators: used
// by Model::open, Session::create and the converter.
Status check_operation(const OperatorEntry& entry, const Operation& operation, Tensor& result);

}  // namespace ops
}  // namespace figment
