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

void MappedFile::set_apart(std::size_t begin) const {
  if (mapping_ == nullptr) return;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t first = (begin + page - 1) / page * page;
  if (first >= bytes_.size()) return;
  std::byte* pages = static_cast<std::byte*>(mapping_) + first;
#ifdef MADV_NOHUGEPAGE
  // Pages with an advice of their own are a mapping of their own, and Linux, which maps up to 2 MB
  // at once around what is read, stops at its border.
  ::madvise(pages, bytes_.size() - first, MADV_NOHUGEPAGE);
#endif
  ::madvise(pages, bytes_.size() - first, MADV_DONTNEED);
}

ModelFile::ModelFile(const std::string& path)
    : file(path), model(expect(Model::open(file.bytes()), input_name(path))) {
  if (model.tuning() == Tuning::kElsewhere)
    std::fprintf(stderr,
                 "figment: %s was tuned on another kind of processor or for another build; its "
                 "weights are packed anew at each start until it is tuned here\n",
                 input_name(path).c_str());
  if (model.tuning() == Tuning::kHere)
    file.set_apart(model.root().packed()->offset() + model.root().packed()->size());
}

}  // namespace figment::host
