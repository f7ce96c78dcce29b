// A picture as letters: two rows of pixels a line, for letters are twice as high as wide.
#include "figment/figment.h"
#include "targets/cortex_m/board.h"
#include "targets/cortex_m/draw.h"

namespace figment::board {
namespace {

constexpr std::string_view kShades = " .:-=+*#%@";
constexpr int kMostColumns = 160;

// Dark to light as 0 to 255, the mean of the channels.
int light(const float* pixel, const ImageReading& reading) {
  float sum = 0;
  for (int channel = 0; channel < reading.channels; ++channel) sum += pixel[channel];
  const float mean = sum / static_cast<float>(reading.channels);
  const float level = (mean - reading.low) / (reading.high - reading.low) * 255.0F + 0.5F;
  if (!(level > 0.0F)) return 0;
  return level < 255.0F ? static_cast<int>(level) : 255;
}

}  // namespace

Status draw(const Model& model, Session& session, std::uint64_t seed, std::uint64_t number) {
  fill_latents(model, session, seed, number);
  session.set_noise_seed(seed + number);
  FIG_TRY(session.run());
  const ImageReading reading = model.image();
  const float* pixels = session.output(0).floats();
  const int columns = reading.width < kMostColumns ? reading.width : kMostColumns;
  const int stride = reading.width * reading.channels;
  char line[kMostColumns + 1];
  for (int row = 0; row + 1 < reading.height; row += 2) {
    for (int column = 0; column < columns; ++column) {
      const float* above = pixels + row * stride + column * reading.channels;
      const int both = light(above, reading) + light(above + stride, reading);
      line[column] = kShades[static_cast<std::size_t>(both) * (kShades.size() - 1) / 510];
    }
    line[columns] = '\n';
    write({line, static_cast<std::size_t>(columns) + 1});
  }
  return {};
}

}  // namespace figment::board
