// Damage to a file's bytes, the same for the same generator on every machine.
#pragma once

#include <cstddef>
#include <random>
#include <string>

namespace figment::fuzz {

// A number below `count`, which is at least 1.
std::size_t below(std::size_t count, std::mt19937_64& random);

// `bytes` cut off, noise behind their beginning, or a few changes to them: bits, bytes, numbers
// that often mean trouble, blocks taken out, put in twice or very often, or taken from `other`.
std::string mutate(const std::string& bytes, const std::string& other, std::mt19937_64& random);

}  // namespace figment::fuzz
