// Prints a digest of every bit that the portable backend computes for each model named on the
// command line. compilers_test.sh builds it with other compilers and options, and compares.
#include <figment/figment.h>

#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace {

// FNV-1a over the bits of the values.
std::uint64_t digest(std::span<const float> values) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const float value : values) {
    hash = (hash ^ std::bit_cast<std::uint32_t>(value)) * 0x100000001b3;
  }
  return hash;
}

std::span<std::byte> aligned_memory(std::size_t bytes) {
  return {static_cast<std::byte*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64)), bytes};
}

std::span<std::byte> read(const char* path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return {};
  const std::span<std::byte> bytes = aligned_memory(static_cast<std::size_t>(file.tellg()));
  file.seekg(0).read(reinterpret_cast<char*>(bytes.data()),
                     static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

figment::Status print_digest(const char* path) {
  auto model = figment::Model::open(read(path));
  if (!model.ok()) return model.status();
  const figment::Options options{.batch = model->any_batch() ? 3 : 1,
                                 .backend = figment::Backend::kPortable};
  const auto need = figment::Session::arena_bytes(*model, options);
  if (!need.ok()) return need.status();
  auto session = figment::Session::create(*model, aligned_memory(*need), options);
  if (!session.ok()) return session.status();
  for (int i = 0; i < model->input_count(); ++i) {
    figment::fill_normal(session->input(i), 42 + static_cast<std::uint64_t>(i));
    std::printf("%s input %d %016llx\n", path, i,
                static_cast<unsigned long long>(digest(session->input(i).values())));
  }
  FIG_TRY(session->run());
  for (int i = 0; i < model->output_count(); ++i) {
    std::printf("%s output %d %016llx\n", path, i,
                static_cast<unsigned long long>(digest(session->output(i).values())));
  }
  return {};
}

}  // namespace

int main(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    const figment::Status status = print_digest(arguments[i]);
    if (!status.ok()) {
      std::fprintf(stderr, "%s: %s\n", arguments[i], status.text);
      return 1;
    }
  }
}
