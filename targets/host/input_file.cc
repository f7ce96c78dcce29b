// Reads through POSIX, so that an error can say why.
#include "targets/host/input_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

#include "figment/figment.h"
#include "targets/host/exit_code.h"

namespace figment::host {
namespace {

bool standard_input_taken = false;

VerbError cannot_read(const std::string& path, int error) {
  return {ExitCode::kInputOutput, "cannot read " + input_name(path) + ": " + std::strerror(error)};
}

}  // namespace

void FreeAligned::operator()(std::byte* memory) const { std::free(memory); }

AlignedMemory allocate_aligned(std::size_t bytes) {
  // Weights that are read once a run miss the table of small pages at every one; of large pages the
  // processor knows enough.
  constexpr std::size_t kLargePage = std::size_t{2} << 20;
  const bool large = bytes >= 2 * kLargePage;
  const std::size_t alignment = large ? kLargePage : kArenaAlignment;
  void* memory = nullptr;
  if (::posix_memalign(&memory, alignment, bytes) != 0) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  // Whole ones alone: no more memory is taken than was asked for.
  if (large) ::madvise(memory, bytes / kLargePage * kLargePage, MADV_HUGEPAGE);
#endif
  return AlignedMemory(static_cast<std::byte*>(memory));
}

std::string input_name(const std::string& path) { return path == "-" ? "standard input" : path; }

std::vector<std::byte> read_file(const std::string& path) {
  int descriptor = STDIN_FILENO;
  if (path == "-") {
    if (standard_input_taken)
      throw VerbError(ExitCode::kUsage, "only one file can be `-`: there is one standard input");
    standard_input_taken = true;
  } else {
    descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) throw cannot_read(path, errno);
  }
  std::vector<std::byte> bytes;
  std::size_t used = 0;
  while (true) {
    if (bytes.size() - used < 65536) bytes.resize(bytes.size() * 2 + 65536);
    const ssize_t count = ::read(descriptor, bytes.data() + used, bytes.size() - used);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int error = errno;
      if (path != "-") ::close(descriptor);
      throw cannot_read(path, error);
    }
    if (count == 0) break;
    used += static_cast<std::size_t>(count);
  }
  if (path != "-") ::close(descriptor);
  bytes.resize(used);
  return bytes;
}

}  // namespace figment::host
