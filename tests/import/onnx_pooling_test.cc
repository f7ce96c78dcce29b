// Pools over windows and over whole pictures.
#include <doctest/doctest.h>

#include "tests/import/onnx_builder.h"

namespace figment::testing {
namespace {

// Two channels of 3 x 3: 1..9 and 10..18.
const std::vector<float> kX = ramp(18, 1, 1);
const Extents kShape = {1, 2, 3, 3};

}  // namespace

TEST_CASE("MaxPool") {
  check_node(12, "MaxPool", kShape, kX, {}, {attribute("kernel_shape", Extents{2, 2})},
             {1, 2, 2, 2}, {5, 6, 8, 9, 14, 15, 17, 18});
  check_node(12, "MaxPool", kShape, kX, {},
             {attribute("kernel_shape", Extents{2, 2}), attribute("strides", Extents{2, 2}),
              attribute("ceil_mode", 1)},
             {1, 2, 2, 2}, {5, 6, 8, 9, 14, 15, 17, 18});
  check_node(12, "MaxPool", kShape, kX, {},
             {attribute("kernel_shape", Extents{2, 2}), attribute("strides", Extents{2, 2}),
              attribute("pads", Extents{1, 1, 0, 0}), attribute("storage_order", 0)},
             {1, 2, 2, 2}, {1, 3, 7, 9, 10, 12, 16, 18});
  check_node(12, "MaxPool", {1, 1, 5}, {3, 1, 4, 1, 5}, {},
             {attribute("kernel_shape", Extents{2}), attribute("dilations", Extents{2})}, {1, 1, 3},
             {4, 1, 5});
}

TEST_CASE("AveragePool, with and without the padding in the count") {
  const std::vector<onnx::AttributeProto> same = {attribute("kernel_shape", Extents{2, 2}),
                                                  attribute("auto_pad", "SAME_UPPER")};
  check_node(12, "AveragePool", {1, 1, 3, 3}, ramp(9, 1, 1), {}, same, {1, 1, 3, 3},
             {3, 4, 4.5, 6, 7, 7.5, 7.5, 8.5, 9});
  check_node(12, "AveragePool", {1, 1, 3, 3}, ramp(9, 1, 1), {},
             {attribute("kernel_shape", Extents{2, 2}), attribute("pads", Extents{0, 0, 1, 1}),
              attribute("count_include_pad", 1)},
             {1, 1, 3, 3}, {3, 4, 2.25, 6, 7, 3.75, 3.75, 4.25, 2.25});
}

TEST_CASE("pools over whole pictures") {
  check_node(12, "GlobalAveragePool", kShape, kX, {}, {}, {1, 2, 1, 1}, {5, 14});
  check_node(12, "GlobalMaxPool", kShape, kX, {}, {}, {1, 2, 1, 1}, {9, 18});
  check_node(12, "GlobalAveragePool", {1, 2, 3}, {1, 2, 3, 4, 5, 9}, {}, {}, {1, 2, 1}, {2, 6});
  check_node_refused(12, "GlobalAveragePool", {1, 2}, {}, {}, "must be N,C,...");
}

TEST_CASE("MaxPool's indices are refused where they are used") {
  for (const bool used : {false, true}) {
    OnnxBuilder builder(12);
    builder.input("x", kShape)
        .node("MaxPool", {"x"}, {"y", "where"}, {attribute("kernel_shape", Extents{2, 2})});
    builder.output("y");
    if (used) builder.output("where");
    CHECK(builder.refusal().empty() == !used);
    if (used) CHECK(builder.refusal().find("its output 'where' is used") != std::string::npos);
  }
  check_node_refused(12, "MaxPool", kShape, {}, {}, "lacks the attribute 'kernel_shape'");
}

}  // namespace figment::testing
