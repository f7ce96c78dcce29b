// Picks the figures that a task has.
#include "targets/host/train/loss_terms.h"

#include <cstdio>

namespace figment::host {

LossTerms loss_terms(Task task, const TrainReport& report) {
  LossTerms terms{{"loss", report.loss}};
  if (task == Task::kVae) {
    terms.emplace_back("reconstruction", report.reconstruction);
    terms.emplace_back("divergence", report.divergence);
  } else if (task == Task::kGan) {
    terms.emplace_back("discriminator_loss", report.partner_loss);
    terms.emplace_back("real", report.real);
    terms.emplace_back("fake", report.fake);
  }
  return terms;
}

std::string describe_terms(const LossTerms& terms) {
  std::string text;
  for (const auto& [name, value] : terms) {
    char number[32];
    std::snprintf(number, sizeof number, "%.4g", value);
    text += (text.empty() ? "" : ", ") + name + " " + number;
  }
  for (char& letter : text)
    if (letter == '_') letter = ' ';
  return text;
}

void MeanTerms::add(const LossTerms& terms) {
  if (sums_.empty()) {
    sums_ = terms;
  } else {
    for (std::size_t i = 0; i < terms.size(); ++i) sums_[i].second += terms[i].second;
  }
  ++count_;
}

LossTerms MeanTerms::mean() const {
  LossTerms means = sums_;
  for (auto& [name, value] : means) value /= static_cast<double>(count_);
  return means;
}

}  // namespace figment::host
