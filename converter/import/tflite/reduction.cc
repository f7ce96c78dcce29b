// Sums and means over axes, and what makes probabilities.
#include <algorithm>

#include "converter/import/tflite/families.h"

namespace figment::converter {
namespace {

using format::ReduceFunction;

// x, axes
template <ReduceFunction kFunction>
void reduce(TfliteNode& node) {
  const TensorId x = node.input(0);
  const auto* options = node.options_or_null<tflite::ReducerOptions>();
  format::ReduceT reduce;
  reduce.function = kFunction;
  reduce.keep_axes = options != nullptr && options->keep_dims();
  for (const std::int64_t axis : node.integers(1, "axes")) {
    const int checked = node.checked_axis(axis, node.rank(x));
    if (std::ranges::find(reduce.axes, checked) == reduce.axes.end())
      reduce.axes.push_back(checked);
  }
  std::ranges::sort(reduce.axes);
  node.set_output(0, reduce.axes.empty() ? x : node.emit(std::move(reduce), {x}));
}

// Along the last axis, of x * beta.
void softmax(TfliteNode& node) {
  TensorId x = node.input(0);
  const float beta = node.options<tflite::SoftmaxOptions>().beta();
  if (node.rank(x) < 1) node.refuse("its input has no axis");
  if (beta != 1) x = node.binary(format::BinaryFunction::Mul, x, node.scalar(beta));
  format::SoftmaxT options;
  options.axis = node.rank(x) - 1;
  node.set_output(0, node.emit(options, {x}));
}

void log_softmax(TfliteNode& node) {
  const TensorId x = node.input(0);
  if (node.rank(x) < 1) node.refuse("its input has no axis");
  format::LogSoftmaxT options;
  options.axis = node.rank(x) - 1;
  node.set_output(0, node.emit(options, {x}));
}

constexpr TfliteOperator kRows[] = {
    {"LOG_SOFTMAX", log_softmax},
    {"MEAN", reduce<ReduceFunction::Mean>},
    {"REDUCE_MAX", reduce<ReduceFunction::Max>},
    {"REDUCE_MIN", reduce<ReduceFunction::Min>},
    {"REDUCE_PROD", reduce<ReduceFunction::Prod>},
    {"SOFTMAX", softmax},
    {"SUM", reduce<ReduceFunction::Sum>},
};

}  // namespace

const std::span<const TfliteOperator> kTfliteReduction = kRows;

}  // namespace figment::converter
