// figment demo: what a new user runs first. Draws digits from the two models that the repository
// ships.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "targets/host/draw.h"
#include "targets/host/grid.h"
#include "targets/host/model_file.h"
#include "targets/host/output_file.h"
#include "targets/host/png.h"
#include "targets/host/verb.h"

namespace figment::host {
namespace {

struct DemoModel {
  const char* path;
  const char* picture;
  const char* what;
};

constexpr DemoModel kModels[] = {
    {"models/digits_vae/decoder.fgm", "digits_vae.png", "the decoder of a VAE"},
    {"models/digits_gan/generator.fgm", "digits_gan.png", "the generator of a GAN"},
};

// The repository: named by the launcher, or above the folder where this program was built.
std::filesystem::path find_home() {
  if (const char* home = std::getenv("FIGMENT_HOME"); home != nullptr && *home != '\0') return home;
  std::error_code error;
  std::filesystem::path folder =
      std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (; !error && folder.has_relative_path(); folder = folder.parent_path())
    if (std::filesystem::exists(folder / kModels[0].path)) return folder;
  throw VerbError(ExitCode::kInputOutput,
                  "the shipped models are not here; set FIGMENT_HOME to the repository's folder, "
                  "or run ./figment demo");
}

// The first pictures side by side, two rows of pixels a line, as light and dark letters.
void print_letters(const std::vector<Picture>& pictures) {
  constexpr std::string_view kShades = " .:-=+*#%@";
  constexpr int kMost = 4;
  const int count = std::min(kMost, static_cast<int>(pictures.size()));
  const Picture& first = pictures.front();
  for (int row = 0; row + 1 < first.height; row += 2) {
    std::string line = "  ";
    for (int index = 0; index < count; ++index) {
      const Picture grey = with_channels(pictures[static_cast<std::size_t>(index)], 1);
      const auto at = [&](int y, int x) {
        return grey.pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(grey.width) +
                           static_cast<std::size_t>(x)];
      };
      for (int column = 0; column < grey.width; ++column) {
        const int light = at(row, column) + at(row + 1, column);
        line += kShades[static_cast<std::size_t>(light) * (kShades.size() - 1) / 510];
      }
      line += ' ';
    }
    std::printf("%s\n", line.substr(0, line.find_last_not_of(' ') + 1).c_str());
  }
}

ExitCode demo(const std::string& folder) {
  std::error_code unable;  // then the pictures cannot be written, which says why
  std::filesystem::create_directories(folder, unable);
  const std::filesystem::path home = find_home();
  constexpr int kCount = 64, kScale = 2;
  for (const DemoModel& shown : kModels) {
    const ModelFile file((home / shown.path).string());
    const std::string path =
        folder == "." ? shown.picture : (std::filesystem::path(folder) / shown.picture).string();
    OutputFile output(path);
    DrawRequest request;
    request.count = kCount;
    const Drawing drawing = draw(file.model, request);
    output.commit(write_png(make_grid(drawing.pictures, kScale)));
    std::printf(
        "%s: %d digits from %s\n  %.2f ms of computing (%.3f ms each), %.1f KB of file, %.1f KB of "
        "arena for "
        "16 at once\n",
        path.c_str(), kCount, shown.what, drawing.run_ms, drawing.run_ms / kCount,
        static_cast<double>(file.file.bytes().size()) / 1000,
        static_cast<double>(drawing.arena_bytes) / 1000);
    if (::isatty(STDOUT_FILENO) == 1) print_letters(drawing.pictures);
  }
  std::printf("Again, with other digits: figment sample %s --seed 7 -o more.png\n",
              kModels[1].path);
  return ExitCode::kSuccess;
}

std::function<ExitCode()> declare(CLI::App& app) {
  auto folder = std::make_shared<std::string>(".");
  app.add_option("-o,--output", *folder, "The folder for the two pictures")->capture_default_str();
  return [folder] { return demo(*folder); };
}

}  // namespace

const Verb kDemo{"demo", "draw a grid of digits from each model that is shipped",
                 "figment demo -o /tmp", declare};

}  // namespace figment::host
