// What a finished file gives for one seed, and what it takes to run.
#include "converter/golden.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "runtime/format/sha256.h"

namespace figment::converter {
namespace {

// The golden's sample of the first output.
constexpr std::int64_t kValues = 8;

[[noreturn]] void refuse(const format::Model* root, const Status& status) {
  std::string sentence(status.message());
  const bool is_damaged = root == nullptr || root->operators() == nullptr;
  if (!is_damaged && status.operator_index >= 0) {
    const auto* node = root->operators()->Get(static_cast<std::uint32_t>(status.operator_index));
    sentence = "node '" + (node->name() == nullptr ? std::string() : node->name()->str()) + "' (" +
               format::EnumNameOperatorOptions(node->options_type()) + "): " + sentence;
  }
  throw ConvertError(sentence);
}

Session create_session(const Model& model, std::span<std::byte> arena, Backend backend) {
  Options options;
  options.backend = backend;
  Result<Session> session = Session::create(model, arena, options);
  if (!session.ok()) refuse(&model.root(), session.status());
  return std::move(*session);
}

void fill_inputs(const Model& model, const Session& session, std::uint64_t seed) {
  const format::Prior* prior = model.root().prior();
  for (int i = 0; i < model.input_count(); ++i) {
    const Tensor input = session.input(i);
    const std::uint64_t own_seed = seed + static_cast<std::uint64_t>(i);
    if (input.type != DataType::kFloat32)
      std::memset(input.data, 0, static_cast<std::size_t>(input.elements()) * sizeof(std::int32_t));
    else if (model.prior() == Distribution::kUniform)
      fill_uniform(input, own_seed, prior->low(), prior->high());
    else
      fill_normal(input, own_seed);
  }
}

}  // namespace

AlignedBytes::AlignedBytes(std::size_t size)
    : data_(static_cast<std::byte*>(
          ::operator new (std::max<std::size_t>(size, 1), std::align_val_t{kArenaAlignment}))),
      size_(size) {
  std::memset(data_, 0, size);
}

AlignedBytes::AlignedBytes(std::span<const std::byte> bytes) : AlignedBytes(bytes.size()) {
  std::memcpy(data_, bytes.data(), bytes.size());
}

AlignedBytes::~AlignedBytes() { ::operator delete (data_, std::align_val_t{kArenaAlignment}); }

Model open_model(std::span<const std::byte> file) {
  const Result<Model> model = Model::open(file);
  // The bytes come from emit(), so the buffer is sound even where the runtime refuses what it says.
  if (!model.ok()) refuse(format::GetModel(file.data()), model.status());
  return *model;
}

std::size_t arena_bytes(const Model& model, Backend backend) {
  Options options;
  options.backend = backend;
  const Result<std::size_t> bytes = Session::arena_bytes(model, options);
  if (!bytes.ok()) refuse(&model.root(), bytes.status());
  return *bytes;
}

GoldenSession::GoldenSession(const Model& model, Backend backend)
    : model_(model),
      arena_(arena_bytes(model, backend)),
      session_(create_session(model, arena_.span(), backend)) {}

void GoldenSession::run(std::uint64_t seed) {
  fill_inputs(model_, session_, seed);
  run_as_filled(seed);
}

void GoldenSession::run_as_filled(std::uint64_t noise_seed) {
  session_.set_noise_seed(noise_seed);
  if (const Status status = session_.run(); !status.ok()) refuse(&model_.root(), status);
}

format::GoldenT make_golden(const Model& model, std::uint64_t seed) {
  GoldenSession session(model);
  session.run(seed);

  format::GoldenT golden;
  golden.seed = seed;
  format::Sha256 digest;
  for (int i = 0; i < model.output_count(); ++i) {
    const Tensor output = session.output(i);
    const std::size_t width =
        output.type == DataType::kFloat32 || output.type == DataType::kInt32 ? 4 : 1;
    digest.update({static_cast<const std::byte*>(output.data),
                   static_cast<std::size_t>(output.elements()) * width});
  }
  const format::Digest bytes = digest.finish();
  golden.output_digest = std::make_unique<format::Hash>();
  static_assert(sizeof(format::Hash) == sizeof bytes);
  std::memcpy(golden.output_digest.get(), bytes.data(), bytes.size());

  const Tensor first = session.output(0);
  const std::int64_t elements = first.elements(), count = std::min(kValues, elements);
  if (first.type == DataType::kFloat32)
    for (std::int64_t i = 0; i < count; ++i)
      golden.values.push_back(first.floats()[i * elements / count]);
  return golden;
}

void renew_golden(std::span<std::byte> file) {
  const Model model = open_model(file);
  const format::Golden* stored = model.root().golden();
  if (stored == nullptr) return;
  const format::GoldenT golden = make_golden(model, stored->seed());
  // A sound file's fields, in the caller's bytes.
  auto* hash = const_cast<format::Hash*>(model.root().content_hash());
  auto* digest = const_cast<format::Hash*>(stored->output_digest());
  auto* values = const_cast<flatbuffers::Vector<float>*>(stored->values());
  const std::size_t count =
      values == nullptr ? 0 : std::min<std::size_t>(values->size(), golden.values.size());
  for (std::size_t i = 0; i < count; ++i)
    values->Mutate(static_cast<flatbuffers::uoffset_t>(i), golden.values[i]);
  if (digest != nullptr) *digest = *golden.output_digest;
  if (hash == nullptr) return;
  const format::Digest renewed = format::hash_around(file, hash);
  std::memcpy(hash, renewed.data(), renewed.size());
}

}  // namespace figment::converter
