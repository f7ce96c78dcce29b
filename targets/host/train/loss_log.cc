// Appends lines.
#include "targets/host/train/loss_log.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

#include "targets/host/exit_code.h"
#include "targets/host/input_file.h"
#include "targets/host/output_file.h"

namespace figment::host {
namespace {

VerbError cannot_write(const std::string& path, int error) {
  return {ExitCode::kInputOutput, "cannot write " + path + ": " + std::strerror(error)};
}

// The head and the lines of steps up to `steps`; what a killed run wrote half is left out.
std::string keep_until(std::string_view text, std::int64_t steps) {
  std::string kept;
  while (true) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return kept;
    const std::string_view line = text.substr(0, end + 1);
    text.remove_prefix(end + 1);
    std::int64_t step = 0;
    const bool numbered =
        std::from_chars(line.data(), line.data() + line.size(), step).ec == std::errc();
    if (numbered ? step <= steps : kept.empty()) kept += line;
  }
}

}  // namespace

void LossLog::Close::operator()(std::FILE* file) const {
  if (file != stdout) std::fclose(file);
}

LossLog::LossLog(std::string path, std::int64_t steps) : path_(std::move(path)) {
  std::string kept;
  if (steps > 0 && std::filesystem::is_regular_file(path_)) {
    const std::vector<std::byte> bytes = read_file(path_);
    kept = keep_until({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, steps);
    OutputFile(path_).commit(kept);
  }
  has_head_ = !kept.empty();
  file_.reset(path_ == "-" ? stdout : std::fopen(path_.c_str(), has_head_ ? "ab" : "wb"));
  if (file_ == nullptr) throw cannot_write(path_, errno);
}

void LossLog::add(std::int64_t step, double learning_rate, const LossTerms& terms) {
  std::FILE* file = file_.get();
  if (!std::exchange(has_head_, true)) {
    std::fputs("step,learning_rate", file);
    for (const auto& [name, value] : terms) std::fprintf(file, ",%s", name.c_str());
    std::fputc('\n', file);
  }
  std::fprintf(file, "%lld,%.6g", static_cast<long long>(step), learning_rate);
  for (const auto& [name, value] : terms) std::fprintf(file, ",%.6g", value);
  std::fputc('\n', file);
  if (std::ferror(file) != 0) throw cannot_write(path_, errno);
}

void LossLog::flush() {
  if (std::fflush(file_.get()) != 0) throw cannot_write(path_, errno);
}

}  // namespace figment::host
