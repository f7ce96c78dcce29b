// Tables, JSON and expectations of a conformance run.
#include "tests/conformance/report.h"

#include <algorithm>
#include <iomanip>
#include <istream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

namespace figment::conformance {
namespace {

using nlohmann::json;

// "(scales, sizes)"; empty when none is bound.
std::string describe_bound(const std::vector<std::string>& bound) {
  std::string text;
  for (const std::string& name : bound) text += (text.empty() ? "(" : ", ") + name;
  return text.empty() ? text : text + ")";
}

std::string row_of(const CaseFacts& facts) {
  return facts.operators.size() == 1 ? facts.operators[0] : "(several)";
}

// What a line of expectations says of one case.
std::string line_of(const CaseResult& result) {
  const std::string bound = describe_bound(result.outcome.bound);
  return std::string(name_of(result.outcome.side)) + " " + result.name +
         (bound.empty() ? "" : " " + bound);
}

}  // namespace

int count(const std::vector<CaseResult>& results, Side side) {
  return static_cast<int>(std::ranges::count_if(
      results, [&](const CaseResult& result) { return result.outcome.side == side; }));
}

void write_table(const std::vector<CaseResult>& results, std::ostream& out) {
  std::map<std::string, std::map<Side, int>> rows;
  for (const CaseResult& result : results) ++rows[row_of(result.facts)][result.outcome.side];
  out << std::left << std::setw(28) << "operator" << std::right << std::setw(8) << "passed"
      << std::setw(8) << "failed" << std::setw(9) << "refused"
      << "\n";
  for (auto& [name, counts] : rows)
    out << std::left << std::setw(28) << name << std::right << std::setw(8) << counts[Side::kPassed]
        << std::setw(8) << counts[Side::kFailed] << std::setw(9) << counts[Side::kRefused] << "\n";
  for (const Side side : {Side::kRefused, Side::kFailed}) {
    std::map<std::string, std::vector<std::string>> reasons;
    for (const CaseResult& result : results)
      if (result.outcome.side == side) reasons[result.outcome.reason].push_back(result.name);
    for (const auto& [reason, names] : reasons) {
      out << "\n" << name_of(side) << ": " << reason << "\n ";
      for (const std::string& name : names) out << " " << name;
      out << "\n";
    }
  }
  out << "\n"
      << count(results, Side::kPassed) << " passed, " << count(results, Side::kFailed)
      << " failed, " << count(results, Side::kRefused) << " refused\n";
}

void write_json(const std::vector<CaseResult>& results, std::ostream& out) {
  json cases = json::array();
  for (const CaseResult& result : results)
    cases.push_back({{"name", result.name},
                     {"operators", result.facts.operators},
                     {"input_types", result.facts.input_types},
                     {"result", name_of(result.outcome.side)},
                     {"reason", result.outcome.reason},
                     {"bound_inputs", result.outcome.bound}});
  const json all{{"cases", cases},
                 {"passed", count(results, Side::kPassed)},
                 {"failed", count(results, Side::kFailed)},
                 {"refused", count(results, Side::kRefused)}};
  out << all.dump(2, ' ', false, json::error_handler_t::replace) << "\n";
}

void write_expectations(const std::vector<CaseResult>& results, std::ostream& out) {
  out << "# What each case must do: its side, its name, the inputs that must be known when it is\n"
         "# converted, and why it is refused. Made with: ./figment conformance DIR --write FILE\n";
  for (const CaseResult& result : results) {
    out << line_of(result);
    if (result.outcome.side != Side::kPassed) out << " : " << result.outcome.reason;
    out << "\n";
  }
}

std::vector<std::string> compare_with_expectations(const std::vector<CaseResult>& results,
                                                   std::istream& expectations) {
  std::map<std::string, std::string> expected;  // by name, the line without its reason
  for (std::string line; std::getline(expectations, line);) {
    if (line.empty() || line[0] == '#') continue;
    line = line.substr(0, line.find(" : "));
    std::istringstream words(line);
    std::string side, name;
    words >> side >> name;
    expected[name] = line;
  }
  std::vector<std::string> sentences;
  for (const CaseResult& result : results) {
    const auto found = expected.find(result.name);
    if (found == expected.end()) {
      sentences.push_back(result.name + " is not among the expectations; it " +
                          std::string(name_of(result.outcome.side)));
    } else if (found->second != line_of(result)) {
      sentences.push_back("expected '" + found->second + "', got '" + line_of(result) + "'" +
                          (result.outcome.reason.empty() ? "" : ": " + result.outcome.reason));
    }
    expected.erase(result.name);
  }
  for (const auto& [name, line] : expected)
    sentences.push_back(name + " is expected, but there is no such case");
  return sentences;
}

}  // namespace figment::conformance
