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

// The symbols that a model of text draws.
figment::Status print_text(const char* path, const figment::Model& model,
                           figment::Session& session) {
  if (model.text().vocabulary == 0) return {};
  std::int32_t symbols[256];
  FIG_TRY(figment::draw_text(model, session, {.temperature = 0.9F, .seed = 42}, symbols));
  const std::int32_t count = session.output(0).shape[0] * model.text().length;
  std::printf("%s symbols", path);
  for (std::int32_t i = 0; i < count; ++i) std::printf(" %d", symbols[i]);
  std::printf("\n");
  return {};
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
    if (session->input(i).type == figment::DataType::kInt32) {
      for (std::int64_t k = 0; k < session->input(i).elements(); ++k)
        session->input(i).integers()[k] = 0;
      continue;
    }
    figment::fill_normal(session->input(i), 42 + static_cast<std::uint64_t>(i));
    std::printf("%s input %d %016llx\n", path, i,
                static_cast<unsigned long long>(digest(session->input(i).values())));
  }
  FIG_TRY(session->run());
  for (int i = 0; i < model->output_count(); ++i) {
    std::printf("%s output %d %016llx\n", path, i,
                static_cast<unsigned long long>(digest(session->output(i).values())));
  }
  return print_text(path, *model, *session);
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
