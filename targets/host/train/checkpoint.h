// A training run on the disk: where it stands and all that it needs to go on, bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "figment/train.h"

namespace figment::host {

// What a run is, as lines of "name: value": models, data, and options that change its course. Two
// runs with the same text and the same number of steps have the same weights.
std::string describe_run(const TrainedModels& models, const TrainOptions& options,
                         const std::string& data);

// The file: "FGMCKPT1", the bytes of the description (8 bytes), steps done (8), bytes of the
// trainer's state (8), the description, the state, and the SHA-256 of everything before. Numbers
// have the lowest byte first.
class Checkpoint {
 public:
  // Throws VerbError (kInputOutput) when nothing can be written there. Removes what a killed run
  // left half written beside it.
  Checkpoint(std::string path, std::string description);

  // Puts the trainer where the file left it, and returns the number of steps done; nothing when
  // there is no file. Throws VerbError, and leaves the file, when it is damaged (kBadFile) or of
  // another run (kBadArgument).
  std::optional<std::int64_t> load(Trainer& trainer) const;

  // On the disk when it returns; the older one stays when it throws (kInputOutput).
  void save(std::int64_t steps, Trainer& trainer) const;

  const std::string& path() const { return path_; }

 private:
  std::string path_, description_;
};

}  // namespace figment::host
