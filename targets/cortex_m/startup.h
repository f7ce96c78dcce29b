// What the startup calls, and what it knows of the machine: how much of the stack was used, how
// long things take.
#pragma once

#include <cstddef>
#include <cstdint>

namespace figment::board {

// The program, in main.cc; returns what board::leave tells. (Not main(), which C++ keeps to
// itself.)
int run_program();

std::size_t stack_bytes();  // what the linker script gave
std::size_t stack_used();   // the most so far

// Cycles of the processor's clock since reset.
std::uint64_t cycles();

}  // namespace figment::board
