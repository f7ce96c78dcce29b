// Writes the bytes of an .fgm file as C source, for programs that have no files.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace figment::converter {

// What the source says besides the bytes.
struct CArray {
  std::string symbol;           // the array's name
  std::string_view model_name;  // for the comment at the top
  std::size_t arena_bytes = 0;  // of the portable backend at batch 1
};

// C11 and C++11 alike: the array, aligned to 64 as Model::open wants it, and two macros after its
// name, SYMBOL_BYTES and SYMBOL_ARENA_BYTES.
std::string emit_c_array(std::span<const std::byte> file, const CArray& array);

// The array's name where the user gives none: the model's, in small letters, and what kind of thing
// it is, so that no name is a word of the language. "digits VAE" -> "digits_vae_fgm".
std::string symbol_of(std::string_view model_name);

// Whether `symbol` can be a name in C and C++.
bool is_symbol(std::string_view symbol);

}  // namespace figment::converter
