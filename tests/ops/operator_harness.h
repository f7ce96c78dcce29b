// Runs one operator as a user's model would: written to a file's bytes, opened, placed in an arena
// and run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "figment/figment.h"
#include "figment/format/model_generated.h"

namespace figment::testing {

// An operand of the operator under test. A shape of rank -1 is an optional operand that is absent.
struct TestTensor {
  Shape shape = {};
  std::vector<float> values = {};  // float32, float16 (narrowed when written) and uint8
  bool constant = false;
  bool batched = false;  // axis 0 grows with the session's batch; its extent here is the whole one.
                         // Only when !constant
  DataType type = DataType::kFloat32;
  std::vector<std::int32_t> integers = {};  // int32, int8 and int4
  std::vector<float> scales = {};           // int8: one a channel; int4: one a block
};

// The absent operand.
TestTensor absent();

// Evenly distributed in [low, high); the same for the same seed.
std::vector<float> random_values(std::int64_t count, std::uint32_t seed, float low = -1,
                                 float high = 1);

struct Run {
  Shape shape;
  std::vector<float> values;  // integers too, as far as float32 holds them
  std::string error;          // nonempty: refused
  DataType type = DataType::kFloat32;
  std::vector<std::int32_t> integers;  // the output's values when it is no float32
  std::string lowering;                // how the session ran it
};

// Builds a one-operator model in memory through converter/emit, opens it and runs it on `backend`.
// Batched operands share shape[0]: the file holds 1, the session's batch is that extent.
// `lowering`: the way to run it that the file asks for.
Run run_operator(const format::OperatorOptionsUnion& options, const std::vector<TestTensor>& inputs,
                 std::optional<Shape> declared_output, Backend backend,
                 std::optional<format::UnaryT> activation = {}, const std::string& lowering = {});

// Runs on both backends and compares each with `expected`, computed in double precision by the
// test: |a-b| <= tolerance * max(1, |b|); NaN equals NaN, an infinity equals itself.
void check_operator(const format::OperatorOptionsUnion& options,
                    const std::vector<TestTensor>& inputs, const Shape& expected_shape,
                    const std::vector<double>& expected, double tolerance = 1e-5,
                    std::optional<format::UnaryT> activation = {});

// The same on one backend; for values at which XNNPACK may differ (NaN, denormals, infinities).
void check_operator_on(Backend backend, const format::OperatorOptionsUnion& options,
                       const std::vector<TestTensor>& inputs, const Shape& expected_shape,
                       const std::vector<double>& expected, double tolerance = 1e-5,
                       std::optional<format::UnaryT> activation = {},
                       const std::string& lowering = {});

// On XNNPACK in every one of these ways (where one does not take the operation, the runtime's own
// choice runs), with the loops of every instruction set that this processor has.
void check_ways(const std::vector<std::string>& lowerings,
                const format::OperatorOptionsUnion& options, const std::vector<TestTensor>& inputs,
                const Shape& expected_shape, const std::vector<double>& expected, double tolerance,
                std::optional<format::UnaryT> activation = {});

// XNNPACK's backend gives the portable one's numbers, to the last place, wherever it runs the
// operation in this way.
void check_same_bits(const std::string& lowering, const format::OperatorOptionsUnion& options,
                     const std::vector<TestTensor>& inputs, const Shape& output_shape);

// The operator's rule refuses, with a message that contains `words`.
void check_refused(const format::OperatorOptionsUnion& options,
                   const std::vector<TestTensor>& inputs, std::optional<Shape> declared,
                   const char* words);

// A shape from its extents: shape_of({1, 4, 4, 3}).
Shape shape_of(std::initializer_list<std::int32_t> extents);

// OperatorOptionsUnion from a table: options_of(format::SoftmaxT{}).
template <typename Table>
format::OperatorOptionsUnion options_of(Table table) {
  format::OperatorOptionsUnion options;
  options.Set(std::move(table));
  return options;
}

}  // namespace figment::testing
