// Parses shapes, ranges and names.
#include "targets/host/arguments.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "targets/host/exit_code.h"

namespace figment::host {
namespace {

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

bool parse_number(const std::string& word, float& value) {
  char* end = nullptr;
  value = std::strtof(word.c_str(), &end);
  return !word.empty() && *end == '\0' && std::isfinite(value);
}

}  // namespace

Backend parse_backend(const std::string& word) {
  if (word == "xnnpack") return Backend::kXnnpack;
  if (word == "portable") return Backend::kPortable;
  throw VerbError(ExitCode::kUsage, "--backend is '" + word + "' but must be xnnpack or portable");
}

std::vector<std::int64_t> parse_shape(const std::string& word, const std::string& what) {
  std::vector<std::int64_t> extents;
  const char* at = word.data();
  const char* const end = at + word.size();
  while (true) {
    std::int64_t extent = 0;
    const auto [next, error] = std::from_chars(at, end, extent);
    if (error != std::errc() || extent <= 0 || extent > INT32_MAX || extents.size() == kMaxRank)
      break;
    extents.push_back(extent);
    if (next == end) return extents;
    if (*next != 'x') break;
    at = next + 1;
  }
  throw VerbError(ExitCode::kUsage,
                  what + " has the shape '" + word + "' but it must be written as 1x3x64x64");
}

std::pair<float, float> parse_range(const std::string& word, const std::string& what) {
  const std::size_t dots = word.find("..");
  float low = 0, high = 0;
  if (dots != std::string::npos && parse_number(word.substr(0, dots), low) &&
      parse_number(word.substr(dots + 2), high) && low != high)
    return {low, high};
  throw VerbError(ExitCode::kUsage, what + " is '" + word + "' but must be written as -1..1");
}

std::vector<NamedFile> match_ports(const std::vector<std::string>& words,
                                   const std::vector<std::string>& names, const std::string& what) {
  std::vector<NamedFile> files;
  std::vector<bool> taken(names.size());
  for (const std::string& word : words) {
    NamedFile file{-1, word};
    // A name may hold '=' itself, so the names decide where it ends; the longest one wins.
    std::size_t length = 0;
    for (std::size_t index = 0; index < names.size(); ++index) {
      if (word.size() <= names[index].size() || names[index].size() < length) continue;
      if (!word.starts_with(names[index]) || word[names[index].size()] != '=') continue;
      length = names[index].size();
      file = {static_cast<int>(index), word.substr(length + 1)};
    }
    const std::size_t equals = word.find('=');
    if (file.port < 0 && equals != std::string::npos && !std::filesystem::exists(word))
      throw VerbError(
          ExitCode::kBadArgument,
          "the model has no " + what + " '" + word.substr(0, equals) + "'; it has: " + join(names));
    if (file.path.empty()) throw VerbError(ExitCode::kUsage, "'" + word + "' names no file");
    if (file.port >= 0 && taken[static_cast<std::size_t>(file.port)])
      throw VerbError(ExitCode::kUsage, what + " '" + names[static_cast<std::size_t>(file.port)] +
                                            "' is given twice");
    if (file.port >= 0) taken[static_cast<std::size_t>(file.port)] = true;
    files.push_back(file);
  }
  for (NamedFile& file : files) {
    if (file.port >= 0) continue;
    const auto free = std::find(taken.begin(), taken.end(), false);
    if (free == taken.end())
      throw VerbError(ExitCode::kBadArgument, "'" + file.path + "' is one " + what +
                                                  " too many; the model has: " + join(names));
    *free = true;
    file.port = static_cast<int>(free - taken.begin());
  }
  return files;
}

bool has_ending(const std::string& path, const std::string& ending) {
  if (path.size() < ending.size()) return false;
  return std::equal(
      ending.begin(), ending.end(), path.end() - static_cast<std::ptrdiff_t>(ending.size()),
      [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

}  // namespace figment::host
