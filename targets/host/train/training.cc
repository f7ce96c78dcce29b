// The loop over steps.
#include "targets/host/train/training.h"

#include <utility>

#include "targets/host/exit_code.h"
#include "targets/host/process.h"
#include "targets/host/progress.h"
#include "targets/host/train/learned_model.h"

namespace figment::host {
namespace {

class Course {
 public:
  Course(const TrainingPlan& plan, const TrainingParts& parts, std::int64_t done)
      : plan_(plan),
        parts_(parts),
        progress_("steps", plan.steps, done),
        done_(done),
        saved_(done),
        saved_at_(now_ms()) {}

  TrainingResult run() {
    const double begun = now_ms();
    if (parts_.draw_samples) parts_.draw_samples();
    while (done_ < plan_.steps && !result_.interrupted) {
      take_step();
      if (done_ % plan_.steps_an_epoch == 0 || done_ == plan_.steps) end_epoch();
      if (parts_.draw_samples && (done_ % plan_.samples_every == 0 || done_ == plan_.steps))
        parts_.draw_samples();
      // Between two updates the gradients so far belong to no state.
      if (done_ % plan_.accumulation == 0) between_updates();
    }
    save();
    if (parts_.log != nullptr) parts_.log->flush();
    result_.steps = done_;
    result_.seconds = (now_ms() - begun) / 1000;
    return result_;
  }

 private:
  void take_step() {
    parts_.batches.fill(done_, plan_.seed, parts_.trainer);
    const Status status = parts_.trainer.step();
    if (!status.ok())
      throw VerbError(exit_code_of(status.code), "step " + std::to_string(done_ + 1) + ": " +
                                                     std::string(status.message()) + kept());
    ++done_;
    const TrainReport report = parts_.trainer.report();
    const LossTerms terms = loss_terms(plan_.task, report);
    means_.add(terms);
    if (parts_.log != nullptr) parts_.log->add(done_, double{report.learning_rate}, terms);
    if (progress_.is_due()) progress_.set(done_, describe_terms(terms));
  }

  // Where the run could go on from, for an error's end.
  std::string kept() const {
    if (parts_.checkpoint == nullptr || saved_ == 0) return "";
    return "; " + parts_.checkpoint->path() + " holds the run as it was after " +
           std::to_string(saved_) + " steps";
  }

  void end_epoch() {
    EpochFigures figures{means_.mean(), {}};
    means_ = {};
    if (parts_.evaluation != nullptr) figures.evaluation = evaluate();
    const std::int64_t epochs = (plan_.steps + plan_.steps_an_epoch - 1) / plan_.steps_an_epoch;
    const std::int64_t epoch = (done_ + plan_.steps_an_epoch - 1) / plan_.steps_an_epoch;
    progress_.clear();
    parts_.report(
        "epoch " + std::to_string(epoch) + " of " + std::to_string(epochs) + ": " +
        describe_terms(figures.losses) +
        (figures.evaluation.empty() ? "" : "; evaluation: " + describe_terms(figures.evaluation)));
    result_.epochs.push_back(std::move(figures));
  }

  LossTerms evaluate() {
    MeanTerms means;
    const Batches& data = *parts_.evaluation;
    for (std::int64_t index = 0; index < data.batches(); ++index) {
      data.fill_in_order(index, parts_.trainer);
      require(parts_.trainer.evaluate(plan_.seed + static_cast<std::uint64_t>(index)),
              "evaluation");
      means.add(loss_terms(plan_.task, parts_.trainer.report()));
    }
    return means.mean();
  }

  void between_updates() {
    result_.interrupted =
        parts_.interrupt != nullptr && parts_.interrupt->asked() && done_ < plan_.steps;
    const bool due = plan_.checkpoint_steps > 0
                         ? done_ - saved_ >= plan_.checkpoint_steps
                         : now_ms() - saved_at_ >= 1000 * plan_.checkpoint_seconds;
    if (due) save();
  }

  void save() {
    if (parts_.checkpoint == nullptr || saved_ == done_) return;
    if (!is_sound()) return;
    // The log first: lines that no checkpoint has are taken away when the run goes on.
    if (parts_.log != nullptr) parts_.log->flush();
    parts_.checkpoint->save(done_, parts_.trainer);
    saved_ = done_;
    saved_at_ = now_ms();
  }

  // Whether all that has been learned is numbers. When it is not, the next step is taken first, for
  // it can name the operator that gives NaN.
  bool is_sound() {
    try {
      require_finite(parts_.trainer, done_);
    } catch (const VerbError& error) {
      if (is_broken_ || done_ == plan_.steps || result_.interrupted)
        throw VerbError(error.code, error.what() + kept());
      is_broken_ = true;
      return false;
    }
    return true;
  }

  const TrainingPlan& plan_;
  const TrainingParts& parts_;
  Progress progress_;
  std::int64_t done_, saved_;  // steps
  double saved_at_;
  bool is_broken_ = false;  // a number that was learned is none
  MeanTerms means_;
  TrainingResult result_;
};

}  // namespace

TrainingResult run_training(const TrainingPlan& plan, const TrainingParts& parts,
                            std::int64_t done) {
  return Course(plan, parts, done).run();
}

}  // namespace figment::host
