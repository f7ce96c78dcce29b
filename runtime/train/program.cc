// Instructions written, values placed.
#include "runtime/train/program.h"

#include <new>

namespace figment::train {

bool Program::begin(std::span<Instruction> instructions, const Bounds& bounds) {
  instructions_ = instructions;
  bounds_ = bounds;
  // The block will begin where the working tables stand now.
  block_ = arena_.top();
  values_ = arena_.allocate_array<plan::Interval>(static_cast<std::size_t>(bounds.values));
  places_ = arena_.allocate_array<Place>(static_cast<std::size_t>(bounds.places));
  return !arena_.overflowed();
}

ValueId Program::value(std::size_t bytes) {
  // The first instruction that names it says where it begins.
  values_[value_count_] = {Arena::round_up(bytes), INT32_MAX, -1, 0, 0, 0};
  return value_count_++;
}

Instruction& Program::emit(void (*run)(Context&, const Instruction&), Phase phase) {
  Instruction& instruction = *new (&instructions_[static_cast<std::size_t>(count_++)]) Instruction;
  instruction.run = run;
  instruction.phase = phase;
  instruction.only_in_turn = only_in_turn_;
  return instruction;
}

void Program::use(ValueId value) {
  if (value == kNoValue) return;
  plan::Interval& interval = values_[value];
  const std::int32_t now = count_ - 1;
  if (interval.first > now) interval.first = now;
  if (interval.last < now) interval.last = now;
}

void Program::show(void** pointer, ValueId value) {
  if (value != kNoValue) places_[place_count_++] = {pointer, value};
}

void Program::live_from_beginning(ValueId value) {
  values_[value].first = 0;
  if (values_[value].last < 0) values_[value].last = 0;
}

std::size_t Program::place() {
  const std::span<plan::Interval> values(values_, static_cast<std::size_t>(value_count_));
  for (plan::Interval& value : values)
    if (value.last < 0) value = {0, 0, 0, 0, 0, 0};  // named by nobody
  const std::size_t bytes = plan::place(values);
  if (!arena_.measuring())
    for (std::int32_t i = 0; i < place_count_; ++i)
      *places_[i].pointer = block_ + values_[places_[i].value].offset;
  arena_.release(places_);
  arena_.release(values_);
  arena_.reserve(bytes);
  return bytes;
}

}  // namespace figment::train
