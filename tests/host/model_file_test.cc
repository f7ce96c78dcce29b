// Models from files and streams, and what the runtime's errors become.
#include "targets/host/model_file.h"

#include <doctest/doctest.h>

#include "targets/host/exit_code.h"
#include "tests/host/scratch_folder.h"
#include "tests/host/small_model.h"

namespace figment::host {
namespace {

ExitCode open_code(const std::string& path) {
  try {
    const ModelFile file(path);
  } catch (const VerbError& error) {
    CHECK(std::string(error.what()).find(path) != std::string::npos);
    return error.code;
  }
  return ExitCode::kSuccess;
}

}  // namespace

TEST_CASE("a file is mapped at an address that the runtime takes") {
  const testing::ScratchFolder folder;
  const testing::SmallModel small;
  testing::write_text(folder / "small.fgm",
                      {reinterpret_cast<const char*>(small.bytes.data()), small.bytes.size()});
  const ModelFile file(folder / "small.fgm");
  CHECK(file.model.name() == "small");
  CHECK(file.file.bytes().size() == small.bytes.size());
  CHECK(reinterpret_cast<std::uintptr_t>(file.file.bytes().data()) % 64 == 0);
}

TEST_CASE("unreadable and damaged are different errors") {
  const testing::ScratchFolder folder;
  CHECK(open_code(folder / "missing.fgm") == ExitCode::kInputOutput);
  CHECK(open_code(folder.path()) == ExitCode::kInputOutput);
  testing::write_text(folder / "empty.fgm", "");
  CHECK(open_code(folder / "empty.fgm") == ExitCode::kBadFile);
  testing::write_text(folder / "text.fgm", "This is no model, but it is long enough to be one.");
  CHECK(open_code(folder / "text.fgm") == ExitCode::kBadFile);
}

TEST_CASE("every error of the runtime has its exit code, and its sentence names the subject") {
  const std::pair<ErrorCode, ExitCode> table[] = {
      {ErrorCode::kBadFile, ExitCode::kBadFile},
      {ErrorCode::kUnsupported, ExitCode::kUnsupported},
      {ErrorCode::kBadArgument, ExitCode::kBadArgument},
      {ErrorCode::kArenaTooSmall, ExitCode::kMemory},
      {ErrorCode::kBackend, ExitCode::kBackend},
  };
  for (const auto& [code, expected] : table) {
    Status status;
    status.code = code;
    status.text[0] = 'x';
    status.text_length = 1;
    bool thrown = false;
    try {
      require(status, "a.fgm");
    } catch (const VerbError& error) {
      thrown = true;
      CHECK(error.code == expected);
      CHECK(std::string(error.what()) == "a.fgm: x");
    }
    CHECK(thrown);
  }
  require(Status{});  // no error, no exception
}

}  // namespace figment::host
