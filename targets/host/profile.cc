// Times of whole runs, and of the operators in them as the session's observer tells them.
#include "targets/host/profile.h"

#include "targets/host/draw.h"
#include "targets/host/exit_code.h"
#include "targets/host/process.h"
#include "targets/host/session_memory.h"
#include "targets/host/statistics.h"

namespace figment::host {
namespace {

struct Profile {
  std::vector<std::vector<double>> ms;  // by operator, one a run
  double begun = 0;

  static void observe(void* context, const OperatorEvent& event) {
    auto* profile = static_cast<Profile*>(context);
    if (event.finished)
      profile->ms[static_cast<std::size_t>(event.index)].push_back(now_ms() - profile->begun);
    else
      profile->begun = now_ms();
  }
};

}  // namespace

void fill_inputs(const Model& model, Session& session) {
  for (int index = 0; index < model.input_count(); ++index)
    if (const Tensor input = session.input(index); input.type == DataType::kFloat32)
      fill_from_prior(model, input, std::uint64_t{42} + static_cast<std::uint64_t>(index), 0);
}

std::vector<double> time_runs(Session& session, double seconds, int runs) {
  constexpr int kLeastRuns = 10;
  std::vector<double> times;
  const double begun = now_ms();
  for (double now = begun;;) {
    require(session.run());
    const double after = now_ms();
    times.push_back(after - now);
    now = after;
    const int count = static_cast<int>(times.size());
    if (runs > 0 ? count >= runs : count >= kLeastRuns && now - begun >= seconds * 1000)
      return times;
  }
}

std::vector<double> profile_operators(const Model& model, Options options, double seconds, int runs,
                                      std::vector<OperatorReport>* report) {
  Profile profile;
  profile.ms.resize(static_cast<std::size_t>(model.operator_count()));
  options.observer = Profile::observe;
  options.observer_context = &profile;
  SessionMemory memory(model, options);
  fill_inputs(model, memory.session);
  time_runs(memory.session, seconds / 10, (runs + 9) / 10);
  for (std::vector<double>& times : profile.ms) times.clear();
  time_runs(memory.session, seconds, runs);

  // Medians, for on a busy machine a few runs take many times as long.
  std::vector<double> medians;
  const double parts = double(options.batch) / memory.session.samples_at_once();
  for (std::vector<double>& times : profile.ms)
    medians.push_back(summarize(std::move(times)).median * parts);
  if (report != nullptr)
    for (int index = 0; index < model.operator_count(); ++index)
      report->push_back(memory.session.operator_report(index));
  return medians;
}

}  // namespace figment::host
