// Files that are no sound TFLite model: one sentence each, never a crash, never much memory.
#include "converter/import/tflite/tflite.h"

#include <doctest/doctest.h>

#include <functional>
#include <random>

#include "tests/import/tflite_builder.h"

namespace figment::testing::lite {
namespace {

// A bit of everything: float32, int8, shapes, options.
void build(TfliteBuilder& builder) {
  const int x = builder.input({1, 4, 4, 3});
  const int conv = builder.tensor({1, 2, 2, 4}), flat = builder.tensor({1, 16});
  const int q = builder.tensor({1, 16}, TensorType::INT8, {{0.05F}, {3}});
  const int dense = builder.tensor({1, 8}, TensorType::INT8, {{0.1F}, {-3}});
  const int y = builder.tensor({1, 8});
  tflite::Conv2DOptionsT options;
  options.stride_h = options.stride_w = 2;
  builder.node(
      BuiltinOperator::CONV_2D,
      {x, builder.floats({4, 3, 3, 3}, random_numbers(108, 1)), builder.floats({4}, {1, 2, 3, 4})},
      {conv}, options_of(options));
  builder.node(BuiltinOperator::RESHAPE, {conv, builder.integers({2}, {1, -1})}, {flat});
  builder.node(BuiltinOperator::QUANTIZE, {flat}, {q});
  builder.node(BuiltinOperator::FULLY_CONNECTED,
               {q,
                builder.bytes({8, 16}, random_int8(128, 2),
                              {std::vector<float>(8, 0.01F), std::vector<std::int64_t>(8)}),
                builder.int32_bias(std::vector<std::int32_t>(8, 100))},
               {dense}, options_of(tflite::FullyConnectedOptionsT{}));
  builder.node(BuiltinOperator::DEQUANTIZE, {dense}, {y}).output(y);
}

std::string refusal(const std::string& path) {
  try {
    converter::import_with_batch(path, {});
  } catch (const converter::ConvertError& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a file is told by its identifier") {
  const ScratchFolder folder;
  const std::string path = folder / "model";
  for (const std::string& bytes : {std::string(), std::string("TFL3"),
                                   std::string("\0\0\0\0TFL", 7), std::string(1000, '\0')}) {
    write_text(path, bytes);
    CHECK_FALSE(converter::looks_like_tflite(path));
  }
  write_text(path, std::string("\x10\0\0\0TFL3", 8));
  CHECK(converter::looks_like_tflite(path));
  CHECK_THROWS_AS(converter::import_file(path, {}), converter::DamagedFile);
  CHECK(refusal(path).find("no whole TFLite model") != std::string::npos);
}

TEST_CASE("a model cut off anywhere is refused") {
  TfliteBuilder builder;
  build(builder);
  const std::string whole = builder.file();
  const std::string path = builder.folder() / "cut.tflite";
  write_text(path, whole);
  CHECK(refusal(path) == "");
  for (std::size_t length = 8; length < whole.size(); length += 1 + length / 60) {
    write_text(path, whole.substr(0, length));
    CAPTURE(length);
    CHECK(refusal(path) != "");
  }
}

TEST_CASE("a model with damaged bytes is refused or still a model, and never crashes") {
  TfliteBuilder builder;
  build(builder);
  const std::string whole = builder.file();
  const std::string path = builder.folder() / "damaged.tflite";
  std::mt19937 random(7);
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = whole;
    for (int change = 0; change < 1 + round % 4; ++change) {
      char& byte = bytes[8 + random() % (bytes.size() - 8)];
      byte = static_cast<char>(round % 2 == 0 ? byte ^ (1 << random() % 8) : random() % 256);
    }
    write_text(path, bytes);
    const std::string sentence = refusal(path);
    if (!sentence.empty()) ++refused;
    CHECK(sentence.find('\n') == std::string::npos);
    CHECK(sentence.size() < 700);
  }
  CHECK(refused > 500);
}

TEST_CASE("indices outside their lists") {
  const auto broken = [](const std::function<void(TfliteBuilder&)>& edit) {
    TfliteBuilder builder;
    build(builder);
    edit(builder);
    return builder.refusal();
  };
  CHECK(broken([](TfliteBuilder&) {}) == "");
  CHECK(broken([](TfliteBuilder& b) {
          b.graph().operators[0]->inputs[0] = 99;
        }).find("tensor 99 of") != std::string::npos);
  CHECK(broken([](TfliteBuilder& b) {
          b.graph().operators[0]->inputs[1] = -2;
        }).find("tensor -2 of") != std::string::npos);
  CHECK(broken([](TfliteBuilder& b) { b.graph().operators[0]->inputs.pop_back(); }) == "");
  CHECK(broken([](TfliteBuilder& b) {
          b.graph().operators[0]->inputs = {0};
        }).find("lacks operand 1") != std::string::npos);
  CHECK(broken([](TfliteBuilder& b) {
          b.graph().operators[2]->opcode_index = 50;
        }).find("operator 2 is of kind 50") != std::string::npos);
  CHECK(broken([](TfliteBuilder& b) {
          b.graph().tensors[0]->buffer = 1000;
        }).find("buffer 1000 of") != std::string::npos);
  CHECK(broken([](TfliteBuilder& b) {
          b.graph().operators[0]->outputs[0] = 0;
        }).find("is read before") != std::string::npos);
  CHECK(broken([](TfliteBuilder& b) { b.graph().outputs.clear(); }).find("names no output") !=
        std::string::npos);
  CHECK(broken([](TfliteBuilder& b) { b.graph().inputs.clear(); }).find("is read before") !=
        std::string::npos);
  CHECK(broken([](TfliteBuilder& b) { b.model().subgraphs.clear(); }).find("holds no graph") !=
        std::string::npos);
  CHECK(broken([](TfliteBuilder& b) {
          b.graph().tensors[0]->shape[1] = -4;
        }).find("the extent -4") != std::string::npos);
  CHECK(broken([](TfliteBuilder& b) {
          b.graph().tensors[0]->shape = {1 << 20, 1 << 20, 3, 1};
        }).find("too large") != std::string::npos);
}

TEST_CASE("constants that do not fill their shape, or stand outside of the file") {
  TfliteBuilder builder;
  build(builder);
  builder.model().buffers[1]->data.pop_back();
  CHECK(builder.refusal().find("which do not fill it") != std::string::npos);
  builder.model().buffers[1]->data.clear();
  builder.model().buffers[1]->offset = 1 << 20;
  builder.model().buffers[1]->size = 432;
  CHECK(builder.refusal().find("stands outside of the file") != std::string::npos);
}

TEST_CASE("data may stand behind the tables") {
  TfliteBuilder builder;
  build(builder);
  std::vector<std::uint8_t> data = builder.model().buffers[1]->data;
  builder.model().buffers[1]->data.clear();
  builder.model().buffers[1]->size = data.size();
  builder.model().buffers[1]->offset = 2;  // takes its place in the tables
  builder.model().buffers[1]->offset = builder.file().size();
  write_text(builder.folder() / "behind.tflite",
             builder.file() + std::string(data.begin(), data.end()));
  CHECK(refusal(builder.folder() / "behind.tflite") == "");
}

TEST_CASE("a small file cannot ask for much memory") {
  // A number repeated to a gigabyte, and a constant that a thousand tensors share.
  TfliteBuilder tile;
  const int x = tile.input({1, 4}), many = tile.tensor({1}), y = tile.tensor({1});
  tile.node(BuiltinOperator::TILE, {tile.floats({1}, {1}), tile.integers({1}, {1 << 28})}, {many});
  tile.node(BuiltinOperator::ADD, {x, many}, {y}).output(y);
  CHECK(tile.refusal().find("would take") != std::string::npos);
  TfliteBuilder shared;
  int sum = shared.input({1, 65536});
  const int constant = shared.floats({65536}, std::vector<float>(65536, 1));
  for (int at = 0; at < 40; ++at) {
    const int next = shared.tensor({1, 65536}), copy = shared.tensor({65536});
    shared.graph().tensors.back()->buffer =
        shared.graph().tensors[static_cast<std::size_t>(constant)]->buffer;
    shared.node(BuiltinOperator::ADD, {sum, copy}, {next});
    sum = next;
  }
  CHECK(shared.output(sum).refusal().find("far more room than the file") != std::string::npos);
}

}  // namespace figment::testing::lite
