// Operators that cut tensors, put them together, pad them, and look numbers up.
#include <doctest/doctest.h>

#include "tests/import/run_graph.h"
#include "tests/import/tflite_builder.h"

namespace figment::testing::lite {
namespace {

using Integers = std::vector<std::int32_t>;

const std::vector<float> kX = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

struct Masks {
  int begin = 0, end = 0, ellipsis = 0, new_axis = 0, shrink = 0;
};

void check_strided(const Integers& begin, const Integers& end, const Integers& strides,
                   const Masks& masks, const Extents& shape, const std::vector<double>& expected) {
  tflite::StridedSliceOptionsT options;
  options.begin_mask = masks.begin;
  options.end_mask = masks.end;
  options.ellipsis_mask = masks.ellipsis;
  options.new_axis_mask = masks.new_axis;
  options.shrink_axis_mask = masks.shrink;
  const Extents count = {static_cast<std::int64_t>(begin.size())};
  check_operator(BuiltinOperator::STRIDED_SLICE, {3, 4}, kX,
                 {{count, begin}, {count, end}, {count, strides}}, options_of(options), shape,
                 expected);
}

// What each output of an operator over x [3,4] is.
void check_parts(BuiltinOperator kind, const std::vector<int>& inputs, TfliteBuilder& builder,
                 const tflite::BuiltinOptionsUnion& options,
                 const std::vector<std::vector<double>>& expected) {
  std::vector<int> outputs;
  for (std::size_t part = 0; part < expected.size(); ++part) outputs.push_back(builder.tensor({1}));
  builder.node(kind, inputs, outputs, options);
  for (const int output : outputs) builder.output(output);
  CHECK(run_graph(builder.import(), {kX}).values == expected);
}

}  // namespace

TEST_CASE("SLICE") {
  check_operator(BuiltinOperator::SLICE, {3, 4}, kX, {{{2}, {1, 0}}, {{2}, {-1, 2}}}, {}, {2, 2},
                 {5, 6, 9, 10});
  check_operator(BuiltinOperator::SLICE, {3, 4}, kX, {{{2}, {0, 0}}, {{2}, {3, 4}}}, {}, {3, 4},
                 {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
}

TEST_CASE("STRIDED_SLICE") {
  check_strided({0, 1}, {2, 4}, {1, 2}, {}, {2, 2}, {2, 4, 6, 8});
  check_strided({-1, -1}, {-4, -5}, {-1, -2}, {}, {3, 2}, {12, 10, 8, 6, 4, 2});
  check_strided({1, 1}, {1, 1}, {1, 1}, {.begin = 1, .end = 3}, {3, 3},
                {2, 3, 4, 6, 7, 8, 10, 11, 12});
  check_strided({1, 0}, {0, 0}, {1, -1}, {.begin = 2, .end = 2, .shrink = 1}, {4}, {8, 7, 6, 5});
  check_strided({0, -1}, {0, 0}, {1, 1}, {.ellipsis = 1, .shrink = 2}, {3}, {4, 8, 12});
  check_strided({0, 0, 0}, {0, 0, 2}, {1, 1, 1}, {.ellipsis = 2, .new_axis = 1}, {1, 3, 2},
                {1, 2, 5, 6, 9, 10});
}

TEST_CASE("SPLIT, SPLIT_V, UNPACK") {
  TfliteBuilder split;
  const int axis = split.integers({}, {1}), x = split.input({3, 4});
  check_parts(BuiltinOperator::SPLIT, {axis, x}, split, {},
              {{1, 2, 5, 6, 9, 10}, {3, 4, 7, 8, 11, 12}});
  TfliteBuilder sizes;
  const int y = sizes.input({3, 4});
  check_parts(BuiltinOperator::SPLIT_V, {y, sizes.integers({2}, {1, -1}), sizes.integers({}, {0})},
              sizes, {}, {{1, 2, 3, 4}, {5, 6, 7, 8, 9, 10, 11, 12}});
  TfliteBuilder unpack;
  tflite::UnpackOptionsT options;
  options.axis = -1;
  options.num = 4;
  check_parts(BuiltinOperator::UNPACK, {unpack.input({3, 4})}, unpack, options_of(options),
              {{1, 5, 9}, {2, 6, 10}, {3, 7, 11}, {4, 8, 12}});
}

TEST_CASE("CONCATENATION, of many and of int8 with ranges of their own") {
  TfliteBuilder builder;
  tflite::ConcatenationOptionsT options;
  options.axis = -1;
  options.fused_activation_function = tflite::ActivationFunctionType::RELU;
  std::vector<int> parts = {builder.input({1, 2})};
  std::vector<double> expected = {0, 2};
  for (int part = 0; part < 100; ++part) {
    parts.push_back(builder.floats({1, 1}, {static_cast<float>(part)}));
    expected.push_back(part);
  }
  const int y = builder.tensor({1, 102});
  builder.node(BuiltinOperator::CONCATENATION, parts, {y}, options_of(options)).output(y);
  check_model(builder, {{-1, 2}}, {1, 102}, expected);

  TfliteBuilder bytes;
  const int a = bytes.input({1, 2}, TensorType::INT8, {{0.5F}, {0}});
  const int b = bytes.input({1, 1}, TensorType::INT8, {{0.25F}, {-4}}, "b");
  const int c = bytes.bytes({1, 1}, {6}, {{0.5F}, {0}});
  const int z = bytes.tensor({1, 4}, TensorType::INT8, {{0.5F}, {0}});
  options.fused_activation_function = tflite::ActivationFunctionType::NONE;
  bytes.node(BuiltinOperator::CONCATENATION, {a, b, c}, {z}, options_of(options)).output(z);
  CHECK(bytes.count(format::OperatorOptions::QuantizedUnary) == 1);
  check_model(bytes, {{1, 2}, {-5.5F}}, {1, 4}, {1, 2, -5.5, 3});
}

TEST_CASE("PAD, PADV2, MIRROR_PAD") {
  const std::vector<float> x = {1, 2, 3, 4, 5, 6};
  check_operator(BuiltinOperator::PAD, {2, 3}, x, {{{2, 2}, {0, 1, 1, 0}}}, {}, {3, 4},
                 {0, 1, 2, 3, 0, 4, 5, 6, 0, 0, 0, 0});
  tflite::MirrorPadOptionsT mirror;
  check_operator(BuiltinOperator::MIRROR_PAD, {2, 3}, x, {{{2, 2}, {1, 0, 2, 1}}},
                 options_of(mirror), {3, 6},
                 {6, 5, 4, 5, 6, 5, 3, 2, 1, 2, 3, 2, 6, 5, 4, 5, 6, 5});
  mirror.mode = tflite::MirrorPadMode::SYMMETRIC;
  check_operator(BuiltinOperator::MIRROR_PAD, {2, 3}, x, {{{2, 2}, {1, 0, 2, 1}}},
                 options_of(mirror), {3, 6},
                 {2, 1, 1, 2, 3, 3, 2, 1, 1, 2, 3, 3, 5, 4, 4, 5, 6, 6});
  TfliteBuilder builder;
  const int input = builder.input({1, 2}), y = builder.tensor({1, 4});
  builder.node(BuiltinOperator::PADV2,
               {input, builder.integers({2, 2}, {0, 0, 1, 1}), builder.floats({}, {7})}, {y});
  builder.output(y);
  check_model(builder, {{1, 2}}, {1, 4}, {7, 1, 2, 7});
}

TEST_CASE("int8 is padded with its zero point, or with an int8") {
  for (const bool given : {false, true}) {
    TfliteBuilder builder;
    const Quantized range{{0.5F}, {-7}};
    const int x = builder.input({1, 2}, TensorType::INT8, range);
    const int y = builder.tensor({1, 4}, TensorType::INT8, range);
    std::vector<int> inputs = {x, builder.integers({2, 2}, {0, 0, 1, 1})};
    if (given) inputs.push_back(builder.bytes({1}, {3}, range));
    builder.node(given ? BuiltinOperator::PADV2 : BuiltinOperator::PAD, inputs, {y}).output(y);
    check_model(builder, {{1, 2}}, {1, 4}, {given ? 5.0 : 0, 1, 2, given ? 5.0 : 0});
  }
}

TEST_CASE("GATHER and EMBEDDING_LOOKUP") {
  TfliteBuilder gather;
  tflite::GatherOptionsT options;
  options.axis = 1;
  const int x = gather.input({3, 4}), y = gather.tensor({3, 2});
  gather.node(BuiltinOperator::GATHER, {x, gather.integers({2}, {3, 0})}, {y}, options_of(options));
  gather.output(y);
  check_model(gather, {kX}, {3, 2}, {4, 1, 8, 5, 12, 9});
  TfliteBuilder lookup;
  const int ids = lookup.input({2}, TensorType::INT32), z = lookup.tensor({2, 2});
  lookup.node(BuiltinOperator::EMBEDDING_LOOKUP,
              {ids, lookup.bytes({3, 2}, {1, 2, 3, 4, 5, 6}, {{0.5F}, {0}})}, {z});
  lookup.output(z);
  check_model(lookup, {{2, 0}}, {2, 2}, {2.5, 3, 0.5, 1});
}

TEST_CASE("what does not fit is refused") {
  const auto refusal = [](BuiltinOperator kind, const Integers& a, const Integers& b,
                          const tflite::BuiltinOptionsUnion& options = {}) {
    TfliteBuilder builder;
    const int x = builder.input({3, 4}), y = builder.tensor({1});
    const auto list = [&](const Integers& values) {
      return builder.integers({static_cast<std::int64_t>(values.size())}, values);
    };
    std::vector<int> inputs = {x, list(a), list(b)};
    if (kind == BuiltinOperator::STRIDED_SLICE) inputs.push_back(list({0, 1}));
    return builder.node(kind, inputs, {y}, options).output(y).refusal();
  };
  CHECK(refusal(BuiltinOperator::SLICE, {0, 0}, {4, 4}).find("cuts 4 from 0") != std::string::npos);
  CHECK(refusal(BuiltinOperator::SLICE, {0, 0}, {0, 4}).find("leave nothing") != std::string::npos);
  CHECK(refusal(BuiltinOperator::SLICE, {-1, 0}, {1, 4}) != "");
  CHECK(refusal(BuiltinOperator::STRIDED_SLICE, {0, 0}, {1, 1},
                options_of(tflite::StridedSliceOptionsT{}))
            .find("stride of 0") != std::string::npos);
  CHECK(refusal(BuiltinOperator::PAD, {0, 0, 0}, {}).find("paddings do not fit") !=
        std::string::npos);
  CHECK(refusal(BuiltinOperator::PAD, {0, -1, 0, 0}, {}).find("its padding is -1") !=
        std::string::npos);
  CHECK(refusal(BuiltinOperator::SPLIT_V, {9}, {0}).find("do not fit") != std::string::npos);
}

}  // namespace figment::testing::lite
