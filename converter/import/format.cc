// The list of formats, and what a file that is none of them looks like.
#include "converter/import/format.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>
#include <vector>

#include "converter/import/flux/flux.h"
#include "converter/import/keras/keras.h"
#include "converter/import/onnx.h"
#include "converter/import/tfjs/tfjs.h"
#include "converter/import/tflite/tflite.h"
#include "converter/import/torch.h"

namespace figment::converter {
namespace {

const std::vector<SourceFormat> kFormats = {
#ifdef FIGMENT_WITH_ONNX
    {"ONNX", looks_like_onnx, import_onnx},
#endif
#ifdef FIGMENT_WITH_FLUX
    {"Flux.jl (JLD2)", looks_like_jld2, import_flux_jld2},
    {"Flux.jl (BSON)", looks_like_bson, import_flux_bson},
#endif
#ifdef FIGMENT_WITH_TORCH
    {"PyTorch", looks_like_torch, import_torch},
    {"safetensors", looks_like_safetensors, import_safetensors},
#endif
#ifdef FIGMENT_WITH_KERAS
    {"Keras", looks_like_keras, import_keras},
#endif
#ifdef FIGMENT_WITH_TFLITE
    {"TFLite", looks_like_tflite, import_tflite},
#endif
#ifdef FIGMENT_WITH_TFJS
    {"TensorFlow.js", looks_like_tfjs, import_tfjs},
#endif
};

struct Signature {
  std::size_t at;
  std::string_view bytes;
  const char* what;
};

// First bytes of files that users give by mistake.
constexpr Signature kSignatures[] = {
    {0, "\x89PNG", "a picture (PNG)"},
    {0, "\xff\xd8\xff", "a picture (JPEG)"},
    {0, "PK\x03\x04", "a ZIP archive"},
    {0, "\x1f\x8b", "compressed with gzip"},
    {0, "BZh", "compressed with bzip2"},
    {0,
     "\xfd"
     "7zXZ",
     "compressed with xz"},
    {257, "ustar", "a tar archive"},
    {0, "\x93NUMPY", "an array (.npy)"},
    {0, "\x89HDF", "an HDF5 file"},
    {0, "\x80", "a pickle"},
    {0, "GGUF", "a GGUF file"},
    {0,
     "\x7f"
     "ELF",
     "a program"},
    {0, "<", "a web page or XML"},
    {0, "{", "JSON"},
    {0, "version https://git-lfs",
     "a pointer of Git LFS in place of the file; fetch it with 'git lfs pull'"},
};

}  // namespace

std::span<const SourceFormat> source_formats() { return kFormats; }

std::string describe_content(const std::filesystem::path& path) {
  std::array<char, 512> head{};
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), head.size());
  const std::string_view start(head.data(), static_cast<std::size_t>(file.gcount()));
  if (start.empty()) return "empty";
  for (const Signature& signature : kSignatures)
    if (start.size() > signature.at && start.substr(signature.at).starts_with(signature.bytes))
      return signature.what;
  const auto printable = [](unsigned char letter) {
    return letter >= 0x20 || letter == '\n' || letter == '\t' || letter == '\r';
  };
  return std::ranges::all_of(start, printable) ? "text" : "binary data of an unknown kind";
}

}  // namespace figment::converter
