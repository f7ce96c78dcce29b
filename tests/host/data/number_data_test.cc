// .npy arrays as examples: axes, ranges, and numbers that are none.
#include "targets/host/data/number_data.h"

#include <cmath>

#include "tests/host/data/files.h"

namespace figment::testing {
namespace {

using host::ExitCode;
using host::open_data_set;

}  // namespace

TEST_CASE("examples of an array are turned from the source's order of axes") {
  const ScratchFolder folder;
  // A picture of 2 channels, 1 row, 3 columns: in memory rows, columns, channels.
  const host::ExampleForm form = form_of({1, 1, 3, 2}, {0, 3, 1, 2});
  write_text(folder / "x", npy_file({2, 2, 1, 3}, {0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15}));
  const auto data = open_data_set(folder / "x", form);
  CHECK(data->count() == 2);
  CHECK(read_example(*data, form, 0) == std::vector<float>{0, 3, 1, 4, 2, 5});
  CHECK(read_example(*data, form, 1) == std::vector<float>{10, 13, 11, 14, 12, 15});
  // Without the axis of one row, in the runtime's own order, and flat.
  for (const auto& shape : std::vector<std::vector<std::int64_t>>{{2, 2, 3}, {2, 6}}) {
    write_text(folder / "x", npy_file(shape, {0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15}));
    CHECK(read_example(*open_data_set(folder / "x", form), form, 0) ==
          std::vector<float>{0, 3, 1, 4, 2, 5});
  }
  write_text(folder / "x", npy_file({1, 1, 3, 2}, {0, 1, 2, 3, 4, 5}));
  CHECK(read_example(*open_data_set(folder / "x", form), form, 0) ==
        std::vector<float>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("numbers that nothing can be learned from are refused, with their example") {
  const ScratchFolder folder;
  host::ExampleForm form = form_of({1, 2});
  const auto refuse = [&](const std::vector<double>& values, const std::string& words) {
    write_text(folder / "x", npy_file({2, 2}, values));
    const auto data = open_data_set(folder / "x", form);
    read_example(*data, form, 0);
    check_refused([&] { read_example(*data, form, 1); }, ExitCode::kBadArgument, words);
  };
  refuse({0, 1, 0, std::nan("")}, "example 1 of " + (folder / "x") + " holds nan");
  refuse({0, 1, HUGE_VAL, 0}, "holds inf");
  form.bounds = {{0.0, 1.0}};
  refuse({0, 1, 255, 0}, "holds 255, but input 'x' takes 0 to 1");
  form = form_of({1, 2}, {}, DataType::kInt32);
  refuse({0, 1, 0.5, 0}, "whole numbers");
}

TEST_CASE("an array that does not fit is refused when it is opened") {
  const ScratchFolder folder;
  const host::ExampleForm form = form_of({1, 4});
  const auto refuse = [&](const std::string& bytes, ExitCode code, const std::string& words) {
    write_text(folder / "x", bytes);
    check_refused([&] { open_data_set(folder / "x", form); }, code, words);
  };
  refuse(npy_file({2, 3}, std::vector<double>(6)), ExitCode::kBadArgument, "examples of shape 3");
  refuse(npy_file({}, {1}), ExitCode::kBadArgument, "the first axis must count examples");
  refuse(npy_file({0, 4}, {}), ExitCode::kBadArgument, "holds no example");
  const std::string whole = npy_file({2, 4}, std::vector<double>(8));
  refuse(whole.substr(0, whole.size() - 1), ExitCode::kBadFile, "cut short");
  std::string fortran = whole;
  fortran.replace(fortran.find("False"), 5, "True ");
  refuse(fortran, ExitCode::kUnsupported, "ascontiguousarray");
}

}  // namespace figment::testing
