// Operators that give the same numbers another shape, order or type.
#include <doctest/doctest.h>

#include "tests/import/run_graph.h"
#include "tests/import/tflite_builder.h"

namespace figment::testing::lite {
namespace {

const std::vector<float> kX = {1, 2, 3, 4, 5, 6};
const std::vector<double> kSame = {1, 2, 3, 4, 5, 6};

}  // namespace

TEST_CASE("RESHAPE, SQUEEZE, EXPAND_DIMS") {
  check_operator(BuiltinOperator::RESHAPE, {1, 6}, kX, {{{3}, {1, -1, 2}}}, {}, {1, 3, 2}, kSame);
  tflite::ReshapeOptionsT options;
  options.new_shape = {2, 3};
  check_operator(BuiltinOperator::RESHAPE, {1, 6}, kX, {}, options_of(options), {2, 3}, kSame);
  check_operator(BuiltinOperator::SQUEEZE, {1, 3, 1, 2}, kX, {}, {}, {3, 2}, kSame);
  tflite::SqueezeOptionsT squeeze;
  squeeze.squeeze_dims = {-2};
  check_operator(BuiltinOperator::SQUEEZE, {1, 3, 1, 2}, kX, {}, options_of(squeeze), {1, 3, 2},
                 kSame);
  check_operator(BuiltinOperator::EXPAND_DIMS, {3, 2}, kX, {{{}, {1}}}, {}, {3, 1, 2}, kSame);
  check_operator(BuiltinOperator::EXPAND_DIMS, {3, 2}, kX, {{{}, {-1}}}, {}, {3, 2, 1}, kSame);
}

TEST_CASE("TRANSPOSE, TILE, BROADCAST_TO") {
  check_operator(BuiltinOperator::TRANSPOSE, {1, 2, 3}, kX, {{{3}, {0, 2, 1}}}, {}, {1, 3, 2},
                 {1, 4, 2, 5, 3, 6});
  check_operator(BuiltinOperator::TILE, {1, 3}, {1, 2, 3}, {{{2}, {2, 2}}}, {}, {2, 6},
                 {1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3});
  check_operator(BuiltinOperator::BROADCAST_TO, {1, 3}, {1, 2, 3}, {{{2}, {2, 3}}}, {}, {2, 3},
                 {1, 2, 3, 1, 2, 3});
}

TEST_CASE("PACK puts tensors beside each other along a new axis") {
  for (const int axis : {0, 1, -1}) {
    TfliteBuilder builder;
    tflite::PackOptionsT options;
    options.axis = axis;
    options.values_count = 2;
    const Extents shape = axis == 0   ? Extents{2, 1, 3}
                          : axis == 1 ? Extents{1, 2, 3}
                                      : Extents{1, 3, 2};
    const int x = builder.input({1, 3}), y = builder.tensor(shape);
    builder.node(BuiltinOperator::PACK, {x, builder.floats({1, 3}, {4, 5, 6})}, {y},
                 options_of(options));
    builder.output(y);
    check_model(builder, {{1, 2, 3}}, shape,
                axis == -1 ? std::vector<double>{1, 4, 2, 5, 3, 6} : kSame);
  }
}

TEST_CASE("CAST between whole numbers, floats and booleans") {
  for (const auto& [type, expected] : {std::pair{TensorType::INT32, std::vector<double>{-1, 0, 2}},
                                       {TensorType::INT64, std::vector<double>{-1, 0, 2}},
                                       {TensorType::BOOL, std::vector<double>{1, 0, 1}}}) {
    TfliteBuilder builder;
    const int x = builder.input({3}), y = builder.tensor({3}, type);
    builder.node(BuiltinOperator::CAST, {x}, {y}).output(y);
    check_model(builder, {{-1.75F, 0, 2.5F}}, {3}, expected);
  }
  TfliteBuilder builder;
  const int x = builder.input({2}, TensorType::INT64), y = builder.tensor({2});
  builder.node(BuiltinOperator::CAST, {x}, {y}).output(y);
  check_model(builder, {{3, -4}}, {2}, {3, -4});
}

TEST_CASE("arithmetic on shapes is folded away, and any batch works") {
  // As Keras's Reshape is written: the batch from SHAPE, the rest from constants.
  TfliteBuilder builder;
  const int x = builder.input({-1, 6});
  const int shape = builder.tensor({2}, TensorType::INT32),
            batch = builder.tensor({}, TensorType::INT32);
  const int to = builder.tensor({3}, TensorType::INT32), y = builder.tensor({-1, 2, 3});
  builder.node(BuiltinOperator::SHAPE, {x}, {shape});
  tflite::StridedSliceOptionsT slice;
  slice.shrink_axis_mask = 1;
  builder.node(
      BuiltinOperator::STRIDED_SLICE,
      {shape, builder.integers({1}, {0}), builder.integers({1}, {1}), builder.integers({1}, {1})},
      {batch}, options_of(slice));
  tflite::PackOptionsT pack;
  pack.values_count = 3;
  builder.node(BuiltinOperator::PACK, {batch, builder.integers({}, {2}), builder.integers({}, {3})},
               {to}, options_of(pack));
  builder.node(BuiltinOperator::RESHAPE, {x, to}, {y}).output(y);
  const converter::Graph graph = builder.import_with_batch();
  CHECK(graph.nodes.size() == 1);
  CHECK(graph.any_batch);
  CHECK(run_graph(graph, {std::vector<float>(24, 1)}, 4).shapes[0] ==
        converter::make_shape({4, 2, 3}));
}

TEST_CASE("int8 keeps its integers in another shape; another range is a table") {
  for (const bool same : {true, false}) {
    TfliteBuilder builder;
    const int x = builder.input({1, 6}, TensorType::INT8, {{0.5F}, {3}});
    const int y = builder.tensor({2, 3}, TensorType::INT8, {{same ? 0.5F : 0.25F}, {3}});
    builder.node(BuiltinOperator::RESHAPE, {x, builder.integers({2}, {2, 3})}, {y}).output(y);
    CHECK(builder.import().nodes.size() == (same ? 3 : 4));
    check_model(builder, {kX}, {2, 3}, kSame);
  }
}

TEST_CASE("shapes that do not fit are refused") {
  const auto refusal = [](const std::vector<std::int32_t>& to) {
    TfliteBuilder builder;
    const int x = builder.input({1, 6}), y = builder.tensor({1});
    const int shape = builder.integers({static_cast<std::int64_t>(to.size())}, to);
    return builder.node(BuiltinOperator::RESHAPE, {x, shape}, {y}).output(y).refusal();
  };
  CHECK(refusal({2, 3}) == "");
  CHECK(refusal({4, -1}).find("does not fit 1x6") != std::string::npos);
  CHECK(refusal({-1, -1}).find("extent -1") != std::string::npos);
  CHECK(refusal({0, -1}) != "");
  CHECK(refusal({65536, 65536}) != "");
  CHECK(refusal({1, 1, 1, 1, 1, 1, 1, 1, 6}).find("at most 8") != std::string::npos);
}

}  // namespace figment::testing::lite
