// Upsample, Resize, DepthToSpace, SpaceToDepth.
#include <doctest/doctest.h>

#include "tests/import/onnx_builder.h"

namespace figment::testing {
namespace {

const std::vector<float> kX = {1, 2, 3, 4};  // [1,1,2,2]
const std::vector<double> kNearest = {1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4};
const onnx::TensorProto kNone = float_tensor("", {}, {});
const onnx::TensorProto kScales = float_tensor("scales", {4}, {1, 1, 2, 2});
const onnx::TensorProto kSizes = integer_tensor("sizes", {4}, {1, 1, 4, 4});

}  // namespace

TEST_CASE("Upsample and the first Resize") {
  check_node(7, "Upsample", {1, 1, 2, 2}, kX, {}, {numbers_attribute("scales", {1, 1, 2, 2})},
             {1, 1, 4, 4}, kNearest);
  check_node(9, "Upsample", {1, 1, 2, 2}, kX, {kScales}, {attribute("mode", "nearest")},
             {1, 1, 4, 4}, kNearest);
  check_node(10, "Resize", {1, 1, 2, 2}, kX, {kScales}, {}, {1, 1, 4, 4}, kNearest);
  // Asymmetric: output 1 stands at input 0.5, outputs 2 and 3 at and beyond the last pixel.
  check_node(9, "Upsample", {1, 1, 1, 2}, {1, 3}, {float_tensor("scales", {4}, {1, 1, 1, 2})},
             {attribute("mode", "linear")}, {1, 1, 1, 4}, {1, 2, 3, 3});
}

TEST_CASE("Resize by scales, by sizes, and along chosen axes") {
  check_node(11, "Resize", {1, 1, 2, 2}, kX, {float_tensor("roi", {0}, {}), kScales}, {},
             {1, 1, 4, 4}, kNearest);
  check_node(13, "Resize", {1, 1, 2, 2}, kX, {kNone, kScales}, {}, {1, 1, 4, 4}, kNearest);
  check_node(13, "Resize", {1, 1, 2, 2}, kX, {kNone, kNone, kSizes}, {}, {1, 1, 4, 4}, kNearest);
  check_node(11, "Resize", {1, 1, 2, 2}, kX, {kNone, float_tensor("scales", {0}, {}), kSizes}, {},
             {1, 1, 4, 4}, kNearest);
  check_node(18, "Resize", {1, 1, 2, 2}, kX, {kNone, kNone, integer_tensor("sizes", {2}, {4, 4})},
             {attribute("axes", Extents{2, 3}), attribute("antialias", 1)}, {1, 1, 4, 4}, kNearest);
  check_node(
      18, "Resize", {1, 1, 2, 1}, {1, 2}, {kNone, kNone, integer_tensor("sizes", {2}, {4, 4})},
      {attribute("axes", Extents{2, 3}), attribute("keep_aspect_ratio_policy", "not_larger")},
      {1, 1, 4, 2}, {1, 1, 1, 1, 2, 2, 2, 2});
  check_node(13, "Resize", {1, 1, 2}, {1, 2}, {kNone, float_tensor("scales", {3}, {1, 1, 2})}, {},
             {1, 1, 4}, {1, 1, 2, 2});
  // N,H,W,C, as TensorFlow's exporters leave it.
  check_node(13, "Resize", {1, 1, 2, 2}, kX, {kNone, float_tensor("scales", {4}, {1, 2, 2, 1})}, {},
             {1, 2, 4, 2}, {1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4});
  check_node(13, "Resize", {1, 1, 2, 2}, kX, {kNone, float_tensor("scales", {4}, {1, 1, 1, 1})}, {},
             {1, 1, 2, 2}, {1, 2, 3, 4});
}

TEST_CASE("linear resizing under each kind of coordinates") {
  const std::vector<float> x = {0, 4};
  const auto run = [&](const char* coordinates, const std::vector<double>& expected) {
    check_node(
        19, "Resize", {1, 1, 1, 2}, x, {kNone, float_tensor("scales", {4}, {1, 1, 1, 2})},
        {attribute("mode", "linear"), attribute("coordinate_transformation_mode", coordinates)},
        {1, 1, 1, 4}, expected);
  };
  run("half_pixel", {0, 1, 3, 4});
  run("half_pixel_symmetric", {0, 1, 3, 4});
  run("pytorch_half_pixel", {0, 1, 3, 4});
  run("asymmetric", {0, 2, 4, 4});
  run("align_corners", {0, 4.0 / 3, 8.0 / 3, 4});
}

TEST_CASE("a broken scale keeps its own value in the coordinates") {
  // 3 * 1.5 = 4.5, so 4 outputs at (i + 0.5) / 1.5 - 0.5, where sizes would give (i + 0.5) * 3 / 4
  // - 0.5.
  check_node(13, "Resize", {1, 1, 1, 3}, {0, 3, 6},
             {kNone, float_tensor("scales", {4}, {1, 1, 1, 1.5F})}, {attribute("mode", "linear")},
             {1, 1, 1, 4}, {0, 1.5, 3.5, 5.5});
  check_node(13, "Resize", {1, 1, 1, 3}, {0, 3, 6},
             {kNone, kNone, integer_tensor("sizes", {4}, {1, 1, 1, 4})},
             {attribute("mode", "linear")}, {1, 1, 1, 4}, {0, 1.875, 4.125, 6});
}

TEST_CASE("how nearest rounds") {
  const auto run = [&](const char* rounding, const std::vector<double>& expected) {
    // Coordinates 0, 0.5, 1, 1.5
    check_node(13, "Resize", {1, 1, 1, 2}, {1, 2},
               {kNone, float_tensor("scales", {4}, {1, 1, 1, 2})},
               {attribute("coordinate_transformation_mode", "asymmetric"),
                attribute("nearest_mode", rounding)},
               {1, 1, 1, 4}, expected);
  };
  run("floor", {1, 1, 2, 2});
  run("ceil", {1, 2, 2, 2});
  run("round_prefer_floor", {1, 1, 2, 2});
  run("round_prefer_ceil", {1, 2, 2, 2});
}

TEST_CASE("DepthToSpace and SpaceToDepth") {
  const std::vector<float> x = ramp(8, 0, 1);  // [1,8,1,1]
  check_node(11, "DepthToSpace", {1, 8, 1, 1}, x, {}, {attribute("blocksize", 2)}, {1, 2, 2, 2},
             {0, 2, 4, 6, 1, 3, 5, 7});
  check_node(11, "DepthToSpace", {1, 8, 1, 1}, x, {},
             {attribute("blocksize", 2), attribute("mode", "CRD")}, {1, 2, 2, 2},
             {0, 1, 2, 3, 4, 5, 6, 7});
  check_node(11, "SpaceToDepth", {1, 2, 2, 2}, x, {}, {attribute("blocksize", 2)}, {1, 8, 1, 1},
             {0, 4, 1, 5, 2, 6, 3, 7});
}

TEST_CASE("what is refused") {
  const Extents x = {1, 1, 2, 2};
  const auto scales = [](const char* name) { return float_tensor(name, {4}, {1, 1, 2, 2}); };
  check_node_refused(13, "Resize", x, {kNone, scales("s")}, {attribute("mode", "spline")},
                     "mode 'spline' is not supported");
  check_node_refused(13, "Resize", x, {kNone, scales("s")},
                     {attribute("coordinate_transformation_mode", "tf_crop_and_resize")},
                     "'tf_crop_and_resize' are not supported");
  check_node_refused(13, "Resize", x, {kNone, float_tensor("s", {4}, {1, 2, 2, 2})}, {},
                     "only the spatial axes");
  check_node_refused(13, "Resize", x, {kNone, float_tensor("s", {4}, {1, 1, -2, 2})}, {},
                     "no sensible factor");
  check_node_refused(13, "Resize", x, {kNone, float_tensor("s", {3}, {1, 1, 2})}, {},
                     "3 scales for 4 axes");
  check_node_refused(13, "Resize", x, {}, {}, "either scales or sizes");
  check_node_refused(18, "Resize", {1, 1, 4, 4},
                     {kNone, kNone, integer_tensor("n", {4}, {1, 1, 2, 2})},
                     {attribute("antialias", 1)}, "antialiasing is not supported");
  check_node_refused(11, "DepthToSpace", {1, 6, 1, 1}, {}, {attribute("blocksize", 4)}, "");
  check_node_refused(11, "DepthToSpace", {1, 4, 1}, {}, {attribute("blocksize", 2)},
                     "must be N,C,H,W");
}

}  // namespace figment::testing
