// Tells the kinds of files apart, by their first bytes.
#include "targets/host/data/data_set.h"

#include <filesystem>

#include "targets/host/data/gzip.h"
#include "targets/host/data/idx.h"
#include "targets/host/data/number_data.h"
#include "targets/host/data/png_folder.h"
#include "targets/host/data/text_lines.h"
#include "targets/host/exit_code.h"
#include "targets/host/model_file.h"

namespace figment::host {

std::unique_ptr<DataSet> open_data_set(const std::string& path, const ExampleForm& form,
                                       TextRole role) {
  if (std::filesystem::is_directory(path)) return open_png_folder(path, form);
  auto file = std::make_unique<MappedFile>(path);
  const std::string name = input_name(path);
  if (is_gzip(file->bytes())) file = unpack_gzip(file->bytes(), name);
  const std::span<const std::byte> bytes = file->bytes();
  if (is_npy(bytes)) return open_numbers(std::move(file), find_npy(bytes, name), form, name);
  if (is_idx(bytes)) return open_numbers(std::move(file), find_idx(bytes, name), form, name);
  if (form.port.type == DataType::kInt32 && form.text != nullptr)
    return open_text_lines(std::move(file), form, role, name);
  throw VerbError(ExitCode::kBadFile,
                  bytes.empty() ? name + " is empty"
                                : name +
                                      " is no data: give a folder of PNG pictures, an IDX file or "
                                      "a .npy array (lines of text are for models of text)");
}

}  // namespace figment::host
