// What comes out of a run over many cases: a table for people, JSON, and the comparison with what
// was expected.
#pragma once

#include <iosfwd>
#include <map>

#include "tests/conformance/case.h"

namespace figment::conformance {

struct CaseResult {
  std::string name;  // the folder's
  CaseFacts facts;
  Outcome outcome;
};

// A row an operator (models of several operators are one row, "(several)"), then why cases failed
// or were refused, each reason once, and as the last line "N passed, N failed, N refused".
void write_table(const std::vector<CaseResult>& results, std::ostream& out);

void write_json(const std::vector<CaseResult>& results, std::ostream& out);

// One line a case: side, name, inputs bound in brackets, and for those refused the reason.
void write_expectations(const std::vector<CaseResult>& results, std::ostream& out);

// Sentences about cases that are on another side than `expectations` says, have other inputs bound,
// or are missing from either; empty when all is as expected.
std::vector<std::string> compare_with_expectations(const std::vector<CaseResult>& results,
                                                   std::istream& expectations);

int count(const std::vector<CaseResult>& results, Side side);

}  // namespace figment::conformance
