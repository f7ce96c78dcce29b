// Folders of PNG pictures.
#include "targets/host/data/png_folder.h"

#include <filesystem>

#include "targets/host/png.h"
#include "tests/host/data/files.h"

namespace figment::testing {
namespace {

using host::ExitCode;
using host::open_data_set;

void write_picture(const std::string& path, int width, int height, int channels,
                   std::uint8_t value) {
  host::Picture picture{width, height, channels, {}};
  const int count = width * height * channels;
  picture.pixels.resize(static_cast<std::size_t>(count), value);
  write_text(path, text_of(host::write_png(picture)));
}

}  // namespace

TEST_CASE("the pictures of a folder come in the order of their names, as the range says") {
  const ScratchFolder folder;
  write_picture(folder / "b.png", 3, 2, 1, 255);
  write_picture(folder / "a.PNG", 3, 2, 1, 0);
  write_picture(folder / ".hidden.png", 9, 9, 3, 0);
  write_text(folder / "labels.txt", "no picture");
  for (host::ExampleForm form : {form_of({1, 2, 3, 1}), form_of({1, 6})}) {
    form.low = -1;
    const auto data = open_data_set(folder.path(), form);
    CHECK(data->count() == 2);
    CHECK(read_example(*data, form, 0) == std::vector<float>(6, -1));
    CHECK(read_example(*data, form, 1) == std::vector<float>(6, 1));
  }
  const auto before = open_data_set(folder.path(), form_of({1, 6}))->identity();
  write_picture(folder / "c.png", 3, 2, 1, 0);
  CHECK(open_data_set(folder.path(), form_of({1, 6}))->identity() != before);
}

TEST_CASE("a folder of pictures that do not fit is refused before the work") {
  const ScratchFolder folder;
  const host::ExampleForm grey = form_of({1, 2, 3, 1});
  const auto refuse = [&](const host::ExampleForm& form, ExitCode code, const std::string& words) {
    check_refused([&] { open_data_set(folder.path(), form); }, code, words);
  };
  refuse(grey, ExitCode::kBadArgument, "holds no .png picture");
  write_picture(folder / "a.png", 3, 2, 1, 0);
  write_picture(folder / "b.png", 3, 2, 1, 0);
  refuse(form_of({1, 2, 3, 3}), ExitCode::kBadArgument,
         "a.png is 3 pixels wide, 2 high and grey, but input 'x' takes pictures that are 3 pixels "
         "wide, 2 high and in colour");
  refuse(form_of({1, 3, 2, 1}), ExitCode::kBadArgument, "2 pixels wide");
  refuse(form_of({1, 7}), ExitCode::kBadArgument, "takes 7 numbers");
  refuse(form_of({1, 6}, {}, DataType::kInt32), ExitCode::kBadArgument, "takes no pictures");
  write_picture(folder / "c.png", 4, 2, 1, 0);
  refuse(grey, ExitCode::kBadArgument, "all pictures must be of one size");
  write_picture(folder / "c.png", 3, 2, 3, 0);
  refuse(grey, ExitCode::kBadArgument, "c.png is 3 pixels wide, 2 high and in colour");
  write_text(folder / "c.png", "no picture at all, though its name says so");
  refuse(grey, ExitCode::kBadFile, "c.png is no PNG");
}

TEST_CASE("a picture that is damaged, or another than before, is named when it is read") {
  const ScratchFolder folder;
  const host::ExampleForm form = form_of({1, 40, 40, 1});
  write_picture(folder / "a.png", 40, 40, 1, 7);
  const auto data = open_data_set(folder.path(), form);
  const std::string whole = read_text(folder / "a.png");
  write_text(folder / "a.png", whole.substr(0, whole.size() - 20));
  check_refused([&] { read_example(*data, form, 0); }, ExitCode::kBadFile, "a.png");
  write_picture(folder / "a.png", 41, 40, 1, 7);
  check_refused([&] { read_example(*data, form, 0); }, ExitCode::kBadArgument, "a.png");
  std::filesystem::remove(folder / "a.png");
  check_refused([&] { read_example(*data, form, 0); }, ExitCode::kInputOutput, "a.png");
}

}  // namespace figment::testing
