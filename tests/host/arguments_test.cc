// Words of the command line.
#include "targets/host/arguments.h"

#include <doctest/doctest.h>

#include "targets/host/exit_code.h"

namespace figment::host {
namespace {

template <typename Call>
ExitCode code_of(Call call) {
  try {
    call();
  } catch (const VerbError& error) {
    return error.code;
  }
  return ExitCode::kSuccess;
}

}  // namespace

TEST_CASE("shapes") {
  CHECK(parse_shape("1x3x64x64", "x") == std::vector<std::int64_t>{1, 3, 64, 64});
  CHECK(parse_shape("7", "x") == std::vector<std::int64_t>{7});
  for (const char* word : {"", "x", "1x", "x1", "1x0", "1x-2", "1X2", "1.5", "a",
                           "1x1x1x1x1x1x1x1x1", "99999999999", "1 x 2"})
    CHECK(code_of([&] { parse_shape(word, "--input"); }) == ExitCode::kUsage);
}

TEST_CASE("ranges") {
  CHECK(parse_range("-1..1", "--range") == std::pair{-1.0F, 1.0F});
  CHECK(parse_range("0..255", "--range") == std::pair{0.0F, 255.0F});
  CHECK(parse_range("-.5...5", "--range") == std::pair{-0.5F, 0.5F});
  for (const char* word : {"", "1", "1..", "..1", "1..1", "a..b", "0..inf", "nan..1"})
    CHECK(code_of([&] { parse_range(word, "--range"); }) == ExitCode::kUsage);
}

TEST_CASE("backends") {
  CHECK(parse_backend("portable") == Backend::kPortable);
  CHECK(parse_backend("xnnpack") == Backend::kXnnpack);
  CHECK(code_of([] { parse_backend("cuda"); }) == ExitCode::kUsage);
}

TEST_CASE("files are paired with names, and the nameless take what is left in order") {
  const std::vector<std::string> names = {"z", "label", "z=2"};
  const auto files = match_ports({"label=l.npy", "a.npy", "z=2=b.npy"}, names, "input");
  REQUIRE(files.size() == 3);
  CHECK(files[0].port == 1);
  CHECK(files[0].path == "l.npy");
  CHECK(files[1].port == 0);
  CHECK(files[1].path == "a.npy");
  CHECK(files[2].port == 2);
  CHECK(files[2].path == "b.npy");
  CHECK(match_ports({"-"}, names, "input")[0].path == "-");

  CHECK(code_of([&] { match_ports({"y=a.npy"}, names, "input"); }) == ExitCode::kBadArgument);
  CHECK(code_of([&] {
          match_ports({"a", "b", "c", "d"}, names, "input");
        }) == ExitCode::kBadArgument);
  CHECK(code_of([&] { match_ports({"z=a", "z=b"}, names, "input"); }) == ExitCode::kUsage);
  CHECK(code_of([&] { match_ports({"z="}, names, "input"); }) == ExitCode::kUsage);
}

TEST_CASE("endings") {
  CHECK(has_ending("a.PNG", ".png"));
  CHECK(has_ending(".png", ".png"));
  CHECK_FALSE(has_ending("png", ".png"));
  CHECK_FALSE(has_ending("a.png.npy", ".png"));
}

}  // namespace figment::host
