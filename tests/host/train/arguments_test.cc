// Words of `figment train`'s options.
#include "targets/host/train/arguments.h"

#include "tests/host/data/files.h"

namespace figment::testing {

using host::ExitCode;
using host::parse_interval;
using host::parse_selection;

TEST_CASE("what learns is a word, a number of layers, or a pattern") {
  CHECK(parse_selection("all", "x").learns == Learns::kAll);
  CHECK(parse_selection("none", "x").learns == Learns::kNothing);
  CHECK(parse_selection("biases", "x").learns == Learns::kBiasesAndScales);
  const Selection last = parse_selection("last:3", "x");
  CHECK(last.learns == Learns::kLastLayers);
  CHECK(last.layers == 3);
  const std::string word = "up*";
  const Selection named = parse_selection(word, "x");
  CHECK(named.learns == Learns::kNamed);
  CHECK(named.pattern == "up*");
  for (const char* bad : {"last:", "last:0", "last:-1", "last:2x", "last:99999999999"})
    check_refused([&] { parse_selection(bad, "--trainable"); }, ExitCode::kUsage,
                  "--trainable is '" + std::string(bad) + "'");
  check_refused([] { parse_selection("", "--trainable"); }, ExitCode::kUsage, "names nothing");
}

TEST_CASE("an interval is a time or a number of steps") {
  CHECK(parse_interval("60s", "x").seconds == 60);
  CHECK(parse_interval("60s", "x").steps == 0);
  CHECK(parse_interval("0.5s", "x").seconds == 0.5);
  CHECK(parse_interval("500", "x").steps == 500);
  CHECK(parse_interval("500", "x").seconds == 0);
  for (const char* bad : {"", "s", "0", "0s", "-1", "-1s", "5m", "5 s", "nans", "infs", "1.5"})
    check_refused([&] { parse_interval(bad, "--every"); }, ExitCode::kUsage,
                  "--every is '" + std::string(bad) + "'");
}

}  // namespace figment::testing
