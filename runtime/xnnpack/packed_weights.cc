// Packed weights from the arena or from a tuned file, and what tells whether they fit this machine.
#include "runtime/xnnpack/packed_weights.h"

#include <bit>
#include <cstring>

#include "runtime/simd/kernels.h"
#ifdef __x86_64__
#include <cpuid.h>
#endif
#ifdef __linux__
#include <sys/auxv.h>
#endif

namespace figment::xnnpack {
namespace {

// Counts up when our own packing changes (runtime/simd/packing.h, matrix_product.cc,
// winograd_weights.cc, or what the loops bear: kernels.h).
constexpr std::string_view kPackingVersion = "3";

// FNV-1a over what the processor says of itself: XNNPACK chooses its kernels by it.
class Hash {
 public:
  void add(std::uint64_t value) {
    for (int byte = 0; byte < 8; ++byte, value >>= 8)
      hash_ = (hash_ ^ (value & 0xff)) * 0x100000001b3U;
  }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325U;
};

std::uint64_t hash_processor() {
  Hash hash;
#if defined(__x86_64__)
  for (const unsigned leaf : {0U, 1U, 7U}) {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    __get_cpuid_count(leaf, 0, &a, &b, &c, &d);
    if (leaf == 1) b = 0;  // it has the number of the core that asks
    for (const unsigned word : {a, b, c, d}) hash.add(word);
  }
#elif defined(__linux__)
  hash.add(getauxval(AT_HWCAP));
  hash.add(getauxval(AT_HWCAP2));
#endif
  return hash.value();
}

PackedWeights& of(void* context) { return *static_cast<PackedWeights*>(context); }

}  // namespace

Fingerprint::Fingerprint() : size_(0) {
  const auto add = [&](std::string_view word) {
    if (size_ > 0) text_[size_++] = ' ';
    std::memcpy(text_ + size_, word.data(), word.size());
    size_ += word.size();
  };
  add(kPackingVersion);
  add(simd::kernels().name);
  char digits[16];
  // Once: a virtual machine takes its time over the question.
  static const std::uint64_t processor = hash_processor();
  std::uint64_t hash = processor;
  for (int i = 15; i >= 0; --i, hash >>= 4) digits[i] = "0123456789abcdef"[hash & 15];
  add({digits, sizeof digits});
  add(FIGMENT_XNNPACK_HASH);
}

PackedWeights::PackedWeights(Arena& arena, const PackedRecorder* recorder)
    : arena_(arena), recorder_(recorder) {
  provider_.context = this;
  // XNNPACK first asks whether the weights are there, packs those that are not into memory that it
  // asks for, and hands that over. Addresses serve as its offsets.
  provider_.look_up = [](void* context, const xnn_weights_cache_look_up_key* /*key*/) {
    return of(context).look_up();
  };
  provider_.reserve_space = [](void* context, std::size_t bytes) {
    // Where the file has weights none are packed: those that were not found make it broken.
    of(context).wanted_ = bytes;
    return of(context).from_file() ? nullptr : of(context).arena_.allocate(bytes);
  };
  provider_.look_up_or_insert = [](void* context, const xnn_weights_cache_look_up_key* /*key*/,
                                   void* bytes, std::size_t size) {
    if (bytes == nullptr) return of(context).found_;  // convolutions ask again
    of(context).record(static_cast<const std::byte*>(bytes), size);
    return reinterpret_cast<std::size_t>(bytes);
  };
  provider_.is_finalized = [](void* /*context*/) { return true; };
  provider_.offset_to_addr = [](void* /*context*/, std::size_t offset) {
    return std::bit_cast<void*>(offset);
  };
  provider_.delete_cache = [](void* /*context*/) { return xnn_status_success; };
}

void PackedWeights::begin(std::int32_t index, std::span<const std::byte> blocks) {
  operator_ = index;
  blocks_ = blocks;
  at_ = 0;
  broken_ = false;
}

std::span<const std::byte> PackedWeights::next() {
  if (!from_file()) return {};
  std::uint64_t size = 0;
  const std::size_t left = blocks_.size() - at_;
  if (left >= kBlockAlignment) std::memcpy(&size, blocks_.data() + at_, sizeof size);
  if (size == 0 || size > left - kBlockAlignment) {
    broken_ = true;
    return {};
  }
  const std::byte* bytes = blocks_.data() + at_ + kBlockAlignment;
  at_ += kBlockAlignment + (size + kBlockAlignment - 1) / kBlockAlignment * kBlockAlignment;
  if (at_ > blocks_.size()) broken_ = true;
  return {bytes, static_cast<std::size_t>(size)};
}

std::size_t PackedWeights::look_up() {
  if (asks_size_) return SIZE_MAX;
  const std::span<const std::byte> block = next();
  if (from_file() && block.size() != wanted_) broken_ = true;
  found_ = reinterpret_cast<std::size_t>(block.data());
  return block.empty() || broken_ ? SIZE_MAX : found_;
}

PackedMemory PackedWeights::take(std::size_t bytes) {
  if (from_file()) {
    const std::span<const std::byte> block = next();
    if (block.size() == bytes) return {const_cast<std::byte*>(block.data()), true};
    broken_ = true;
    return {nullptr, false};
  }
  auto* memory = static_cast<std::byte*>(arena_.allocate(bytes));
  if (memory != nullptr) record(memory, bytes);
  return {memory, false};
}

void PackedWeights::record(const std::byte* bytes, std::size_t size) {
  if (recorder_ != nullptr) recorder_->record(recorder_->context, operator_, {bytes, size});
}

xnn_weights_cache_t PackedWeights::cache() {
  return from_file() || recorder_ != nullptr ? &provider_ : nullptr;
}

}  // namespace figment::xnnpack
