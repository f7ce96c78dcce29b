// The layouts of torch.save and the types of numbers in them.
#include <doctest/doctest.h>

#include "converter/import/torch/tensors.h"
#include "converter/import/torch/weights.h"
#include "tests/import/torch/golden_case.h"

namespace figment::testing {
namespace {

using converter::TorchArray;
using converter::TorchCheckpoint;

std::filesystem::path file(const char* name) { return torch_goldens() / "files" / name; }

std::vector<double> numbers(const TorchArray& array) {
  std::vector<double> values(static_cast<std::size_t>(array.shape.elements()));
  for (std::size_t index = 0; index < values.size(); ++index)
    values[index] = array.type == DataType::kInt32
                        ? reinterpret_cast<const std::int32_t*>(array.bytes.data())[index]
                        : static_cast<double>(array.floats()[index]);
  return values;
}

bool mentions(const std::string& sentence, const char* what) {
  return sentence.find(what) != std::string::npos;
}

void check_types(const TorchCheckpoint& checkpoint) {
  const converter::TorchNames names = converter::find_state_dict(checkpoint.pickle, "'x'", "");
  converter::TorchWeights weights(*checkpoint.storages, names);
  std::vector<double> ramp(24);
  for (std::size_t index = 0; index < ramp.size(); ++index)
    ramp[index] = static_cast<double>(index) / 8;
  for (const char* name : {"float32", "float64", "float16", "bfloat16"}) {
    CAPTURE(name);
    const TorchArray array = weights.read(name);
    CHECK(array.type == DataType::kFloat32);
    CHECK(numbers(array) == ramp);
  }
  const auto values = [&](const char* name) { return numbers(weights.read(name)); };
  CHECK(values("int8") == std::vector<double>{-128, 127});
  CHECK(values("uint8") == std::vector<double>{0, 255});
  CHECK(values("int16") == std::vector<double>{-300, 300});
  CHECK(values("int32") == std::vector<double>{-70000, 70000});
  CHECK(values("int64") == std::vector<double>{-2147483648.0, 7, 2147483647.0});
  CHECK(values("bool") == std::vector<double>{1, 0});
  CHECK(values("offset") == std::vector<double>{4, 6, 8});
  CHECK(values("same").size() == 12);
  CHECK(values("number") == std::vector<double>{1.5});
  CHECK(values("parameter") == std::vector<double>{1, 2});
  CHECK(values("empty").empty());
  // [4, 2, 3] of [2, 3, 4]
  const TorchArray transposed = weights.read("transposed");
  CHECK(converter::describe(transposed.shape) == "4x2x3");
  for (int index = 0; index < 24; ++index) {
    const int a = index / 6, b = index / 3 % 2, c = index % 3;
    CHECK(static_cast<double>(transposed.floats()[index]) == (b * 12 + c * 4 + a) / 8.0);
  }
}

}  // namespace

TEST_CASE("all types, strides and offsets of both layouts") {
  check_types(converter::read_zip_checkpoint(file("types.pt"), "data", false));
  CHECK(converter::is_legacy_checkpoint(file("types_legacy.pt")));
  check_types(converter::read_legacy_checkpoint(file("types_legacy.pt")));
}

TEST_CASE("state dicts in all layouts, and within checkpoints") {
  const TemporaryFolder folder;
  const GoldenCase golden = read_golden_cases(file("plain.json")).front();
  converter::ImportOptions options = golden.options();
  const std::string network =
      R"({"inputs": [{"name": "x", "shape": ["N", "0.weight[1]"]}], "layers": ["Linear"]})";
  options.network = folder.write("network.json", network);
  for (const char* name : {"plain.pt", "legacy.pt", "protocol4.pt", "nested.pt", "two.pt"}) {
    CAPTURE(name);
    golden.check(converter::import_file(file(name), options));
  }
  // Of two that nothing tells apart both are there.
  CHECK(mentions(torch_refusal(file("parts.pt"), options), "has no tensor '0.weight'"));
  options.network = folder.write("network.json", R"({"key": "a", )" + network.substr(1));
  golden.check(converter::import_file(file("parts.pt"), options));
  CHECK(mentions(torch_refusal(file("nested.pt"), options),
                 "no dictionary of tensors 'a', which the network's description names; it has "
                 "'state_dict'"));
}

TEST_CASE("what holds no weights is refused") {
  CHECK(mentions(torch_refusal(file("module.pt")),
                 "holds the Python class 'Sequential' of the module "
                 "'torch.nn.modules.container', which cannot be run; save the weights alone"));
  CHECK(mentions(torch_refusal(file("list.pt")), "no dictionary of tensors"));
  CHECK(mentions(torch_refusal(file("plain.pt")), "('0.bias' 2, '0.weight' 2x3)"));
}

}  // namespace figment::testing
