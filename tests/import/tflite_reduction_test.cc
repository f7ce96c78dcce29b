// Sums and means over axes, and what makes probabilities.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/import/tflite_builder.h"

namespace figment::testing::lite {
namespace {

const std::vector<float> kX = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

}  // namespace

TEST_CASE("reductions, with and without their axes") {
  const auto none = options_of(tflite::ReducerOptionsT{});
  tflite::ReducerOptionsT keeping;
  keeping.keep_dims = true;
  const auto keep = options_of(keeping);
  check_operator(BuiltinOperator::MEAN, {1, 2, 2, 3}, kX, {{{2}, {1, 2}}}, none, {1, 3},
                 {5.5, 6.5, 7.5});
  check_operator(BuiltinOperator::MEAN, {1, 2, 2, 3}, kX, {{{2}, {2, 1}}}, keep, {1, 1, 1, 3},
                 {5.5, 6.5, 7.5});
  check_operator(BuiltinOperator::SUM, {1, 4, 3}, kX, {{{1}, {-1}}}, none, {1, 4}, {6, 15, 24, 33});
  check_operator(BuiltinOperator::REDUCE_MAX, {1, 4, 3}, kX, {{{1}, {1}}}, none, {1, 3},
                 {10, 11, 12});
  check_operator(BuiltinOperator::REDUCE_MIN, {1, 4, 3}, kX, {{{1}, {1}}}, keep, {1, 1, 3},
                 {1, 2, 3});
  check_operator(BuiltinOperator::REDUCE_PROD, {1, 4, 3}, kX, {{{1}, {2}}}, none, {1, 4},
                 {6, 120, 504, 1320});
}

TEST_CASE("probabilities along the last axis") {
  tflite::SoftmaxOptionsT options;
  options.beta = 0.5F;
  double sum = 0;
  std::vector<double> softmax, log_softmax;
  const std::vector<float> x = {1, -2, 0.5F, 3};
  for (const float value : x) sum += std::exp(double{value} / 2);
  for (const float value : x) softmax.push_back(std::exp(double{value} / 2) / sum);
  check_operator(BuiltinOperator::SOFTMAX, {1, 4}, x, {}, options_of(options), {1, 4}, softmax);
  sum = 0;
  for (const float value : x) sum += std::exp(double{value});
  for (const float value : x) log_softmax.push_back(double{value} - std::log(sum));
  check_operator(BuiltinOperator::LOG_SOFTMAX, {1, 4}, x, {}, {}, {1, 4}, log_softmax);
}

TEST_CASE("the mean of int8 is computed in float32 and rounded once") {
  TfliteBuilder builder;
  const int x = builder.input({1, 2, 2, 1}, TensorType::INT8, {{0.5F}, {-3}});
  const int y = builder.tensor({1, 1}, TensorType::INT8, {{0.25F}, {5}});
  builder.node(BuiltinOperator::MEAN, {x, builder.integers({2}, {1, 2})}, {y},
               options_of(tflite::ReducerOptionsT{}));
  builder.output(y);
  check_model(builder, {{1, 2.5F, -4, 10}}, {1, 1}, {2.5});  // 2.375, halves to even
}

TEST_CASE("axes that are computed are refused") {
  TfliteBuilder builder;
  const int x = builder.input({1, 4});
  const int axes = builder.input({1}, TensorType::INT32, {}, "axes");
  const int y = builder.tensor({1});
  builder.node(BuiltinOperator::SUM, {x, axes}, {y}).output(y);
  CHECK(builder.refusal().find("its axes is computed from an input") != std::string::npos);
}

}  // namespace figment::testing::lite
