// The Python that TorchScript archives hold: what is read of it, and what is not.
#include "converter/import/torch/script_code.h"

#include <doctest/doctest.h>

#include <random>

#include "converter/graph/graph.h"

namespace figment::testing {
namespace {

using converter::parse_script;
using converter::ScriptCode;
using converter::ScriptExpression;
using converter::ScriptStatement;

const std::string kCode = R"(class Net(Module):
  __parameters__ = ["weight", ]
  weight : Tensor
  def forward(self: __torch__.Net,
    x: Tensor) -> Tuple[Tensor, Tensor]:
    weight = self.weight
    # a remark
    a, b, = torch.chunk(x, 2, 1)
    _0 = torch.conv2d(a, weight, None, [1, -1], bias="it's \"so\"", eps=1.0000000000000001e-05)

    return ((_0).forward(b, ), _0[1])
def helper(x: Tensor) -> Tensor:
  if bool(x):
    y = x
  else:
    y = x
  return y
)";

std::string refusal(const std::string& text) {
  try {
    parse_script(text, "'code'");
  } catch (const converter::ConvertError& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("classes, functions and statements") {
  const ScriptCode code = parse_script(kCode, "'code'");
  REQUIRE(code.size() == 2);
  const converter::ScriptFunction& forward = code.at("Net.forward");
  REQUIRE(forward.parameters.size() == 2);
  CHECK(forward.parameters[1].name == "x");
  CHECK(forward.parameters[1].type == "Tensor");
  REQUIRE(forward.body.size() == 4);
  CHECK(forward.body[1].takes_apart);
  CHECK(forward.body[1].targets == std::vector<std::string>{"a", "b"});
  const ScriptExpression& call = forward.body[2].value;
  REQUIRE(call.is(ScriptExpression::Kind::kCall));
  REQUIRE(call.parts.size() == 7);
  CHECK(call.parts[4].parts.at(1).text == "-1");
  CHECK(call.keywords[4] == "bias");
  CHECK(call.parts[5].text == "it's \"so\"");
  CHECK(call.parts[6].text == "1.0000000000000001e-05");
  CHECK(forward.body[3].kind == ScriptStatement::Kind::kReturn);
  CHECK(forward.body[3].value.parts.size() == 2);
  const converter::ScriptFunction& helper = code.at("helper");
  REQUIRE(helper.body.size() == 1);
  CHECK(helper.body[0].word == "if");
}

TEST_CASE("other Python is refused with its line") {
  CHECK(refusal("def f(x):\n  y = x + 1\n").find("in line 2 '+'") != std::string::npos);
  CHECK(!refusal("def f(x):\n  y = \"open\n").empty());
  CHECK(!refusal("def f(x):\n  y = {}\n").empty());
  CHECK(!refusal("def f(x):\n  a.b = 1\n").empty());
  CHECK(!refusal("def f(x\n").empty());
  CHECK(!refusal("def f():\n  return 1\ndef f():\n  return 2\n").empty());
  CHECK(!refusal("def f():\n  return " + std::string(5000, '(')).empty());
  CHECK(!refusal("def f():\n  return " + std::string(5000, '[')).empty());
  std::string chain = "x";
  for (int index = 0; index < 5000; ++index) chain += ".a";
  CHECK(!refusal("def f():\n  return " + chain + "\n").empty());
  for (const char* bracket : {"[", "g("}) {
    std::string list = std::string("def f():\n  return ") + bracket;
    for (int index = 0; index < 5000; ++index) list += "x, ";
    CHECK(refusal(list + (*bracket == '[' ? "]\n" : ")\n")).find("too long") != std::string::npos);
  }
}

TEST_CASE("damaged code is refused or is other code") {
  for (std::size_t length = 0; length < kCode.size(); ++length) refusal(kCode.substr(0, length));
  std::mt19937 random(5);
  for (int round = 0; round < 5000; ++round) {
    std::string text = kCode;
    for (int change = 0; change < 1 + round % 4; ++change)
      text[random() % text.size()] = static_cast<char>(random() % 256);
    CHECK(refusal(text).size() < 2000);
  }
}

}  // namespace figment::testing
