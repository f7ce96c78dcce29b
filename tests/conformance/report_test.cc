// The table's last line, and every way in which a run can differ from what was expected.
#include "tests/conformance/report.h"

#include <doctest/doctest.h>

#include <sstream>

using namespace figment::conformance;

namespace {

CaseResult result(const std::string& name, Side side, const std::string& reason = "",
                  const std::vector<std::string>& bound = {}) {
  return {name, {{"Add"}, {"FLOAT"}}, {side, reason, bound}};
}

std::vector<std::string> compare(const std::vector<CaseResult>& results, const std::string& text) {
  std::istringstream expectations(text);
  return compare_with_expectations(results, expectations);
}

}  // namespace

TEST_CASE("the table closes with the counts and names each reason once") {
  std::ostringstream out;
  write_table({result("a", Side::kPassed), result("b", Side::kRefused, "no : such"),
               result("c", Side::kRefused, "no : such"), result("d", Side::kFailed, "wrong")},
              out);
  const std::string text = out.str();
  CHECK(text.ends_with("\n1 passed, 1 failed, 2 refused\n"));
  CHECK(text.find("Add                                1       1        2\n") != std::string::npos);
  CHECK(text.find("refused: no : such\n  b c\n") != std::string::npos);
  CHECK(text.find("failed: wrong\n  d\n") != std::string::npos);
}

TEST_CASE("what was written is what is expected next time") {
  const std::vector<CaseResult> results{result("a", Side::kPassed, "", {"shape", "axes"}),
                                        result("b", Side::kRefused, "no : such")};
  std::ostringstream out;
  write_expectations(results, out);
  CHECK(compare(results, out.str()).empty());
}

TEST_CASE("a case that changes sides is noticed") {
  const std::string expected = "passed a\nrefused b : why\n";
  CHECK(compare({result("a", Side::kPassed), result("b", Side::kRefused, "other words")}, expected)
            .empty());
  CHECK(compare({result("a", Side::kFailed), result("b", Side::kRefused)}, expected).size() == 1);
  CHECK(compare({result("a", Side::kPassed), result("b", Side::kPassed)}, expected).size() == 1);
  CHECK(compare({result("a", Side::kPassed, "", {"axes"}), result("b", Side::kRefused)}, expected)
            .size() == 1);
  CHECK(compare({result("a", Side::kPassed)}, expected).size() == 1);
  CHECK(
      compare({result("a", Side::kPassed), result("b", Side::kRefused), result("c", Side::kPassed)},
              expected)
          .size() == 1);
}

TEST_CASE("JSON has every case") {
  std::ostringstream out;
  write_json({result("a", Side::kPassed), result("b", Side::kFailed, "\xff")}, out);
  CHECK(out.str().find("\"name\": \"b\"") != std::string::npos);
  CHECK(out.str().find("\"failed\": 1") != std::string::npos);
}
