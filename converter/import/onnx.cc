// Reads ONNX files: the bytes become protobuf messages, the messages a graph.
#include "converter/import/onnx.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx.pb.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>
#include <span>

#include "converter/import/onnx_importer.h"
#include "converter/import/whole_file.h"

namespace figment::converter {
namespace {

// Fields of ModelProto, as their tags stand in the file.
constexpr std::array<unsigned char, 11> kModelTags = {
    0x08,  // ir_version
    0x12,  // producer_name
    0x1a,  // producer_version
    0x22,  // domain
    0x28,  // model_version
    0x32,  // doc_string
    0x3a,  // graph
    0x42,  // opset_import
    0x72,  // metadata_props
    0xa2,  // training_info (first byte)
    0xca,  // functions (first byte)
};

onnx::ModelProto parse(const std::filesystem::path& path) {
  const std::string name = "'" + path.string() + "'";
  const std::vector<std::byte> bytes = read_whole_file(path);
  if (bytes.size() > std::numeric_limits<int>::max())
    throw ConvertError(
        name +
        " is larger than 2 GB, which protobuf cannot read; save its weights as external data");

  // Protobuf would print its own opinion; ours is the one sentence.
  google::protobuf::LogHandler* const before = google::protobuf::SetLogHandler(nullptr);
  onnx::ModelProto model;
  const bool parsed = model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  google::protobuf::SetLogHandler(before);
  if (!parsed)
    throw DamagedFile(name +
                      " is cut off or damaged: it is no whole ONNX model; export or copy it again");
  return model;
}

}  // namespace

bool looks_like_onnx(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<unsigned char, 3> start = {};
  if (!file.read(reinterpret_cast<char*>(start.data()), start.size())) return false;
  const auto is_tag = [](unsigned char byte) {
    return std::ranges::find(kModelTags, byte) != kModelTags.end();
  };
  // Writers put fields in the order of their numbers: the version of the format, a small number,
  // comes first.
  return start[0] == 0x08 && start[1] >= 1 && start[1] < 64 && is_tag(start[2]);
}

Graph import_onnx(const std::filesystem::path& path, const ImportOptions& options) {
  const onnx::ModelProto model = parse(path);
  return OnnxImporter(model, path.parent_path(), options).import();
}

}  // namespace figment::converter
