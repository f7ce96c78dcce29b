// Looks at every picture's header first, so that one that does not fit is known before the work.
#include "targets/host/data/png_folder.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "runtime/format/sha256.h"
#include "targets/host/arguments.h"
#include "targets/host/exit_code.h"
#include "targets/host/input_file.h"
#include "targets/host/png.h"
#include "targets/host/ports.h"

namespace figment::host {
namespace {

struct Format {
  std::uint32_t width = 0, height = 0, channels = 0;
  bool operator==(const Format&) const = default;
};

std::string describe(const Format& format) {
  return std::to_string(format.width) + " pixels wide, " + std::to_string(format.height) +
         " high and " + (format.channels == 1 ? "grey" : "in colour");
}

// From the signature and the header chunk, which comes first.
Format read_format(const std::string& path) {
  std::array<unsigned char, 26> bytes{};
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr)
    throw VerbError(ExitCode::kInputOutput, "cannot read " + path + ": " + std::strerror(errno));
  const std::size_t count = std::fread(bytes.data(), 1, bytes.size(), file);
  std::fclose(file);
  constexpr std::array<unsigned char, 8> kSignature{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  if (count < bytes.size() || !std::equal(kSignature.begin(), kSignature.end(), bytes.begin()))
    throw VerbError(ExitCode::kBadFile, path + " is no PNG picture, or is cut short");
  const auto number = [&](std::size_t at) {
    return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
           std::uint32_t{bytes[at + 2]} << 8 | std::uint32_t{bytes[at + 3]};
  };
  constexpr std::size_t kColourType = 25;
  constexpr unsigned kColour = 2;  // the bit of it, set in a palette too
  return {number(16), number(20), (bytes[kColourType] & kColour) != 0 ? 3U : 1U};
}

// The pictures that the form takes. A flat one whose size nobody tells is what the picture says,
// when the numbers are as many.
Format wanted_format(const ExampleForm& form, const Format& found) {
  const Shape& shape = form.port.shape;
  const auto positive = [](int extent) { return static_cast<std::uint32_t>(extent); };
  if (form.port.type != DataType::kFloat32)
    throw VerbError(ExitCode::kBadArgument, form.what + " takes no pictures but whole numbers");
  if (shape.rank == 4 && (shape[3] == 1 || shape[3] == 3))
    return {positive(shape[2]), positive(shape[1]), positive(shape[3])};
  const std::int64_t elements = shape.elements();
  if (form.height > 0 && std::int64_t{form.height} * form.width * form.channels == elements)
    return {positive(form.width), positive(form.height), positive(form.channels)};
  const std::int64_t pixels = std::int64_t{found.width} * found.height;
  if (pixels == elements) return {found.width, found.height, 1};
  if (pixels * 3 == elements) return {found.width, found.height, 3};
  throw VerbError(ExitCode::kBadArgument, form.what + " takes " + std::to_string(elements) +
                                              " numbers of shape " + describe_shape(shape) +
                                              ", but the pictures are " + describe(found));
}

class PngFolder : public DataSet {
 public:
  PngFolder(const std::string& path, const ExampleForm& form)
      : folder_(path), form_(form), names_(list(path)) {
    const Format first = read_format(path_of(names_.front()));
    const Format wanted = wanted_format(form, first);
    for (const std::string& name : names_) {
      const Format found = read_format(path_of(name));
      if (found == wanted) continue;
      if (!(found == first))
        throw VerbError(ExitCode::kBadArgument, path_of(name) + " is " + describe(found) +
                                                    ", but " + names_.front() + " beside it is " +
                                                    describe(first) +
                                                    "; all pictures must be of one size and kind");
      throw VerbError(ExitCode::kBadArgument, path_of(name) + " is " + describe(found) + ", but " +
                                                  form.what + " takes pictures that are " +
                                                  describe(wanted));
    }
    wanted_ = wanted;
  }

  std::int64_t count() const override { return static_cast<std::int64_t>(names_.size()); }

  void read(std::int64_t index, const Tensor& to) const override {
    const std::string path = path_of(names_[static_cast<std::size_t>(index)]);
    const Picture picture = read_png(read_file(path), path);
    // It may have been written anew since.
    if (Format{static_cast<std::uint32_t>(picture.width),
               static_cast<std::uint32_t>(picture.height),
               static_cast<std::uint32_t>(picture.channels)} != wanted_)
      throw VerbError(ExitCode::kBadArgument, path + " is not as it was when the training began");
    store_picture(picture, form_.low, form_.high, form_.port, to, path);
  }

  std::string identity() const override {
    format::Sha256 hash;
    for (const std::string& name : names_)
      hash.update(std::as_bytes(std::span(name.c_str(), name.size() + 1)));
    const format::Digest digest = hash.finish();
    std::string text = std::to_string(names_.size()) + " pictures of names ";
    for (std::size_t i = 0; i < 8; ++i) {
      char digits[3];
      std::snprintf(digits, sizeof digits, "%02x", digest[i]);
      text += digits;
    }
    return text;
  }

 private:
  static std::vector<std::string> list(const std::string& path) {
    std::vector<std::string> names;
    std::error_code error;
    std::filesystem::directory_iterator entry(path, error);
    if (error)
      throw VerbError(ExitCode::kInputOutput, "cannot read " + path + ": " + error.message());
    for (const auto& file : entry) {
      std::string name = file.path().filename().string();
      if (!name.starts_with('.') && has_ending(name, ".png")) names.push_back(std::move(name));
    }
    if (names.empty())
      throw VerbError(ExitCode::kBadArgument, "the folder " + path + " holds no .png picture");
    std::sort(names.begin(), names.end());
    return names;
  }

  std::string path_of(const std::string& name) const {
    return (std::filesystem::path(folder_) / name).string();
  }

  std::string folder_;
  ExampleForm form_;
  std::vector<std::string> names_;
  Format wanted_;
};

}  // namespace

std::unique_ptr<DataSet> open_png_folder(const std::string& path, const ExampleForm& form) {
  return std::make_unique<PngFolder>(path, form);
}

}  // namespace figment::host
