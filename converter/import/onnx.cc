// Reads ONNX files: the bytes become protobuf messages, the messages a graph.
#include "converter/import/onnx.h"

#include <google/protobuf/arena.h>
#include <google/protobuf/io/zero_copy_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx.pb.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <limits>

#include "converter/import/onnx_importer.h"

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

// What the messages may take in memory as a share of the file, without the bytes and texts in them:
// a node of four bytes in the file takes a hundred. Small files may hold anything. A list that
// grows may have taken as much again before it is noticed.
constexpr std::uint64_t kMostShare = 1, kAlwaysAllowed = std::uint64_t{16} << 20;

// They stand in blocks of this size; long lists have blocks of their own. Protobuf gives the
// functions that make blocks no object to count with.
constexpr std::size_t kBlock = 8192;
thread_local std::uint64_t messages_bytes = 0;

void* allocate_block(std::size_t bytes) {
  messages_bytes += bytes;
  return ::operator new(bytes);
}
void free_block(void* block, std::size_t) { ::operator delete(block); }

google::protobuf::ArenaOptions arena_options() {
  google::protobuf::ArenaOptions options;
  options.max_block_size = kBlock;
  options.block_alloc = allocate_block;
  options.block_dealloc = free_block;
  return options;
}

// A file's bytes, piece by piece, until the messages made of them take too much.
class BoundedStream : public google::protobuf::io::ZeroCopyInputStream {
 public:
  BoundedStream(std::istream& file, std::uint64_t budget) : file_(file), budget_(budget) {}

  bool exceeded() const { return messages_bytes > budget_; }
  bool Next(const void** data, int* size) override {
    if (exceeded()) return false;
    if (given_ == held_) {
      file_.read(piece_.data(), piece_.size());
      given_ = 0;
      held_ = static_cast<int>(file_.gcount());
    }
    *data = piece_.data() + given_;
    *size = held_ - given_;
    count_ += *size;
    given_ = held_;
    return *size > 0;
  }
  void BackUp(int count) override {
    given_ -= count;
    count_ -= count;
  }
  bool Skip(int count) override {
    const void* data = nullptr;
    for (int size = 0; count > 0; count -= size)
      if (!Next(&data, &size)) return false;
    BackUp(-count);
    return true;
  }
  std::int64_t ByteCount() const override { return count_; }

 private:
  std::istream& file_;
  std::uint64_t budget_;
  std::array<char, 1 << 14> piece_;  // becomes less than 2 MB of messages
  int held_ = 0, given_ = 0;         // bytes in the piece
  std::int64_t count_ = 0;
};

// The messages stand in `arena`.
const onnx::ModelProto& parse(const std::filesystem::path& path, google::protobuf::Arena& arena) {
  const std::string name = "'" + path.string() + "'";
  std::ifstream file(path, std::ios::binary);
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (!file || error) throw ConvertError(name + " cannot be opened; check the path");
  if (size > std::numeric_limits<int>::max())
    throw ConvertError(
        name +
        " is larger than 2 GB, which protobuf cannot read; save its weights as external data");

  BoundedStream stream(file, kMostShare * size + kAlwaysAllowed);
  messages_bytes = 0;
  auto& model = *google::protobuf::Arena::CreateMessage<onnx::ModelProto>(&arena);
  // Protobuf would print its own opinion; ours is the one sentence.
  google::protobuf::LogHandler* const before = google::protobuf::SetLogHandler(nullptr);
  const bool parsed = model.ParseFromBoundedZeroCopyStream(&stream, static_cast<int>(size));
  google::protobuf::SetLogHandler(before);
  if (stream.exceeded())
    throw DamagedFile(name +
                      " has more nodes and names than a file of its size has any use for; "
                      "it is damaged: export or copy it again");
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
  google::protobuf::Arena arena(arena_options());
  return OnnxImporter(parse(path, arena), path.parent_path(), options).import();
}

}  // namespace figment::converter
