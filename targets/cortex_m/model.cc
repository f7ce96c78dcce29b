// The model as a constant in flash, and a static arena for it.
#include "targets/cortex_m/model.h"

#include "figment/figment.h"
// What `figment convert --emit c-array --symbol model` wrote.
#include FIGMENT_MODEL_SOURCE

namespace figment::board {
namespace {

[[gnu::section(".arena")]] alignas(kArenaAlignment) std::byte memory[MODEL_ARENA_BYTES];

}  // namespace

std::span<const std::byte> model_bytes() { return std::as_bytes(std::span(model)); }
std::span<std::byte> arena() { return memory; }

}  // namespace figment::board
