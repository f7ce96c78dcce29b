// How long each operator of a session takes.
#pragma once

#include <vector>

#include "figment/figment.h"

namespace figment::host {

// Runs the model for `seconds`, or `runs` times where that is not 0, after a tenth of it to warm
// up, and gives each operator's median time in milliseconds. `report`, if not null, is filled with
// how each one runs; its words live as long as the model.
std::vector<double> profile_operators(const Model& model, Options options, double seconds, int runs,
                                      std::vector<OperatorReport>* report);

// Draws from the model's prior, the same each time, into every input that is of floats.
void fill_inputs(const Model& model, Session& session);

// Runs for `seconds` and at least 10 times, or `runs` times where that is not 0; each run's time in
// milliseconds.
std::vector<double> time_runs(Session& session, double seconds, int runs);

}  // namespace figment::host
