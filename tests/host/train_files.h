// The small models and their data in a folder, and command lines of `figment train` over them.
#pragma once

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/host/command_line.h"
#include "tests/host/data/files.h"
#include "tests/host/train_models.h"

namespace figment::testing {

// Pictures of 4 by 4 with a bright row or column, as IDX.
inline std::string stripes(std::uint32_t count) {
  std::string pixels;
  for (std::uint32_t i = 0; i < count; ++i)
    for (std::uint32_t pixel = 0; pixel < 16; ++pixel) {
      const std::uint32_t line = i % 2 == 0 ? pixel / 4 : pixel % 4;
      pixels += line == i / 2 % 4 ? '\xf0' : '\x08';
    }
  return idx_file(8, {count, 4, 4}, pixels);
}

// The models and data in a folder, and command lines over them.
struct WithFiles {
  WithFiles() {
    write_text(folder / "decoder.fgm", text_of(small_decoder()));
    write_text(folder / "encoder.fgm", text_of(small_encoder()));
    write_text(folder / "classifier.fgm", text_of(small_classifier()));
    write_text(folder / "text.fgm", text_of(small_text_model()));
    write_text(data, stripes(50));
  }

  // Of the VAE.
  std::string line(const std::string& options, const std::string& output = "out.delta") const {
    return "train " + (folder / "decoder.fgm") + " " + data + " --encoder " +
           (folder / "encoder.fgm") + " --loss bce --batch 8 --learning-rate 0.01 -o " +
           (folder / output) + " " + options;
  }
  CommandResult train(const std::string& options, const std::string& output = "out.delta") const {
    return run_figment(line(options, output));
  }
  // As train(), which must succeed; the JSON object that it prints.
  nlohmann::json train_well(const std::string& options,
                            const std::string& output = "out.delta") const {
    const CommandResult result = train(options + " --json", output);
    CAPTURE(result.error);
    REQUIRE(result.code == 0);
    return nlohmann::json::parse(result.output);
  }

  ScratchFolder folder;
  std::string data = folder / "stripes.idx";
};

// An error of the verb with this exit code, whose sentence holds `words`.
inline void check_error(const CommandResult& result, int code, const std::string& words) {
  CAPTURE(result.error);
  CHECK(result.code == code);
  CHECK(result.error.find("figment train: ") != std::string::npos);
  CHECK(result.error.find(words) != std::string::npos);
}

}  // namespace figment::testing
