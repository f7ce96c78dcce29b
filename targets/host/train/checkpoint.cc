// Writes and reads checkpoints, and says how another run differs.
#include "targets/host/train/checkpoint.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <utility>

#include "runtime/format/sha256.h"
#include "targets/host/describe.h"
#include "targets/host/exit_code.h"
#include "targets/host/model_file.h"
#include "targets/host/output_file.h"

namespace figment::host {
namespace {

constexpr char kMagic[] = {'F', 'G', 'M', 'C', 'K', 'P', 'T', '1'};

struct Header {
  char magic[sizeof kMagic];
  std::uint64_t description_bytes;
  std::int64_t steps;
  std::uint64_t state_bytes;
};
static_assert(sizeof(Header) == 32 && std::endian::native == std::endian::little);

// The shortest that reads back as the same number.
std::string to_text(float value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

std::string describe(const Selection& selection) {
  std::string text;
  switch (selection.learns) {
    case Learns::kNothing:
      return "none";
    case Learns::kAll:
      text = "all";
      break;
    case Learns::kLastLayers:
      text = "last:" + std::to_string(selection.layers);
      break;
    case Learns::kBiasesAndScales:
      text = "biases";
      break;
    case Learns::kNamed:
      text = "'" + std::string(selection.pattern) + "'";
      break;
  }
  if (selection.adapter_rank > 0)
    text += ", adapters of rank " + std::to_string(selection.adapter_rank);
  return text;
}

format::Digest digest_of(std::initializer_list<std::span<const std::byte>> pieces) {
  format::Sha256 hash;
  for (const std::span<const std::byte> piece : pieces) hash.update(piece);
  return hash.finish();
}

// The first line in which two descriptions differ, as a sentence.
std::string difference(std::string_view before, std::string_view now) {
  const auto take_line = [](std::string_view& text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return std::string(line);
  };
  while (!before.empty() || !now.empty()) {
    const std::string line_before = take_line(before), line_now = take_line(now);
    if (line_before == line_now) continue;
    std::string sentence = "it says '" + line_before;
    sentence += "', this run '" + line_now + "'";
    return sentence;
  }
  return "";
}

}  // namespace

std::string describe_run(const TrainedModels& models, const TrainOptions& options,
                         const std::string& data) {
  std::string text;
  const auto say = [&](const char* name, const std::string& value) {
    text += std::string(name) + ": " + value + "\n";
  };
  const auto whole = [&](const char* name, std::int64_t value) {
    say(name, std::to_string(value));
  };
  say("model", hash_text(models.model.root().content_hash()));
  if (models.partner != nullptr) say("partner", hash_text(models.partner->root().content_hash()));
  say("data", data);
  whole("task", static_cast<int>(options.task));
  whole("loss", static_cast<int>(options.loss));
  whole("adversarial", static_cast<int>(options.adversarial));
  say("trainable", describe(options.selection));
  say("partner trainable", describe(options.partner_selection));
  whole("optimizer", static_cast<int>(options.optimizer.kind));
  say("learning rate", to_text(options.optimizer.learning_rate));
  say("partner learning rate", to_text(options.partner_learning_rate));
  say("momentum", to_text(options.optimizer.momentum));
  say("beta1", to_text(options.optimizer.beta1));
  say("beta2", to_text(options.optimizer.beta2));
  say("weight decay", to_text(options.optimizer.weight_decay));
  say("clip", to_text(options.clip_norm));
  whole("batch", options.batch);
  whole("accumulate", options.accumulation);
  whole("warm-up", options.warm_up);
  // A constant rate does not depend on the run's end, so that a run can be made longer.
  if (options.schedule != Schedule::kConstant) {
    whole("schedule", static_cast<int>(options.schedule));
    whole("updates of the schedule", options.updates);
  }
  say("beta", to_text(options.beta));
  whole("beta warm-up", options.beta_warm_up);
  whole("partner steps", options.partner_steps);
  say("clip weights", to_text(options.clip_weights));
  whole("spectral", options.spectral_normalization ? 1 : 0);
  say("real label", to_text(options.real_label));
  say("average", to_text(options.average_decay));
  say("seed", std::to_string(options.seed));
  say("backend", options.backend == Backend::kXnnpack ? "xnnpack" : "portable");
  return text;
}

Checkpoint::Checkpoint(std::string path, std::string description)
    : path_(std::move(path)), description_(std::move(description)) {
  std::error_code ignored;
  if (path_ == "-" || (std::filesystem::exists(path_, ignored) &&
                       !std::filesystem::is_regular_file(path_, ignored)))
    throw VerbError(ExitCode::kUsage,
                    "--checkpoint must be a file of its own, which " + path_ + " is not");
  { const OutputFile tried(path_); }
  // A killed run could not remove what it had begun to write.
  const std::filesystem::path place(path_);
  const std::string half = place.filename().string() + ".part-";
  std::vector<std::filesystem::path> leftovers;
  for (const auto& entry : std::filesystem::directory_iterator(
           place.has_parent_path() ? place.parent_path() : ".", ignored)) {
    const std::string name = entry.path().filename().string();
    constexpr std::size_t kRandomLetters = 6;
    if (name.starts_with(half) && name.size() == half.size() + kRandomLetters)
      leftovers.push_back(entry.path());
  }
  for (const auto& leftover : leftovers) std::filesystem::remove(leftover, ignored);
}

std::optional<std::int64_t> Checkpoint::load(Trainer& trainer) const {
  if (!std::filesystem::exists(path_)) return std::nullopt;
  const MappedFile file(path_);
  const std::span<const std::byte> bytes = file.bytes();
  const auto damaged = [&](const std::string& why) {
    return VerbError(ExitCode::kBadFile, path_ + " " + why +
                                             "; it is left as it is: give another --checkpoint, or "
                                             "remove it to begin anew");
  };
  Header header{};
  if (bytes.size() >= sizeof header) std::memcpy(&header, bytes.data(), sizeof header);
  if (!std::equal(std::begin(kMagic), std::end(kMagic), header.magic))
    throw damaged("is no checkpoint");
  constexpr std::size_t kDigestBytes = sizeof(format::Digest);
  const std::size_t body = bytes.size() - sizeof header;
  if (body < kDigestBytes || header.description_bytes > body - kDigestBytes ||
      header.state_bytes != body - kDigestBytes - header.description_bytes)
    throw damaged("is cut short or damaged");
  const std::span<const std::byte> hashed = bytes.first(bytes.size() - kDigestBytes);
  const format::Digest digest = digest_of({hashed});
  if (std::memcmp(digest.data(), bytes.last(kDigestBytes).data(), kDigestBytes) != 0)
    throw damaged("is damaged: its bytes do not give its SHA-256");
  const std::span<const std::byte> text = hashed.subspan(sizeof header, header.description_bytes);
  const std::string other =
      difference({reinterpret_cast<const char*>(text.data()), text.size()}, description_);
  const std::span<const std::byte> stored = hashed.last(header.state_bytes);
  const std::span<std::byte> state = trainer.state();
  if (!other.empty() || stored.size() != state.size())
    throw VerbError(ExitCode::kBadArgument,
                    path_ + " is the checkpoint of another run" +
                        (other.empty() ? " or another version" : ": " + other) +
                        "; it is left as it is: give the same options, or another --checkpoint");
  std::copy(stored.begin(), stored.end(), state.begin());
  return header.steps;
}

void Checkpoint::save(std::int64_t steps, Trainer& trainer) const {
  const std::span<const std::byte> state = trainer.state();
  Header header{{}, description_.size(), steps, state.size()};
  std::copy(std::begin(kMagic), std::end(kMagic), header.magic);
  const std::span<const std::byte> head = std::as_bytes(std::span(&header, 1));
  const std::span<const std::byte> text = std::as_bytes(std::span(description_));
  const format::Digest digest = digest_of({head, text, state});
  OutputFile(path_).commit_durably({head, text, state, std::as_bytes(std::span(digest))});
}

}  // namespace figment::host
