// Damage to a protobuf message that leaves the lengths of what is around it right.
#pragma once

#include <random>
#include <string>

namespace figment::fuzz {

// `message` with one field, at any depth, taken out, put in twice, put in very often, or with
// another value.
std::string mutate_message(const std::string& message, std::mt19937_64& random);

}  // namespace figment::fuzz
