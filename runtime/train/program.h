// A training step as a list of instructions, whose short-lived memory the planner shares out by
// life time.
//
// The list is written in the order in which it runs. Every instruction names the values it reads or
// writes; a value lives from the first instruction that names it to the last.
#pragma once

#include <type_traits>

#include "runtime/base/arena.h"
#include "runtime/plan/planner.h"
#include "runtime/train/backward.h"

namespace figment::train {

struct Context;    // what a running step knows (state.h)
struct Parameter;  // what learns (state.h)

// When an instruction runs.
enum class Phase : std::uint8_t {
  kLoss,    // on the way to a loss: in evaluate() too
  kLearn,   // gradients: in every step
  kUpdate,  // in the steps that move what learns
};

// One thing to do. Which of the last fields count is a matter of `run`.
struct Instruction {
  void (*run)(Context& context, const Instruction& instruction) = nullptr;
  Phase phase = Phase::kLoss;
  bool only_in_turn = false;  // kGan: in the steps in which the generator moves
  std::int32_t model = -1;    // whose operator it is, -1: none's
  std::int32_t operator_index = -1;
  const ops::OperatorRoom* room = nullptr;
  const BackwardRoom* backward_room = nullptr;
  Call call;
  Parameter* parameter = nullptr;
  float* a = nullptr;
  float* b = nullptr;
  float* c = nullptr;
  float* d = nullptr;
  float* e = nullptr;
  float* f = nullptr;
  std::int32_t* integers = nullptr;
  std::int64_t count = 0;
  std::int64_t width = 0;
  std::int32_t choice = 0;
};

using ValueId = std::int32_t;
inline constexpr ValueId kNoValue = -1;

// Writes the list. Tables are taken from the arena, whose overflow ends everything: callers go on
// writing, into nothing, until they ask.
class Program {
 public:
  struct Bounds {
    std::int32_t instructions = 0, values = 0, places = 0;
  };

  explicit Program(Arena& arena) : arena_(arena) {}

  // The list itself stays; the working tables go with place(). False when the arena is full.
  bool begin(std::span<Instruction> instructions, const Bounds& bounds);

  // Memory of `bytes` for as long as it is named.
  ValueId value(std::size_t bytes);
  ValueId floats(std::int64_t count) {
    return value(static_cast<std::size_t>(count) * sizeof(float));
  }

  Instruction& emit(void (*run)(Context&, const Instruction&), Phase phase);
  // Whether what is emitted from here on runs only in the generator's turn.
  void set_turn(bool only_in_turn) { only_in_turn_ = only_in_turn; }
  std::int32_t count() const { return count_; }

  // The last instruction uses `value`.
  void use(ValueId value);
  // The same, and `*pointer` shall show where it is: at once when the program is placed.
  template <typename T>
  void use(T*& pointer, ValueId value) {
    use(value);
    show(reinterpret_cast<void**>(const_cast<std::remove_const_t<T>**>(&pointer)), value);
  }
  void use(Tensor& tensor, ValueId value) { use(tensor.data, value); }
  // Only the second: for views that outlive the step.
  void show(void** pointer, ValueId value);
  // Makes `value` live from the step's beginning on: the caller fills it before.
  void live_from_beginning(ValueId value);

  // Plans the memory, fills in every place when the arena does not measure, and gives the working
  // tables back. Returns the bytes planned.
  std::size_t place();

 private:
  struct Place {
    void** pointer;
    ValueId value;
  };

  Arena& arena_;
  std::span<Instruction> instructions_;
  Bounds bounds_;
  std::int32_t count_ = 0;
  bool only_in_turn_ = false;
  std::byte* block_ = nullptr;
  plan::Interval* values_ = nullptr;
  std::int32_t value_count_ = 0;
  Place* places_ = nullptr;
  std::int32_t place_count_ = 0;
};

}  // namespace figment::train
