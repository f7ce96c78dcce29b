// Operators that cut tensors, put them together, and choose among them.
#include <doctest/doctest.h>

#include "tests/import/onnx_builder.h"
#include "tests/import/run_graph.h"

namespace figment::testing {
namespace {

const std::vector<float> kX = ramp(12, 0, 1);  // [1,3,4]
const Extents kShape = {1, 3, 4};

onnx::TensorProto list(const std::string& name, const Extents& values) {
  return integer_tensor(name, {static_cast<std::int64_t>(values.size())}, values);
}

constexpr std::int64_t kFar = INT64_MAX;

}  // namespace

TEST_CASE("Concat") {
  check_node(13, "Concat", {1, 2}, {1, 2}, {float_tensor("c", {1, 3}, {3, 4, 5})},
             {attribute("axis", -1)}, {1, 5}, {1, 2, 3, 4, 5});
  check_node_refused(13, "Concat", {1, 2}, {}, {}, "lacks the attribute 'axis'");
  // More parts than one operator takes.
  OnnxBuilder builder(13);
  builder.input("x", {1, 1});
  std::vector<std::string> parts;
  std::vector<double> expected;
  for (int part = 0; part < 150; ++part) {
    parts.push_back(part == 77 ? "x" : "c" + std::to_string(part));
    if (part != 77) builder.floats(parts.back(), {1, 1}, {static_cast<float>(part)});
    expected.push_back(part == 77 ? -5 : part);
  }
  builder.node("Concat", parts, {"y"}, {attribute("axis", 1)}).output("y");
  check_values(builder, {{-5}}, {1, 150}, expected);
}

TEST_CASE("Slice, with attributes") {
  check_node(9, "Slice", kShape, kX, {},
             {attribute("starts", Extents{1, 1}), attribute("ends", Extents{3, kFar}),
              attribute("axes", Extents{1, 2})},
             {1, 2, 3}, {5, 6, 7, 9, 10, 11});
  check_node(9, "Slice", kShape, kX, {},
             {attribute("starts", Extents{0, -2}), attribute("ends", Extents{1, -1})}, {1, 1, 4},
             {4, 5, 6, 7});
}

TEST_CASE("Slice, with operands") {
  check_node(13, "Slice", kShape, kX,
             {list("s", {3}), list("e", {-kFar}), list("a", {2}), list("t", {-2})}, {}, {1, 3, 2},
             {3, 1, 7, 5, 11, 9});
  check_node(13, "Slice", kShape, kX,
             {list("s", {-2}), list("e", {-4}), list("a", {-1}), list("t", {-1})}, {}, {1, 3, 2},
             {2, 1, 6, 5, 10, 9});
  check_node(13, "Slice", kShape, kX,
             {list("s", {0}), list("e", {100}), list("a", {2}), list("t", {3})}, {}, {1, 3, 2},
             {0, 3, 4, 7, 8, 11});
  check_node_refused(13, "Slice", kShape, {list("s", {2}), list("e", {1}), list("a", {2})}, {},
                     "would leave nothing");
  check_node_refused(13, "Slice", kShape,
                     {list("s", {0}), list("e", {1}), list("a", {2}), list("t", {0})}, {},
                     "a step of 0");
  check_node_refused(13, "Slice", kShape, {list("s", {0, 1}), list("e", {1})}, {},
                     "differ in number");
  check_node_refused(13, "Slice", kShape, {list("s", {0}), list("e", {1}), list("a", {3})}, {},
                     "axis 3 is outside");
}

TEST_CASE("a Slice of everything is nothing") {
  OnnxBuilder builder(13);
  builder.input("x", kShape)
      .integers("s", {1}, {0})
      .integers("e", {1}, {kFar})
      .integers("a", {1}, {2});
  builder.node("Slice", {"x", "s", "e", "a"}, {"z"}).node("Relu", {"z"}, {"y"}).output("y");
  CHECK(builder.import().nodes.size() == 1);
}

TEST_CASE("Split in equal parts, in given parts, and with a smaller last one") {
  const auto run = [](int opset, const std::vector<onnx::AttributeProto>& attributes,
                      const Extents& sizes, int parts,
                      const std::vector<std::vector<double>>& expected) {
    OnnxBuilder builder(opset);
    builder.input("x", {1, 5});
    std::vector<std::string> inputs = {"x"}, outputs;
    if (!sizes.empty())
      inputs.push_back("sizes"),
          builder.integers("sizes", {static_cast<std::int64_t>(sizes.size())}, sizes);
    for (int part = 0; part < parts; ++part) outputs.push_back("y" + std::to_string(part));
    builder.node("Split", inputs, outputs, attributes);
    for (const std::string& output : outputs) builder.output(output);
    const GraphRun result = run_graph(builder.import(), {{0, 1, 2, 3, 4}});
    CHECK(result.values == expected);
  };
  run(11, {attribute("axis", 1), attribute("split", Extents{2, 3})}, {}, 2, {{0, 1}, {2, 3, 4}});
  run(13, {attribute("axis", -1)}, {1, 1, 3}, 3, {{0}, {1}, {2, 3, 4}});
  run(18, {attribute("axis", 1), attribute("num_outputs", 3)}, {}, 3, {{0, 1}, {2, 3}, {4}});
  run(13, {attribute("axis", 1)}, {}, 5, {{0}, {1}, {2}, {3}, {4}});
  OnnxBuilder builder(13);
  builder.input("x", {1, 5}).node("Split", {"x"}, {"a", "b"}, {attribute("axis", 1)}).output("a");
  CHECK(builder.refusal().find("does not divide into 2 parts") != std::string::npos);
  OnnxBuilder wrong(13);
  wrong.input("x", {1, 5})
      .integers("sizes", {2}, {2, 2})
      .node("Split", {"x", "sizes"}, {"a", "b"}, {attribute("axis", 1)});
  CHECK(wrong.output("a").refusal().find("its parts make 4") != std::string::npos);
}

TEST_CASE("Gather as an index and as an embedding") {
  check_node(13, "Gather", kShape, kX, {integer_tensor("i", {}, {-1})}, {attribute("axis", 1)},
             {1, 4}, {8, 9, 10, 11});
  check_node(13, "Gather", kShape, kX, {list("i", {3, 0, -2})}, {attribute("axis", 2)}, {1, 3, 3},
             {3, 0, 2, 7, 4, 6, 11, 8, 10});
  check_node_refused(13, "Gather", kShape, {list("i", {4})}, {attribute("axis", 2)},
                     "index 4 is outside an axis of extent 4");
  OnnxBuilder builder(13);
  builder.input("i", {1, 2}, onnx::TensorProto::INT64)
      .floats("table", {3, 2}, {0, 1, 10, 11, 20, 21});
  builder.node("Gather", {"table", "i"}, {"y"}).output("y");
  check_values(builder, {{2, 0}}, {1, 2, 2}, {20, 21, 0, 1});
}

TEST_CASE("Pad: attribute or operand, modes, chosen axes") {
  check_node(9, "Pad", {1, 2}, {1, 2}, {},
             {attribute("pads", Extents{0, 1, 0, 2}), attribute("value", 7.0F)}, {1, 5},
             {7, 1, 2, 7, 7});
  check_node(13, "Pad", {1, 2}, {1, 2}, {list("p", {0, 1, 0, 2})}, {}, {1, 5}, {0, 1, 2, 0, 0});
  check_node(13, "Pad", {1, 2}, {1, 2}, {list("p", {0, 1, 0, 0}), float_tensor("v", {}, {3})}, {},
             {1, 3}, {3, 1, 2});
  check_node(13, "Pad", {1, 3}, {1, 2, 3}, {list("p", {0, 2, 0, 1})},
             {attribute("mode", "reflect")}, {1, 6}, {3, 2, 1, 2, 3, 2});
  check_node(13, "Pad", {1, 3}, {1, 2, 3}, {list("p", {0, 2, 0, 1})}, {attribute("mode", "edge")},
             {1, 6}, {1, 1, 1, 2, 3, 3});
  check_node(18, "Pad", {1, 2}, {1, 2},
             {list("p", {1, 0}), float_tensor("", {}, {}), list("a", {-1})}, {}, {1, 3}, {0, 1, 2});
  check_node(13, "Pad", {1, 4}, {1, 2, 3, 4}, {list("p", {0, -1, 0, 1})}, {}, {1, 4},
             {2, 3, 4, 0});  // crops in front
  check_node(13, "Pad", {1, 2}, {1, 2}, {list("p", {0, 0, 0, 0})}, {}, {1, 2}, {1, 2});
  check_node_refused(19, "Pad", {1, 2}, {list("p", {0, 1, 0, 0})}, {attribute("mode", "wrap")},
                     "mode 'wrap' is not supported");
  check_node_refused(13, "Pad", {1, 2}, {list("p", {0, 1})}, {}, "2 pads for 2 axes");
  check_node_refused(13, "Pad", {1, 2}, {list("p", {0, -1, 0, -1})}, {}, "would leave nothing");
}

TEST_CASE("If with a constant condition leaves one branch, which sees the names around it") {
  const auto branch = [](const std::string& kind, const std::string& output) {
    onnx::GraphProto graph;
    graph.set_name(output);
    *graph.add_node() = make_onnx_node(kind, {"x", "c"}, {output});
    graph.add_output()->set_name(output);
    return graph;
  };
  for (const bool condition : {true, false}) {
    OnnxBuilder builder(13);
    builder.input("x", {1, 2})
        .floats("c", {2}, {10, 20})
        .integers("which", {}, {condition ? 1 : 0});
    builder.node("If", {"which"}, {"y"},
                 {attribute("then_branch", branch("Add", "t")),
                  attribute("else_branch", branch("Mul", "e"))});
    check_values(builder.output("y"), {{1, 2}}, {1, 2},
                 condition ? std::vector<double>{11, 22} : std::vector<double>{10, 40});
  }
  OnnxBuilder builder(13);
  builder.input("x", {1, 2})
      .input("which", {1}, onnx::TensorProto::BOOL)
      .floats("c", {2}, {10, 20});
  builder.node(
      "If", {"which"}, {"y"},
      {attribute("then_branch", branch("Add", "t")), attribute("else_branch", branch("Mul", "e"))});
  CHECK(builder.output("y").refusal().find("its condition depends on the model's data") !=
        std::string::npos);
}

TEST_CASE("older opsets' attributes and defaults") {
  OnnxBuilder concat(3);
  concat.input("x", {1, 2}).node("Concat", {"x", "x"}, {"y"}).output("y");
  check_values(concat, {{1, 2}}, {1, 4}, {1, 2, 1, 2});
  check_node_refused(4, "Concat", {1, 2}, {}, {}, "lacks the attribute 'axis'");
  check_node(1, "Pad", {1, 2}, {1, 2}, {}, {attribute("paddings", Extents{0, 1, 0, 0})}, {1, 3},
             {0, 1, 2});
  check_node_refused(1, "Pad", {1, 2}, {}, {attribute("pads", Extents{0, 1, 0, 0})},
                     "lacks the attribute 'paddings'");
  check_node_refused(2, "Pad", {1, 2}, {}, {attribute("paddings", Extents{0, 1, 0, 0})},
                     "lacks the attribute 'pads'");
  // The parts' extents as an operand: in opset 1, and from opset 13 on.
  for (const int opset : {1, 13}) {
    OnnxBuilder split(opset);
    split.input("x", {1, 3}).integers("s", {2}, {1, 2});
    split.node("Split", {"x", "s"}, {"a", "y"}, {attribute("axis", 1)}).output("y");
    check_values(split, {{1, 2, 3}}, {1, 2}, {2, 3});
  }
}

}  // namespace figment::testing
