// zlib's inflate, which comes with libpng.
#include "targets/host/data/gzip.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <vector>

#include "targets/host/exit_code.h"

namespace figment::host {
namespace {

// An open temporary file that has no name any more.
class NamelessFile {
 public:
  explicit NamelessFile(const std::string& for_what) : for_what_(for_what) {
    std::error_code error;
    std::string pattern = (std::filesystem::temp_directory_path(error) / "figment-XXXXXX").string();
    descriptor_ = ::mkostemp(pattern.data(), O_CLOEXEC);
    if (descriptor_ < 0) throw failure(errno);
    ::unlink(pattern.c_str());
  }
  ~NamelessFile() { ::close(descriptor_); }
  NamelessFile(const NamelessFile&) = delete;
  NamelessFile& operator=(const NamelessFile&) = delete;

  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) throw failure(errno);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }

  std::string path() const { return "/dev/fd/" + std::to_string(descriptor_); }

 private:
  VerbError failure(int error) const {
    return {ExitCode::kInputOutput,
            "cannot unpack " + for_what_ +
                " into the temporary folder (TMPDIR): " + std::strerror(error)};
  }

  std::string for_what_;
  int descriptor_ = -1;
};

// Ends the stream in any case.
struct Inflater {
  explicit Inflater(std::span<const std::byte> bytes) : left(bytes) {
    constexpr int kGzip = 16 + MAX_WBITS;
    if (::inflateInit2(&stream, kGzip) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { ::inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // zlib counts its input in 32 bits.
  void refill() {
    if (stream.avail_in > 0) return;
    const std::size_t most = std::numeric_limits<uInt>::max();
    const std::size_t count = std::min(left.size(), most);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(left.data()));
    stream.avail_in = static_cast<uInt>(count);
    left = left.subspan(count);
  }

  std::span<const std::byte> left;
  z_stream stream{};
};

}  // namespace

bool is_gzip(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

std::unique_ptr<MappedFile> unpack_gzip(std::span<const std::byte> bytes, const std::string& name) {
  NamelessFile file(name);
  Inflater inflater(bytes);
  std::vector<std::byte> buffer(std::size_t{1} << 16);
  while (true) {
    inflater.refill();
    z_stream& stream = inflater.stream;
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    const int result = ::inflate(&stream, Z_NO_FLUSH);
    file.write(std::span(buffer).first(buffer.size() - stream.avail_out));
    if (result == Z_STREAM_END) {
      // gzip allows one member after another.
      if (stream.avail_in == 0 && inflater.left.empty()) break;
      if (::inflateReset(&stream) == Z_OK) continue;
    }
    if (result != Z_OK)
      throw VerbError(ExitCode::kBadFile,
                      name + (result == Z_BUF_ERROR ? " is cut short: its gzip data does not end"
                                                    : " holds damaged gzip data"));
  }
  return std::make_unique<MappedFile>(file.path());
}

}  // namespace figment::host
