// Records what a session packs, and writes it into the file.
#include "tests/support/tuned_model.h"

#include <doctest/doctest.h>

#include "converter/emit/tuned.h"
#include "runtime/layout.h"
#include "tests/support/loaded_model.h"
#ifdef FIGMENT_WITH_XNNPACK
#include "runtime/xnnpack/packed_weights.h"
#endif

namespace figment::testing {
namespace {

using converter::TunedOperator;

std::string fingerprint() {
#ifdef FIGMENT_WITH_XNNPACK
  return std::string(xnnpack::Fingerprint().text());
#else
  return "nobody";
#endif
}

std::vector<TunedOperator> operators_of(const Model& model, const std::string& lowering) {
  return std::vector<TunedOperator>(static_cast<std::size_t>(model.operator_count()),
                                    {lowering, {}});
}

}  // namespace

std::vector<std::byte> tune_model(const Model& model, const std::string& lowering,
                                  std::int32_t batch) {
  const AlignedMemory file = align_bytes(choose_ways(model, lowering));
  const Result<Model> variant = Model::open(file.span());
  REQUIRE(variant.ok());
  const Options options{.batch = batch};
  std::vector<TunedOperator> operators = operators_of(model, lowering);
  {
    const RunningSession running(*variant, options);
    for (std::size_t i = 0; i < operators.size(); ++i)
      operators[i].lowering = running.session.operator_report(static_cast<int>(i)).lowering;
  }
  const auto record = [](void* context, std::int32_t index, std::span<const std::byte> block) {
    (*static_cast<std::vector<TunedOperator>*>(context))[static_cast<std::size_t>(index)]
        .blocks.push_back(block);
  };
  // Recording may take a little more than running.
  const Result<std::size_t> need = Session::arena_bytes(*variant, options);
  REQUIRE(need.ok());
  const AlignedMemory arena(*need + *need / 4 + 4096);
  const Status status =
      record_packed_weights(*variant, arena.span(), options, {&operators, record});
  REQUIRE_MESSAGE(status.ok(), std::string(status.message()));
  return converter::emit_tuned(model, operators, fingerprint());
}

std::vector<std::byte> choose_ways(const Model& model, const std::string& lowering) {
  return converter::emit_tuned(model, operators_of(model, lowering), "");
}

}  // namespace figment::testing
