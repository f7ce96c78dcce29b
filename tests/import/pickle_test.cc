// Pickles that hold data, and those that would run something.
#include "converter/import/pickle.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace figment::testing {
namespace {

using converter::find_item;
using converter::Pickle;
using converter::PickleOptions;
using converter::PickleValue;
using Kind = PickleValue::Kind;

Pickle read(const std::string& text, bool script_classes = false) {
  PickleOptions options;
  options.file = "'x.pt'";
  options.file_bytes = text.size();
  options.script_classes = script_classes;
  return Pickle(std::as_bytes(std::span(text.data(), text.size())), options);
}

std::string refusal(const std::string& text) {
  try {
    read(text);
  } catch (const converter::ConvertError& error) {
    return error.what();
  }
  return {};
}

// Bytes with zeros among them.
template <std::size_t kLength>
std::string bytes(const char (&text)[kLength]) {
  return {text, kLength - 1};
}

// An OrderedDict of one tensor [2, 3] with strides 1, 2, as torch.save writes it with protocol 2.
const std::string kStateDict = bytes(
    "\x80\x02"
    "ccollections\nOrderedDict\nq\x00)Rq\x01X\x06\x00\x00\x00weightq\x02"
    "ctorch._utils\n_rebuild_tensor_v2\nq\x03((X\x07\x00\x00\x00storageq\x04"
    "ctorch\nFloatStorage\nq\x05X\x01\x00\x00\x00"
    "0q\x06X\x03\x00\x00\x00"
    "cpuq\x07K\x07tq\x08Q"
    "K\x01K\x02K\x03\x86q\x09K\x01K\x02\x86q\x0a\x89h\x00)Rq\x0btq\x0cRq\x0ds}"
    "X\x09\x00\x00\x00_metadatah\x00)Rsb.");

}  // namespace

TEST_CASE("numbers, text and containers of all protocols") {
  CHECK(read(bytes("I42\n.")).root().integer == 42);
  CHECK(read(bytes("I01\n.")).root().is(Kind::kBool));
  CHECK(read(bytes("L-7L\n.")).root().integer == -7);
  CHECK(read(bytes("\x80\x02J\xff\xff\xff\xff.")).root().integer == -1);
  CHECK(read(bytes("\x80\x02\x8a\x02\x00\x80.")).root().integer == -32768);
  CHECK(read(bytes("\x80\x02\x8a\x00.")).root().integer == 0);
  CHECK(read(bytes("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.")).root().integer ==
        std::numeric_limits<std::int64_t>::max());
  CHECK(read(bytes("F0.5\n.")).root().number == 0.5);
  CHECK(read(bytes("G\x3f\xe0\x00\x00\x00\x00\x00\x00.")).root().number == 0.5);
  CHECK(read(bytes("S'abc'\n.")).root().object->text == "abc");
  CHECK(read(bytes("\x80\x04\x95\x07\x00\x00\x00\x00\x00\x00\x00\x8c\x03"
                   "abc\x94."))
            .root()
            .object->text == "abc");
  const Pickle list =
      read(bytes("]q\x00(K\x01K\x02"
                 "e0h\x00."));
  REQUIRE(list.root().is(Kind::kList));
  CHECK(list.root().object->items.size() == 2);
  const Pickle dictionary =
      read(bytes("}(X\x01\x00\x00\x00"
                 "aK\x05X\x01\x00\x00\x00"
                 "b\x88u."));
  REQUIRE(find_item(dictionary.root(), "a") != nullptr);
  CHECK(find_item(dictionary.root(), "a")->integer == 5);
  CHECK(find_item(dictionary.root(), "c") == nullptr);
  // A list that holds itself.
  CHECK(read(bytes("]q\x00h\x00"
                   "a."))
            .root()
            .object->items.size() == 1);
}

TEST_CASE("a state dict's tensors are described") {
  const Pickle pickle = read(kStateDict);
  CHECK(pickle.length() == kStateDict.size());
  const PickleValue* const weight = find_item(pickle.root(), "weight");
  REQUIRE(weight != nullptr);
  REQUIRE(weight->is(Kind::kTensor));
  CHECK(weight->object->sizes == std::vector<std::int64_t>{2, 3});
  CHECK(weight->object->strides == std::vector<std::int64_t>{1, 2});
  CHECK(weight->object->offset == 1);
  CHECK(weight->object->type == converter::TorchType::kFloat32);
  CHECK(weight->object->storage->text == "0");
  CHECK(weight->object->storage->count == 7);
}

TEST_CASE("whatever could run is refused by name") {
  const std::string sentence =
      refusal(bytes("\x80\x02"
                    "c__main__\nGenerator\n)\x81}b."));
  CHECK(sentence ==
        "'x.pt' holds the Python class 'Generator' of the module '__main__', which cannot be run; "
        "save the weights alone instead: torch.save(model.state_dict(), 'weights.pt')");
  CHECK(refusal(bytes("cos\nsystem\n(S'true'\ntR.")).find("'system'") != std::string::npos);
  CHECK(refusal(bytes("\x80\x04\x8c\x08"
                      "builtins\x8c\x04"
                      "eval\x93."))
            .find("'eval'") != std::string::npos);
  CHECK(refusal(bytes("c__torch__.a\nNet\n)\x81}b.")).find("'Net'") != std::string::npos);
  CHECK(read(bytes("c__torch__.a\nNet\n)\x81}X\x01\x00\x00\x00"
                   "aK\x05sb."),
             true)
            .root()
            .is(Kind::kInstance));
  CHECK(refusal(bytes("(i__main__\nX\n.")).find("opcode") != std::string::npos);
  CHECK(refusal(bytes("c\x01\n\x02\n.")).find("no sensible class") != std::string::npos);
}

TEST_CASE("pickles that take what is not there, or too much, are damaged") {
  for (const std::string& text :
       {bytes("."), bytes("0."), bytes("h\x05."), bytes("t."), bytes("K\x01K\x02s."), bytes("a."),
        bytes("K\x01R."),
        bytes("X\xff\xff\xff\x7f"
              "abc."),
        bytes("\x8d\xff\xff\xff\xff\xff\xff\xff\xff."), bytes("I4x\n."), bytes("}(K\x01u."),
        bytes("K\x01)Q."), bytes("\x80\x09."), bytes("\xff."), bytes("(K\x01(0."),
        bytes("ctorch._utils\n_rebuild_tensor_v2\n)R.")})
    CHECK(refusal(text).find("is cut off or damaged") != std::string::npos);
  // One byte each, a list each: far more memory than the file has bytes.
  CHECK(refusal(std::string(2'000'000, ']') + ".").find("memory") != std::string::npos);
  CHECK(refusal(std::string(2'000'000, '(') + ".").find("memory") != std::string::npos);
  CHECK(refusal("N" + std::string(2'000'000, '2') + ".").find("memory") != std::string::npos);
}

TEST_CASE("a pickle that is cut off or has damaged bytes never does more than be refused") {
  for (std::size_t length = 0; length < kStateDict.size(); ++length)
    CHECK(!refusal(kStateDict.substr(0, length)).empty());
  std::mt19937 random(3);
  for (int round = 0; round < 20000; ++round) {
    std::string text = kStateDict;
    for (int change = 0; change < 1 + round % 4; ++change)
      text[random() % text.size()] = static_cast<char>(random() % 256);
    CHECK(refusal(text).find('\n') == std::string::npos);
  }
}

}  // namespace figment::testing
