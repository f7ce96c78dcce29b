// Verifies the bytes where they are.
#include "targets/host/delta_file.h"

#include "runtime/train/delta.h"
#include "targets/host/exit_code.h"

namespace figment::host {

DeltaFile::DeltaFile(const std::string& path)
    : name(input_name(path)),
      file(path),
      delta(*expect(train::open_delta(file.bytes()), input_name(path))) {}

}  // namespace figment::host
