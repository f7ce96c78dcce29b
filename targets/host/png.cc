// libpng's simplified interface, which needs no setjmp.
#include "targets/host/png.h"

#include <png.h>

#include "targets/host/exit_code.h"

namespace figment::host {
namespace {

// More than any model here could take, and a bound on what a few damaged bytes can ask for.
constexpr std::size_t kMostPixels = std::size_t{1} << 28;

}  // namespace

Picture read_png(std::span<const std::byte> bytes, const std::string& name) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  const auto refuse = [&](const std::string& why) {
    png_image_free(&image);
    return VerbError(ExitCode::kBadFile, name + " cannot be read as a PNG picture: " + why);
  };
  if (png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()) == 0)
    throw refuse(image.message);
  if (std::size_t{image.width} * image.height > kMostPixels) throw refuse("it is too large");
  const bool colour = (image.format & PNG_FORMAT_FLAG_COLOR) != 0;
  image.format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  Picture picture{
      static_cast<int>(image.width), static_cast<int>(image.height), colour ? 3 : 1, {}};
  picture.pixels.resize(PNG_IMAGE_SIZE(image));
  const png_color black{0, 0, 0};
  if (png_image_finish_read(&image, &black, picture.pixels.data(), 0, nullptr) == 0)
    throw refuse(image.message);
  return picture;
}

std::vector<std::byte> write_png(const Picture& picture) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  image.format = picture.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  std::vector<std::byte> bytes(PNG_IMAGE_PNG_SIZE_MAX(image));
  png_alloc_size_t size = bytes.size();
  if (png_image_write_to_memory(&image, bytes.data(), &size, 0, picture.pixels.data(), 0,
                                nullptr) == 0)
    throw VerbError(ExitCode::kInputOutput,
                    std::string("the picture cannot be written as PNG: ") + image.message);
  bytes.resize(size);
  return bytes;
}

}  // namespace figment::host
