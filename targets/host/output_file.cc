// Temporary files with a random ending, known to a signal handler that removes them.
#include "targets/host/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <utility>

#include "targets/host/exit_code.h"
#include "targets/host/interrupt.h"

namespace figment::host {
namespace {

// What the handler may touch: plain memory that is never freed.
constexpr int kSlots = 16;
constexpr std::size_t kPathBytes = 4096;
char unfinished[kSlots][kPathBytes];
std::array<std::atomic<bool>, kSlots> unfinished_used;

extern "C" void remove_unfinished(int signal_number) {
  for (int slot = 0; slot < kSlots; ++slot)
    if (unfinished_used[static_cast<std::size_t>(slot)].load()) ::unlink(unfinished[slot]);
  // The default action ends the process, so that a shell sees what ended it.
  std::signal(signal_number, SIG_DFL);
  std::raise(signal_number);
}

void install_handler() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    if (Interrupt::keeps(number)) continue;
    // What a caller chose to ignore (nohup) stays ignored.
    if (std::signal(number, remove_unfinished) == SIG_IGN) std::signal(number, SIG_IGN);
  }
}

int remember(const std::string& path) {
  if (path.size() >= kPathBytes) return -1;
  for (int slot = 0; slot < kSlots; ++slot) {
    auto& used = unfinished_used[static_cast<std::size_t>(slot)];
    if (used.load()) continue;
    std::memcpy(unfinished[slot], path.c_str(), path.size() + 1);
    used.store(true);
    return slot;
  }
  return -1;
}

VerbError cannot_write(const std::string& path, int error) {
  const std::string name = path == "-" ? "standard output" : path;
  return {ExitCode::kInputOutput, "cannot write " + name + ": " + std::strerror(error)};
}

}  // namespace

OutputFile::OutputFile(std::string path) : path_(std::move(path)) {
  if (path_ == "-") {
    descriptor_ = STDOUT_FILENO;
    return;
  }
  target_ = path_;
  std::error_code ignored;
  if (std::filesystem::is_symlink(path_, ignored)) {
    const auto followed = std::filesystem::weakly_canonical(path_, ignored);
    if (!ignored) target_ = followed.string();
  }
  struct stat facts {};
  const bool exists = ::stat(target_.c_str(), &facts) == 0;
  if (exists && S_ISDIR(facts.st_mode)) throw cannot_write(path_, EISDIR);
  if (exists && !S_ISREG(facts.st_mode)) {
    descriptor_ = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor_ < 0) throw cannot_write(path_, errno);
    return;
  }
  if (exists && ::access(target_.c_str(), W_OK) != 0) throw cannot_write(path_, errno);
  install_handler();
  temporary_ = target_ + ".part-XXXXXX";
  descriptor_ = ::mkostemp(temporary_.data(), O_CLOEXEC);
  if (descriptor_ < 0) throw cannot_write(path_, errno);
  slot_ = remember(temporary_);
  // mkostemp makes files for the owner's eyes alone; an ordinary one follows the umask, or the file
  // it replaces.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(descriptor_, exists ? facts.st_mode & 0777 : 0666 & ~mask) != 0) {
    const int error = errno;
    discard();
    throw cannot_write(path_, error);
  }
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      target_(std::move(other.target_)),
      temporary_(std::move(other.temporary_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      slot_(std::exchange(other.slot_, -1)) {
  other.temporary_.clear();
}

OutputFile::~OutputFile() { discard(); }

void OutputFile::discard() {
  if (descriptor_ >= 0 && descriptor_ != STDOUT_FILENO) ::close(descriptor_);
  descriptor_ = -1;
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  temporary_.clear();
  if (slot_ >= 0) unfinished_used[static_cast<std::size_t>(slot_)].store(false);
  slot_ = -1;
}

void OutputFile::commit(std::span<const std::byte> bytes) {
  write(bytes);
  put_in_place();
}

void OutputFile::commit_durably(std::initializer_list<std::span<const std::byte>> pieces) {
  for (const std::span<const std::byte> piece : pieces) write(piece);
  // Before the name shows it. What is no file on a disk cannot be synced.
  if (!temporary_.empty() && ::fsync(descriptor_) != 0) throw cannot_write(path_, errno);
  const bool renames = !temporary_.empty();
  put_in_place();
  if (!renames) return;
  const std::filesystem::path parent = std::filesystem::path(target_).parent_path();
  const int folder =
      ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;  // a folder that may be written but not read: the rename stands
  ::fsync(folder);
  ::close(folder);
}

void OutputFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw cannot_write(path_, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void OutputFile::put_in_place() {
  if (descriptor_ != STDOUT_FILENO) {
    // Some file systems tell only here that the disk is full.
    const int result = ::close(std::exchange(descriptor_, -1));
    if (result != 0) throw cannot_write(path_, errno);
  }
  if (!temporary_.empty() && ::rename(temporary_.c_str(), target_.c_str()) != 0)
    throw cannot_write(path_, errno);
  temporary_.clear();
  discard();
}

}  // namespace figment::host
