// Imports a file of any format.
#include "converter/import/import.h"

#include <new>
#include <nlohmann/json.hpp>

#include "converter/import/format.h"

namespace figment::converter {
namespace {

// A damaged file's names may hold anything: what is printed is one line, not too long.
std::string one_line(std::string sentence) {
  constexpr std::size_t kMost = 600;
  if (sentence.size() > kMost) sentence = sentence.substr(0, kMost) + " ...";
  for (char& letter : sentence)
    if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) letter = '?';
  return sentence;
}

Graph import_as(const SourceFormat& format, const std::filesystem::path& path,
                const ImportOptions& options) {
  try {
    return format.import(path, options);
  } catch (const DamagedFile& error) {
    throw DamagedFile(one_line(error.what()));
  } catch (const ConvertError& error) {
    throw ConvertError(one_line(error.what()));
  } catch (const nlohmann::json::exception&) {
    throw DamagedFile("'" + path.string() +
                      "' describes its model in an unknown way; save it again");
  } catch (const std::bad_alloc&) {
    throw ConvertError("'" + path.string() + "' needs more memory than there is");
  }
}

}  // namespace

Graph import_file(const std::filesystem::path& path, const ImportOptions& options) {
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    throw ConvertError("'" + path.string() + "' does not exist; check the path");
  if (!std::filesystem::is_regular_file(path, error))
    throw ConvertError("'" + path.string() + "' is no file; name the trained model's file");
  const std::span<const SourceFormat> formats = source_formats();
  for (const SourceFormat& format : formats)
    if (format.looks_like(path)) return import_as(format, path, options);
  if (formats.empty())
    throw ConvertError("this build of figment reads no trained files; convert '" + path.string() +
                       "' on another machine and copy the .fgm");
  std::string known;
  for (const SourceFormat& format : formats)
    known += (known.empty() ? "" : ", ") + std::string(format.name);
  throw DamagedFile("'" + path.string() + "' is no trained model of a known format (" + known +
                    "); it is " + describe_content(path));
}

}  // namespace figment::converter
