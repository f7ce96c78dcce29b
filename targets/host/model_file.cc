// Maps regular files; everything else (pipes, standard input) is read.
#include "targets/host/model_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "targets/host/exit_code.h"

namespace figment::host {

MappedFile::MappedFile(const std::string& path) {
  if (path != "-") {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) {
      struct stat facts {};
      if (::fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size > 0) {
        const auto size = static_cast<std::size_t>(facts.st_size);
        void* mapping = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (mapping != MAP_FAILED) {
          mapping_ = mapping;
          bytes_ = {static_cast<const std::byte*>(mapping), size};
        }
      }
      ::close(descriptor);
    }
    if (mapping_ != nullptr) return;
  }
  const std::vector<std::byte> bytes = read_file(path);
  memory_ = allocate_aligned(bytes.size());
  if (!bytes.empty()) std::memcpy(memory_.get(), bytes.data(), bytes.size());
  bytes_ = {memory_.get(), bytes.size()};
}

MappedFile::~MappedFile() {
  if (mapping_ != nullptr) ::munmap(mapping_, bytes_.size());
}

ModelFile::ModelFile(const std::string& path)
    : file(path), model(expect(Model::open(file.bytes()), input_name(path))) {}

}  // namespace figment::host
