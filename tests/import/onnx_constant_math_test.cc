// The arithmetic on shapes, folded away: models whose output's shape is what was computed.
#include <doctest/doctest.h>

#include "converter/graph/graph.h"
#include "tests/import/onnx_builder.h"
#include "tests/import/run_graph.h"

namespace figment::testing {
namespace {

// The integers that one node gives for constant operands: read back as an input plus the result.
void check(const std::string& kind, const std::vector<onnx::TensorProto>& operands,
           const std::vector<double>& expected,
           const std::vector<onnx::AttributeProto>& attributes = {}) {
  CAPTURE(kind);
  OnnxBuilder builder(13);
  std::vector<std::string> names;
  for (const onnx::TensorProto& operand : operands) {
    names.push_back(operand.name());
    if (!operand.name().empty()) *builder.model().mutable_graph()->add_initializer() = operand;
  }
  const auto count = static_cast<std::int64_t>(expected.size());
  builder.input("x", {1, count}).node(kind, names, {"folded"}, attributes);
  builder.node("Cast", {"folded"}, {"numbers"}, {attribute("to", onnx::TensorProto::FLOAT)});
  builder.node("Add", {"x", "numbers"}, {"y"}).output("y");
  CHECK(builder.import().nodes.size() == 1);
  check_values(builder, {std::vector<float>(expected.size(), 0)}, {1, count}, expected);
}

onnx::TensorProto ints(const std::string& name, const Extents& values) {
  return integer_tensor(name, {static_cast<std::int64_t>(values.size())}, values);
}

}  // namespace

TEST_CASE("integer arithmetic") {
  check("Add", {ints("a", {1, -2, 3}), ints("b", {10, 20, 30})}, {11, 18, 33});
  check("Sub", {ints("a", {1, 2, 3}), ints("b", {1})}, {0, 1, 2});
  check("Mul", {ints("a", {1, 2, 3}), ints("b", {4, 5, 6})}, {4, 10, 18});
  check("Div", {ints("a", {7, -7, 8}), ints("b", {2})}, {3, -3, 4});  // towards 0
  check("Div", {ints("a", {7}), ints("b", {0})}, {2147483647});
  check("Mod", {ints("a", {7, -7}), ints("b", {3})}, {1, 2});
  check("Mod", {ints("a", {7, -7}), ints("b", {3})}, {1, -1}, {attribute("fmod", 1)});
  check("Pow", {ints("a", {2, 3}), ints("b", {3, 2})}, {8, 9});
  check("Neg", {ints("a", {2, -3})}, {-2, 3});
  check("Abs", {ints("a", {2, -3})}, {2, 3});
  check("Max", {ints("a", {1, 9}), ints("b", {5}), ints("c", {2, 3})}, {5, 9});
  check("Min", {ints("a", {1, 9}), ints("b", {5})}, {1, 5});
  check("Sum", {ints("a", {1, 9}), ints("b", {5})}, {6, 14});
  check("Clip", {ints("a", {1, 9}), ints("low", {2}), ints("high", {8})}, {2, 8});
  check("Clip", {ints("a", {1, 9}), ints("", {}), ints("high", {8})}, {1, 8});
  // Values beyond int32 are as large as it can hold.
  check("Add", {ints("a", {std::int64_t{1} << 40}), ints("b", {1})}, {2147483647});
}

TEST_CASE("comparisons, logic and selection") {
  check("Equal", {ints("a", {1, 2}), ints("b", {2})}, {0, 1});
  check("Less", {ints("a", {1, 2}), ints("b", {2})}, {1, 0});
  check("LessOrEqual", {ints("a", {1, 3}), ints("b", {2})}, {1, 0});
  check("Greater", {ints("a", {1, 3}), ints("b", {2})}, {0, 1});
  check("GreaterOrEqual", {ints("a", {2, 1}), ints("b", {2})}, {1, 0});
  check("And", {ints("a", {1, 0}), ints("b", {1, 1})}, {1, 0});
  check("Or", {ints("a", {1, 0}), ints("b", {0, 0})}, {1, 0});
  check("Xor", {ints("a", {1, 0}), ints("b", {1, 1})}, {0, 1});
  check("Not", {ints("a", {1, 0})}, {0, 1});
  check("Where", {ints("c", {1, 0}), ints("a", {5, 6}), ints("b", {7, 8})}, {5, 8});
}

TEST_CASE("rounding of constant numbers") {
  const onnx::TensorProto numbers = float_tensor("a", {4}, {-1.5F, -0.5F, 0.5F, 2.5F});
  check("Floor", {numbers}, {-2, -1, 0, 2});
  check("Ceil", {numbers}, {-1, 0, 1, 3});
  check("Round", {numbers}, {-2, 0, 0, 2});
  check("Sign", {numbers}, {-1, -1, 1, 1});
}

TEST_CASE("lists of no extents, which exporters compute with too") {
  // torch.expand to no axes: where(shape == -1, ones(shape) * 1, shape), of an empty shape.
  OnnxBuilder builder(13);
  builder.input("x", {}).integers("shape", {0}, {}).integers("one", {1}, {1});
  builder.integers("minus", {}, {-1});
  builder.node("Mul", {"shape", "one"}, {"ones"}).node("Neg", {"minus"}, {"plus"});
  builder.node("Mul", {"ones", "plus"}, {"same"}).node("Equal", {"shape", "minus"}, {"open"});
  builder.node("Not", {"open"}, {"fixed"}).node("Not", {"fixed"}, {"again"});
  builder.node("Where", {"again", "same", "shape"}, {"chosen"});
  builder.node("Max", {"chosen", "shape"}, {"most"}).node("Abs", {"most"}, {"size"});
  builder.node("Expand", {"x", "size"}, {"y"}).output("y");
  builder.model()
      .mutable_graph()
      ->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape();
  check_values(builder, {{3}}, {}, {3});
}

TEST_CASE("operands that do not broadcast are refused") {
  OnnxBuilder builder(13);
  builder.input("x", {1, 3}).integers("a", {2}, {1, 2}).integers("b", {3}, {1, 2, 3});
  builder.node("Add", {"a", "b"}, {"shape"}).node("Reshape", {"x", "shape"}, {"y"}).output("y");
  CHECK(builder.refusal().find("node 'the_Add' (Add): its operands cannot be broadcast") == 0);
}

TEST_CASE("a shape computed from an input's own shape") {
  // x.view(x.size(0), x.size(1) * x.size(2) / 2, -1), as exporters write it.
  OnnxBuilder builder(13);
  builder.input("x", {-1, 4, 6})
      .integers("zero", {}, {0})
      .integers("one", {}, {1})
      .integers("two", {}, {2});
  builder.integers("axis", {1}, {0}).integers("rest", {1}, {-1});
  builder.node("Shape", {"x"}, {"s"})
      .node("Gather", {"s", "zero"}, {"n"})
      .node("Gather", {"s", "one"}, {"c"});
  builder.node("Gather", {"s", "two"}, {"l"})
      .node("Mul", {"c", "l"}, {"cl"})
      .node("Div", {"cl", "two"}, {"half"});
  builder.node("Unsqueeze", {"n", "axis"}, {"n1"}).node("Unsqueeze", {"half", "axis"}, {"half1"});
  builder.node("Concat", {"n1", "half1", "rest"}, {"shape"}, {attribute("axis", 0)});
  builder.node("Reshape", {"x", "shape"}, {"y"}).output("y");
  const converter::Graph graph = builder.import_with_batch();
  CHECK(graph.nodes.size() == 1);
  CHECK(graph.any_batch);
  CHECK(describe(run_graph(graph, {ramp(72)}, 3).shapes[0]) == "3x12x2");
}

}  // namespace figment::testing
