// Maps regular files; everything else (pipes, standard input) is read.
#include "targets/host/model_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "runtime/model_view.h"
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

void MappedFile::forget(std::size_t end) const {
  if (mapping_ != nullptr) ::madvise(mapping_, end, MADV_DONTNEED);
}

ModelFile::ModelFile(const std::string& path)
    : file(path), model(expect(Model::open(file.bytes()), input_name(path))) {
  if (model.tuning() == Tuning::kElsewhere)
    std::fprintf(stderr,
                 "figment: %s was tuned on another kind of processor or for another build; its "
                 "weights are packed anew at each start until it is tuned here\n",
                 input_name(path).c_str());
}

void ModelFile::forget_tensors() const {
  if (const format::PackedWeights* packed = model.root().packed();
      packed != nullptr && model.tuning() == Tuning::kHere)
    file.forget(packed->offset());
}

}  // namespace figment::host
