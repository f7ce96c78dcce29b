// How words of the command line become values. Each throws VerbError with ExitCode::kUsage.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "figment/figment.h"

namespace figment::host {

// "xnnpack" or "portable".
Backend parse_backend(const std::string& word);

// "1x3x64x64" (each extent positive); `what` names the option in the error.
std::vector<std::int64_t> parse_shape(const std::string& word, const std::string& what);

// "-1..1": two different numbers.
std::pair<float, float> parse_range(const std::string& word, const std::string& what);

// "z=Z.npy", or a file alone.
struct NamedFile {
  int port = -1;  // index among the names
  std::string path;
};

// Pairs words such as `z=Z.npy` with `names`; words without a name take the ports that are left, in
// order. `what` is "input" or "output", for errors (ExitCode::kBadArgument), which list the names.
std::vector<NamedFile> match_ports(const std::vector<std::string>& words,
                                   const std::vector<std::string>& names, const std::string& what);

// True when `path` ends in `ending` (".png"), in small or capital letters.
bool has_ending(const std::string& path, const std::string& ending);

}  // namespace figment::host
