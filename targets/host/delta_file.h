// A .delta file in memory: what training has changed in one model or two.
#pragma once

#include <string>

#include "figment/format/delta_generated.h"
#include "targets/host/model_file.h"

namespace figment::host {

// A verified delta and the file under it.
struct DeltaFile {
  // Throws VerbError: unreadable, damaged, or newer than this build; the sentence names the file.
  explicit DeltaFile(const std::string& path);

  std::string name;  // for messages
  MappedFile file;
  const format::Delta& delta;
};

}  // namespace figment::host
