// Sentences about foreign files.
#pragma once

#include <string>

namespace figment::converter {

// A damaged file's names may hold anything: what is printed is one line, not too long.
inline std::string one_line(std::string sentence) {
  constexpr std::size_t kMost = 600;
  if (sentence.size() > kMost) sentence = sentence.substr(0, kMost) + " ...";
  for (char& letter : sentence)
    if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) letter = '?';
  return sentence;
}

}  // namespace figment::converter
