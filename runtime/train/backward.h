// What an operator's backward room (runtime/train/backward/<operator>.cc) provides, and what it is
// called with.
//
// A room defines one constant, `const BackwardRoom k<Member>` in namespace figment::train, named as
// the member of the schema's union OperatorOptions. CMake makes the table from that union and the
// files that are there; an operator without a file has no backward and is frozen, by name.
#pragma once

#include "runtime/ops/operator.h"
#include "runtime/train/product.h"

namespace figment::train {

// Some of an operator's inputs: bit k is input k. Only the first 64 have bits (kMaxInputs).
using Inputs = std::uint64_t;
inline constexpr Inputs kNoInputs = 0;
constexpr Inputs input_bit(std::size_t index) { return Inputs{1} << index; }

// Values of the forward pass that a backward reads. All others may be gone by then: their Tensors
// have shapes, but no data.
struct Reads {
  Inputs inputs = kNoInputs;
  bool output = false;
};

// One forward or backward call of an operator that learns, or through which gradients go.
struct Call {
  Operation operation;  // options, operands, scratch (what this direction asked for), threads
  std::byte* saved = nullptr;  // from the forward to the backward: saved_bytes, aligned to 64
  // Normalizations with stored statistics (BatchNormalization) take those of the batch instead, and
  // move the stored ones, which then lie in the arena, by `momentum` toward them.
  bool batch_statistics = false;
  float momentum = 0.1F;
  const Loops* loops = nullptr;  // for multiply()
  LowRank adapter;               // of input 1, where the room takes stored weights
  // Backward only: of the loss by the output, [the output's shape].
  const float* output_gradient = nullptr;
  // Backward only: where to write that by each input, [the input's shape], every element of it.
  // data null: nobody wants that one. Input 0's may be output_gradient itself where `in_place` says
  // so; else nothing overlaps.
  std::span<const Tensor> input_gradients;

  template <typename Table>
  const Table& as() const {
    return operation.as<Table>();
  }
  const Tensor& in(std::size_t index) const { return operation.in(index); }
  const Tensor& out() const { return operation.out(); }
  bool has(std::size_t index) const { return operation.has(index); }
  // Null: not wanted.
  float* gradient(std::size_t index) const {
    return index < input_gradients.size() ? input_gradients[index].floats() : nullptr;
  }
};

// An operator's backward. Every operand has passed the operator's `shape`; nothing here can fail.
// Sums run in one order, whatever the number of threads.
struct BackwardRoom {
  // Inputs by which there is a gradient: float32 operands that the output depends on smoothly
  // (almost everywhere).
  Inputs differentiable;
  // Whether input 1 may be float16, int8 or int4, and have an adapter; else a trainer makes float32
  // weights of them, for as long as the operator runs.
  bool takes_stored_weights = false;
  // Whether input 0's gradient may be written over the output's, when both have as many elements.
  bool in_place = false;
  // Which values backward() reads, weight_rows() included, when it shall write the gradients of the
  // inputs `wanted`.
  Reads (*reads)(const Call& call, Inputs wanted);
  // The forward of a pass that has a backward; null: that of the operator's room, which is used
  // too when an operand is not float32. Where there is one, forward_scratch_bytes is its scratch.
  void (*forward)(const Call& call) = nullptr;
  std::size_t (*forward_scratch_bytes)(const Call& call) = nullptr;
  // What forward() leaves in call.saved for backward(); null: nothing. A room that saves anything
  // has a forward().
  std::size_t (*saved_bytes)(const Call& call) = nullptr;
  // Scratch of backward() and of weight_rows(). Null: none.
  std::size_t (*scratch_bytes)(const Call& call) = nullptr;
  // Writes every gradient that is wanted.
  void (*backward)(const Call& call);
  // The gradient of input 1, weights [rows, ...], for rows `first` to before `first` + `count` into
  // `rows`: so that large weights can be updated part by part, with little memory. Null: it comes
  // from backward() at once. When a trainer uses this, backward() is told that nobody wants
  // input 1.
  void (*weight_rows)(const Call& call, std::int64_t first, std::int64_t count,
                      float* rows) = nullptr;
  // Why there is no gradient of this call's options, as a phrase; null, or where it returns null:
  // there is.
  const char* (*refuses)(const Call& call) = nullptr;
};

// Indexed by format::OperatorOptions; null: no backward, or left out of this build.
extern const BackwardRoom* const kBackwardRooms[];

}  // namespace figment::train
