// Sound files that the damaged ones are made from.
#pragma once

#include <filesystem>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace figment::fuzz {

struct Seed {
  using Parts = std::vector<std::pair<std::string, std::string>>;  // name, bytes
  std::string name;
  std::string bytes;
  Parts beside;  // the files that it names (the weights of TensorFlow.js)
  // What can be damaged by itself: what a ZIP archive holds, unpacked; the header and the numbers
  // of safetensors.
  Parts parts;
  // Inputs and their shapes, where a golden case stands beside the file (traced modules of PyTorch
  // do not hold them).
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> inputs;
};

// The files named, and those in folders named (and the folders in them) that end in one of
// `endings`.
std::vector<Seed> read_seeds(const std::vector<std::filesystem::path>& paths,
                             const std::vector<std::string>& endings);

// Writes it into `folder` as it is, and returns the file's path.
std::filesystem::path write_whole(const Seed& seed, const std::filesystem::path& folder);
// Writes it damaged: the file, one beside it, or a part of it, around which lengths and checksums
// are made anew.
std::filesystem::path write_damaged(const Seed& seed, const Seed& other,
                                    const std::filesystem::path& folder, std::mt19937_64& random);

}  // namespace figment::fuzz
