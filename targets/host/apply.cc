// figment apply: a model as it is after what a delta says it has learned.
#include <cstdio>
#include <cstring>
#include <memory>

#include "converter/golden.h"
#include "converter/passes/edit.h"
#include "figment/train.h"
#include "runtime/train/delta.h"
#include "targets/host/delta_file.h"
#include "targets/host/describe.h"
#include "targets/host/output_file.h"
#include "targets/host/verb.h"

namespace figment::host {
namespace {

using converter::counted;

struct Arguments {
  std::string model, delta, output;
};

// How many tensors the delta has for the model that it was applied to.
int tensors_for(const format::Delta& delta, const format::Hash& base) {
  for (const format::Section* section : *delta.sections())
    if (train::same_hash(*section->base_hash(), base))
      return static_cast<int>(section->tensors()->size());
  return 0;
}

ExitCode apply(const Arguments& arguments) {
  const ModelFile file(arguments.model);
  const DeltaFile learned(arguments.delta);
  OutputFile output(arguments.output);
  const std::span<const std::byte> bytes = file.file.bytes();
  const AlignedMemory applied = allocate_aligned(bytes.size());
  std::memcpy(applied.get(), bytes.data(), bytes.size());
  const std::span<std::byte> result(applied.get(), bytes.size());
  require(apply_delta(result, learned.file.bytes()), learned.name);
  converter::renew_golden(result);
  output.commit(result);
  if (arguments.output != "-")
    std::printf(
        "%s: %s of '%s' changed; learned from %s examples in %s updates\n",
        arguments.output.c_str(),
        counted(tensors_for(learned.delta, *file.model.root().content_hash()), "tensor").c_str(),
        std::string(file.model.name()).c_str(), with_commas(learned.delta.examples_seen()).c_str(),
        with_commas(learned.delta.updates()).c_str());
  return ExitCode::kSuccess;
}

std::function<ExitCode()> declare(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  app.add_option("model", arguments->model, "The model that was trained, an .fgm file")->required();
  app.add_option("delta", arguments->delta, "What it has learned, a .delta file")->required();
  app.add_option("-o,--output", arguments->output, "The trained model to write")->required();
  return [arguments] { return apply(*arguments); };
}

}  // namespace

const Verb kApply{"apply", "put what was learned into a model",
                  "figment apply decoder.fgm learned.delta -o trained.fgm", declare};

}  // namespace figment::host
