// The elementwise functions: goldens in double precision, the values at the ends, and a digest of
// their bits.
#include "runtime/ops/unary.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "runtime/format/sha256.h"
#include "tests/ops/operator_harness.h"

using namespace figment;
using namespace figment::testing;
using format::UnaryFunction;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

struct Case {
  UnaryFunction function;
  float alpha, beta;
  double (*truth)(double x, double alpha, double beta);
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Every function, with parameters as models have them.
const Case kCases[] = {
    {UnaryFunction::Identity, 0, 0, [](double x, double, double) { return x; }},
    {UnaryFunction::Abs, 0, 0, [](double x, double, double) { return std::fabs(x); }},
    {UnaryFunction::Neg, 0, 0, [](double x, double, double) { return -x; }},
    {UnaryFunction::Sqrt, 0, 0, [](double x, double, double) { return std::sqrt(x); }},
    {UnaryFunction::Exp, 0, 0, [](double x, double, double) { return std::exp(x); }},
    {UnaryFunction::Log, 0, 0, [](double x, double, double) { return std::log(x); }},
    {UnaryFunction::Erf, 0, 0, [](double x, double, double) { return std::erf(x); }},
    {UnaryFunction::Relu, 0, 0, [](double x, double, double) { return x < 0 ? 0 : x; }},
    {UnaryFunction::LeakyRelu, 0.2F, 0,
     [](double x, double a, double) { return x < 0 ? a * x : x; }},
    {UnaryFunction::Elu, 1.3F, 0,
     [](double x, double a, double) { return x < 0 ? a * std::expm1(x) : x; }},
    {UnaryFunction::Selu, 1.67326319F, 1.05070102F,
     [](double x, double a, double g) { return g * (x < 0 ? a * std::expm1(x) : x); }},
    {UnaryFunction::Sigmoid, 0, 0, [](double x, double, double) { return sigmoid(x); }},
    {UnaryFunction::HardSigmoid, 0.2F, 0.5F,
     [](double x, double a, double b) {
       return std::isnan(x) ? x : std::fmin(1, std::fmax(0, a * x + b));
     }},
    {UnaryFunction::HardSwish, 0, 0,
     [](double x, double, double) {
       return x <= -3 ? 0 : x * std::fmin(6, std::fmax(0, x + 3)) / 6;
     }},
    {UnaryFunction::Tanh, 0, 0, [](double x, double, double) { return std::tanh(x); }},
    {UnaryFunction::Softplus, 0, 0,
     [](double x, double, double) {
       return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
     }},
    {UnaryFunction::Clip, -0.5F, 2,
     [](double x, double a, double b) { return x < a   ? a
                                               : x > b ? b
                                                       : x; }},
    {UnaryFunction::Gelu, 0, 0,
     [](double x, double, double) {
       return x == -HUGE_VAL ? 0 : 0.5 * x * std::erfc(-x / std::sqrt(2.0));
     }},
    {UnaryFunction::GeluTanh, 0, 0,
     [](double x, double, double) {
       const double root = std::sqrt(2 / std::acos(-1.0));
       return x == -HUGE_VAL ? 0 : 0.5 * x * (1 + std::tanh(root * (x + 0.044715 * x * x * x)));
     }},
    {UnaryFunction::Swish, 1.702F, 0,
     [](double x, double a, double) { return x == -HUGE_VAL ? 0 : x * sigmoid(a * x); }},
    {UnaryFunction::Mish, 0, 0,
     [](double x, double, double) {
       return x < -745 ? 0 : x * std::tanh(std::log1p(std::exp(x)));
     }},
    {UnaryFunction::Sin, 0, 0, [](double x, double, double) { return std::sin(x); }},
    {UnaryFunction::Cos, 0, 0, [](double x, double, double) { return std::cos(x); }},
    {UnaryFunction::Floor, 0, 0, [](double x, double, double) { return std::floor(x); }},
    {UnaryFunction::Ceil, 0, 0, [](double x, double, double) { return std::ceil(x); }},
    {UnaryFunction::Round, 0, 0, [](double x, double, double) { return std::nearbyint(x); }},
    {UnaryFunction::Sign, 0, 0,
     [](double x, double, double) {
       return std::isnan(x) ? x : static_cast<double>((x > 0) - (x < 0));
     }},
    {UnaryFunction::Reciprocal, 0, 0, [](double x, double, double) { return 1 / x; }},
    {UnaryFunction::Celu, 1.3F, 0,
     [](double x, double a, double) { return x < 0 ? a * std::expm1(x / a) : x; }},
    {UnaryFunction::ThresholdedRelu, 0.7F, 0,
     [](double x, double a, double) { return x <= a ? 0 : x; }},
    {UnaryFunction::Softsign, 0, 0,
     [](double x, double, double) {
       return std::isinf(x) ? std::copysign(1, x) : x / (1 + std::fabs(x));
     }},
};

format::UnaryT table_of(const Case& one) {
  format::UnaryT table;
  table.function = one.function;
  table.alpha = one.alpha;
  table.beta = one.beta;
  return table;
}

std::vector<double> expected_of(const Case& one, const std::vector<float>& x) {
  std::vector<double> expected;
  expected.reserve(x.size());
  for (const float value : x)
    expected.push_back(one.truth(value, double{one.alpha}, double{one.beta}));
  return expected;
}

}  // namespace

TEST_CASE("every function is tested") {
  CHECK(std::size(kCases) == static_cast<std::size_t>(UnaryFunction::MAX) + 1);
}

TEST_CASE("goldens on both backends, odd sizes, batch 1 and 5") {
  for (const Case& one : kCases) {
    CAPTURE(format::EnumNameUnaryFunction(one.function));
    const bool positive = one.function == UnaryFunction::Sqrt || one.function == UnaryFunction::Log;
    for (const int batch : {1, 5}) {
      const Shape shape = shape_of({batch, 7, 3, 5});
      const std::vector<float> x =
          random_values(shape.elements(), 1, positive ? 0.001F : -6.0F, 6.0F);
      check_operator(options_of(table_of(one)), {{.shape = shape, .values = x, .batched = true}},
                     shape, expected_of(one, x), 1e-5);
    }
    const std::vector<float> single = random_values(1, 3, 0.1F, 1);
    check_operator(options_of(table_of(one)), {{.shape = shape_of({}), .values = single}},
                   shape_of({}), expected_of(one, single));
  }
}

TEST_CASE("zeros, denormal and huge numbers, infinities and NaN, portable") {
  const std::vector<float> x = {0.0F,    -0.0F,  1e-45F,    -1e-45F,    1e-39F, -1e-39F, 1e-20F,
                                -1e-20F, 15.0F,  -15.0F,    90.0F,      -90.0F, 1e10F,   -1e10F,
                                3e38F,   -3e38F, kInfinity, -kInfinity, kNaN,   -kNaN};
  const Shape shape = shape_of({static_cast<int>(x.size())});
  for (const Case& one : kCases) {
    CAPTURE(format::EnumNameUnaryFunction(one.function));
    std::vector<double> expected = expected_of(one, x);
    // Past float32's range the result is infinite.
    for (double& value : expected) value = static_cast<double>(static_cast<float>(value));
    check_operator_on(Backend::kPortable, options_of(table_of(one)),
                      {{.shape = shape, .values = x}}, shape, expected, 1e-6);
  }
}

TEST_CASE("as the activation of another operator") {
  const Shape shape = shape_of({3, 5});
  const std::vector<float> x = random_values(15, 4, -6, 6);
  format::BinaryT doubled;
  doubled.function = format::BinaryFunction::Add;
  for (const Case& one : kCases) {
    if (one.function == UnaryFunction::Sqrt || one.function == UnaryFunction::Log) continue;
    CAPTURE(format::EnumNameUnaryFunction(one.function));
    std::vector<double> expected;
    expected.reserve(x.size());
    for (const float value : x)
      expected.push_back(one.truth(2.0 * value, double{one.alpha}, double{one.beta}));
    const TestTensor operand{.shape = shape, .values = x};
    check_operator(options_of(doubled), {operand, operand}, shape, expected, 1e-5, table_of(one));
  }
}

TEST_CASE("in place, and of any length") {
  for (std::int64_t count = 0; count < 70; ++count) {
    std::vector<float> x = random_values(count, 5);
    std::vector<float> y(x.size() + 1, 99.0F);
    ops::apply_unary(UnaryFunction::Neg, 0, 0, x.data(), y.data(), count);
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(y[i] == -x[i]);
    CHECK(y.back() == 99.0F);
    ops::apply_unary(UnaryFunction::Neg, 0, 0, x.data(), x.data(), count);
    y.pop_back();
    CHECK(x == y);
  }
}

// The bits of every function over 65536 numbers of every size: any compiler, chip or setting that
// differs fails here.
TEST_CASE("the same bits from every build") {
  std::vector<float> x;
  for (std::uint64_t bits = 0; bits <= UINT32_MAX; bits += 65537)
    x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  const std::vector<float> usual = random_values(20000, 6, -20, 20);
  x.insert(x.end(), usual.begin(), usual.end());
  std::vector<float> y(x.size());
  format::Sha256 hash;
  for (const Case& one : kCases) {
    ops::apply_unary(one.function, one.alpha, one.beta, x.data(), y.data(),
                     static_cast<std::int64_t>(x.size()));
    hash.update(std::as_bytes(std::span(y)));
  }
  const format::Digest digest = hash.finish();
  std::uint64_t start = 0;
  for (std::size_t i = 0; i < 8; ++i) start = start << 8 | digest[i];
  CHECK(start == 0x0a4f5f07b424df98U);
}

TEST_CASE("what a damaged file may say is refused") {
  const TestTensor x{.shape = shape_of({2, 3}), .values = random_values(6, 7)};
  format::UnaryT table;
  table.function = static_cast<UnaryFunction>(31);
  check_refused(options_of(table), {x}, {}, "elementwise function 31");
  table.function = static_cast<UnaryFunction>(255);
  check_refused(options_of(table), {x}, {}, "elementwise function 255");
  table.function = UnaryFunction::LeakyRelu;
  table.alpha = kNaN;
  check_refused(options_of(table), {x}, {}, "LeakyRelu");
  table.alpha = kInfinity;
  check_refused(options_of(table), {x}, {}, "LeakyRelu");
  table.function = UnaryFunction::HardSigmoid;
  table.alpha = 1;
  table.beta = kNaN;
  check_refused(options_of(table), {x}, {}, "HardSigmoid");
  table.function = UnaryFunction::Clip;
  check_refused(options_of(table), {x}, {}, "Clip");
  table.beta = 0.5F;
  check_refused(options_of(table), {x}, {}, "Clip");
  table.function = UnaryFunction::Celu;
  for (const float alpha : {0.0F, -1.0F, kInfinity, kNaN}) {
    table.alpha = alpha;
    check_refused(options_of(table), {x}, {}, "Celu");
  }
  table.function = UnaryFunction::ThresholdedRelu;
  check_refused(options_of(table), {x}, {}, "ThresholdedRelu");
  table.function = UnaryFunction::Relu;
  check_refused(options_of(table),
                {{.shape = shape_of({2}), .type = DataType::kInt32, .integers = {1, 2}}}, {},
                "must be float32");
  check_refused(options_of(table), {x, x}, {}, "2 inputs");
  check_refused(options_of(table), {absent()}, {}, "lacks input 0");
}

TEST_CASE("Clip may leave a side open") {
  format::UnaryT table;
  table.function = UnaryFunction::Clip;
  table.alpha = -kInfinity;
  table.beta = 0.25F;
  check_operator(options_of(table), {{.shape = shape_of({3}), .values = {-9, 0.2F, 4}}},
                 shape_of({3}), {-9, 0.2F, 0.25});
}

TEST_CASE("rounding at halves, at integers, and where float32 has none but integers") {
  const std::vector<float> x = {-2.5F,        -1.5F,      -0.5F,      -0.0F,       0.0F,
                                0.5F,         1.5F,       2.5F,       0.49999997F, 0.50000006F,
                                -0.99999994F, 8388607.5F, 8388608.0F, -8388609.0F, 1e10F};
  const Shape shape = shape_of({static_cast<int>(x.size())});
  for (const UnaryFunction function :
       {UnaryFunction::Floor, UnaryFunction::Ceil, UnaryFunction::Round}) {
    CAPTURE(format::EnumNameUnaryFunction(function));
    for (const Case& one : kCases)
      if (one.function == function)
        check_operator(options_of(table_of(one)), {{.shape = shape, .values = x}}, shape,
                       expected_of(one, x), 0);
  }
}

TEST_CASE("rounding keeps the sign of zero") {
  for (const UnaryFunction function :
       {UnaryFunction::Floor, UnaryFunction::Ceil, UnaryFunction::Round, UnaryFunction::Sign}) {
    format::UnaryT table;
    table.function = function;
    const Run run = run_operator(
        options_of(table), {{.shape = shape_of({2}), .values = {-0.0F, 0}}}, {}, Backend::kXnnpack);
    REQUIRE(run.error.empty());
    CHECK(std::signbit(run.values[0]));
    CHECK_FALSE(std::signbit(run.values[1]));
  }
}

TEST_CASE("sine and cosine of large angles") {
  const std::vector<float> x = random_values(2000, 8, -1e4F, 1e4F);
  const Shape shape = shape_of({2000});
  for (const Case& one : kCases)
    if (one.function == UnaryFunction::Sin || one.function == UnaryFunction::Cos)
      check_operator(options_of(table_of(one)), {{.shape = shape, .values = x}}, shape,
                     expected_of(one, x), 1e-6);
}
