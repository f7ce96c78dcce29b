// Which instruction sets a benchmark runs with: the processor's own, or fewer for a comparison.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace figment::host {

// The option --cpu, which leaves a name for cap_processor() in `name`.
void add_processor_option(CLI::App& app, std::string& name);

// From now on this process computes as on a processor that has no more than `name` ("avx2"; empty:
// all that it has): the runtime's
// own loops and XNNPACK's kernels alike. To be called before the first model is opened, for then
// XNNPACK looks at the processor once and for all. Throws VerbError (ExitCode::kUnsupported) where
// this cannot be done: without XNNPACK, on anything but x86-64, on a processor without AVX2.
void cap_processor(const std::string& name);

// The name of the loops that the fast backend runs with ("avx512", "avx2", "base"); "portable" in a
// build without it.
std::string loops_name();

}  // namespace figment::host
