// How far a model with smaller weights is from the same model with weights as float32.
#include "converter/accuracy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "converter/golden.h"

namespace figment::converter {
namespace {

constexpr int kMostSeeds = 64;
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

}  // namespace

Accuracy measure_accuracy(const Model& exact, const Model& smaller) {
  GoldenSession reference(exact);
  GoldenSession measured(smaller);
  Accuracy result;
  result.seeds = seeds_for(exact, reference.session());
  std::vector<Sums> sums(static_cast<std::size_t>(exact.output_count()));
  for (int seed = 0; seed < result.seeds; ++seed) {
    reference.run(static_cast<std::uint64_t>(seed));
    measured.run(static_cast<std::uint64_t>(seed));
    for (int i = 0; i < exact.output_count(); ++i)
      sums[static_cast<std::size_t>(i)].add(reference.output(i), measured.output(i));
  }
  const ImageReading image = exact.image();
  for (int i = 0; i < exact.output_count(); ++i) {
    const Sums& sum = sums[static_cast<std::size_t>(i)];
    const bool is_picture = i == 0 && image.height > 0;
    const double peak = is_picture ? double{image.high} - double{image.low} : sum.high - sum.low;
    result.outputs.push_back({std::string(exact.output(i).name), sum.psnr(peak), sum.largest});
  }
  return result;
}

}  // namespace figment::converter
