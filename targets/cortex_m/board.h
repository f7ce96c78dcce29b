// What the programs here ask of a board: text out, words in, an end. semihosting.cc answers through
// a debugger or an emulator; a board of its own has another file with these three
// (FIGMENT_BOARD_SOURCE).
#pragma once

#include <span>
#include <string_view>

namespace figment::board {

void write(std::string_view text);

// The words that the program was started with, a blank between two, written into `room`; empty
// where nobody gives any.
std::string_view arguments(std::span<char> room);

// Ends the program; 0: all was well. On a board without anybody to tell: stops here.
[[noreturn]] void leave(int code);

}  // namespace figment::board
