// How far a model with smaller weights is from the same model with weights as float32.
#include "converter/accuracy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "converter/golden.h"
#ifdef FIGMENT_WITH_XNNPACK
#include "runtime/simd/kernels.h"
#endif

namespace figment::converter {
namespace {

constexpr int kMostSeeds = 64;
// Less than so many dB is the rounding of single places.
constexpr double kTelling = 0.05;
// In all runs of one model together: half a minute or so.
constexpr double kMostMultiplyAdds = 2e11;

double number_at(const Tensor& tensor, std::int64_t index) {
  switch (tensor.type) {
    case DataType::kFloat32:
      return double{tensor.floats()[index]};
    case DataType::kInt32:
      return tensor.integers()[index];
    default:
      return static_cast<const std::uint8_t*>(tensor.data)[index];
  }
}

// What one output's numbers add up to, run after run.
struct Sums {
  double squares = 0;
  double largest = 0;
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  std::int64_t count = 0;

  void add(const Tensor& exact, const Tensor& smaller) {
    for (std::int64_t i = 0; i < exact.elements(); ++i) {
      const double a = number_at(exact, i);
      const double b = number_at(smaller, i);
      const bool same = a == b || (std::isnan(a) && std::isnan(b));
      double error = same ? 0 : std::fabs(a - b);
      // What is a number in one alone is as far away as can be.
      if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
      largest = std::max(largest, error);
      squares += error * error;
      low = std::fmin(low, a);
      high = std::fmax(high, a);
    }
    count += exact.elements();
  }

  double psnr(double peak) const {
    if (squares == 0) return std::numeric_limits<double>::infinity();
    return 10 * std::log10(peak * peak * static_cast<double>(count) / squares);
  }
};

int seeds_for(const Model& model, const Session& session) {
  double multiply_adds = 0;
  for (int i = 0; i < model.operator_count(); ++i)
    multiply_adds += session.operator_report(i).multiply_adds;
  return static_cast<int>(
      std::clamp(kMostMultiplyAdds / std::max(multiply_adds, 1.0), 1.0, double{kMostSeeds}));
}

// From now on the runtime is that processor's; null: this one's. So it is again when this ends.
struct Processor {
  Processor() = default;
  Processor(const Processor&) = delete;
  Processor& operator=(const Processor&) = delete;
  ~Processor() { become(nullptr); }
  bool become([[maybe_unused]] const char* name) {
#ifdef FIGMENT_WITH_XNNPACK
    return simd::cap_kernels(name);
#else
    return name == nullptr;
#endif
  }
};

// One way to run the smaller model.
struct Candidate {
  const char* processor;  // null: the portable definition
  std::unique_ptr<GoldenSession> session;
  std::vector<Sums> sums;  // of each output
};

// The portable definition, and the processors that this one is or can stand for which have tiles of
// integers: these are less exact.
std::vector<Candidate> candidates_of(const Model& smaller, [[maybe_unused]] Processor& processor) {
  const auto outputs = static_cast<std::size_t>(smaller.output_count());
  std::vector<Candidate> candidates;
  candidates.push_back(
      {nullptr, std::make_unique<GoldenSession>(smaller), std::vector<Sums>(outputs)});
#ifdef FIGMENT_WITH_XNNPACK
  for (const simd::Kernels* table : simd::tables())
    if (table->multiply_centered != nullptr && processor.become(table->name))
      candidates.push_back({table->name,
                            std::make_unique<GoldenSession>(smaller, Backend::kXnnpack),
                            std::vector<Sums>(outputs)});
#endif
  return candidates;
}

}  // namespace

Accuracy measure_accuracy(const Model& exact, const Model& smaller) {
  GoldenSession reference(exact);
  Processor processor;
  std::vector<Candidate> candidates = candidates_of(smaller, processor);
  Accuracy result;
  result.seeds = seeds_for(exact, reference.session());
  for (int seed = 0; seed < result.seeds; ++seed) {
    reference.run(static_cast<std::uint64_t>(seed));
    for (Candidate& candidate : candidates) {
      processor.become(candidate.processor);
      candidate.session->run(static_cast<std::uint64_t>(seed));
      for (int i = 0; i < exact.output_count(); ++i)
        candidate.sums[static_cast<std::size_t>(i)].add(reference.output(i),
                                                        candidate.session->output(i));
    }
  }
  const ImageReading image = exact.image();
  for (int i = 0; i < exact.output_count(); ++i) {
    const auto index = static_cast<std::size_t>(i);
    const Sums& portable = candidates.front().sums[index];
    const bool is_picture = i == 0 && image.height > 0;
    const double peak =
        is_picture ? double{image.high} - double{image.low} : portable.high - portable.low;
    OutputAccuracy accuracy{std::string(exact.output(i).name),
                            portable.psnr(peak),
                            portable.largest,
                            portable.psnr(peak),
                            {}};
    for (const Candidate& candidate : candidates) {
      const double psnr = candidate.sums[index].psnr(peak);
      if (!(psnr < accuracy.least_psnr - kTelling)) continue;
      accuracy.least_psnr = psnr;
      accuracy.least_on = candidate.processor;
    }
    result.outputs.push_back(std::move(accuracy));
  }
  return result;
}

}  // namespace figment::converter
