// The border: damaged, foreign and dishonest files are refused with a sentence, and never harm.
#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>

#include "converter/emit/flatbuffer.h"
#include "figment/format/model_generated.h"
#include "runtime/format/sha256.h"
#include "tests/support/loaded_model.h"

namespace figment::testing {
namespace {

Status status_of(std::span<const std::byte> bytes) {
  const Result<Model> model = Model::open(bytes);
  return model.ok() ? Status{} : model.status();
}

const std::filesystem::path kDense = FIGMENT_SOURCE_DIR "/models/digits_vae/decoder.fgm";

// A shipped model, changed through the object form of the format and written again.
// Constants keep their alignment through the converter's emitter alone, so this repacks them by
// hand.
std::vector<std::byte> repack(const std::function<void(format::ModelT&)>& change,
                              const std::filesystem::path& path) {
  const AlignedMemory file = read_aligned(path);
  format::ModelT model;
  format::GetModel(file.span().data())->UnPackTo(&model);
  change(model);
  flatbuffers::FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<format::Tensor>> tensors;
  for (const auto& tensor : model.tensors) {
    flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> data;
    if (!tensor->data.empty()) {
      builder.ForceVectorAlignment(tensor->data.size(), 1, 64);
      data = builder.CreateVector(tensor->data);
    }
    const auto shape = builder.CreateVector(tensor->shape);
    flatbuffers::Offset<flatbuffers::Vector<float>> scales;
    if (!tensor->scales.empty()) scales = builder.CreateVector(tensor->scales);
    tensors.push_back(format::CreateTensor(builder, builder.CreateString(tensor->name),
                                           tensor->type, shape, tensor->batch_axis, data, scales));
  }
  const auto tensor_vector = builder.CreateVector(tensors);
  std::vector<flatbuffers::Offset<format::Operator>> operators;
  for (const auto& node : model.operators)
    operators.push_back(format::CreateOperator(builder, node.get()));
  const auto operator_vector = builder.CreateVector(operators);
  std::vector<flatbuffers::Offset<format::Port>> inputs;
  for (const auto& port : model.inputs) inputs.push_back(format::CreatePort(builder, port.get()));
  const auto input_vector = builder.CreateVector(inputs);
  std::vector<flatbuffers::Offset<format::Port>> outputs;
  for (const auto& port : model.outputs) outputs.push_back(format::CreatePort(builder, port.get()));
  const auto output_vector = builder.CreateVector(outputs);
  format::ModelBuilder root(builder);
  root.add_version(model.version);
  root.add_tensors(tensor_vector);
  root.add_operators(operator_vector);
  root.add_inputs(input_vector);
  root.add_outputs(output_vector);
  root.add_any_batch(model.any_batch);
  format::FinishModelBuffer(builder, root.Finish());
  const auto* bytes = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
  return {bytes, bytes + builder.GetSize()};
}

Status status_after(const std::function<void(format::ModelT&)>& change,
                    const std::filesystem::path& path = shipped_models().front()) {
  return status_of(align_bytes(repack(change, path)).span());
}

void check_refused_after(const std::function<void(format::ModelT&)>& change, ErrorCode code,
                         const char* words,
                         const std::filesystem::path& path = shipped_models().front()) {
  const Status status = status_after(change, path);
  CAPTURE(std::string(status.message()));
  CHECK(status.code == code);
  CHECK(status.message().find(words) != std::string_view::npos);
}

// Makes the weights of kDense's first layer int4, 256x20.
format::TensorT& to_int4(format::ModelT& m, int inputs_more = 0) {
  format::TensorT& weights = *m.tensors[static_cast<std::size_t>(m.operators[0]->inputs[1])];
  weights.shape[1] += inputs_more;
  const auto outputs = static_cast<std::size_t>(weights.shape[0]);
  const auto inputs = static_cast<std::size_t>(weights.shape[1]);
  weights.type = format::DataType::Int4;
  weights.data.assign(outputs * ((inputs + 31) / 32 * 2 + (inputs + 1) / 2), 0x31);
  m.version = 3;
  return weights;
}

}  // namespace

TEST_CASE("every shipped model opens and says what it is") {
  for (const auto& path : shipped_models()) {
    const AlignedMemory file = read_aligned(path);
    const auto model = Model::open(file.span());
    CAPTURE(path.string());
    REQUIRE(model.ok());
    CHECK(model->input_count() >= 1);
    CHECK(model->output_count() >= 1);
    CHECK(model->any_batch());
    CHECK(model->weight_bytes() > 0);
    CHECK(model->weight_bytes() < file.span().size());
    CHECK_FALSE(model->input(0).name.empty());
  }
}

TEST_CASE("an unchanged repack opens") {
  CHECK(status_after([](format::ModelT&) {}).ok());
}

TEST_CASE("what is no model is refused") {
  CHECK(status_of({}).code == ErrorCode::kBadFile);
  const AlignedMemory text =
      align_bytes(std::as_bytes(std::span("This is a letter, not a model, and long enough.")));
  CHECK(status_of(text.span()).message().find("no .fgm file") != std::string_view::npos);
}

TEST_CASE("every truncation of a model is refused") {
  const AlignedMemory file = read_aligned(shipped_models().front());
  const std::size_t size = file.span().size();
  for (std::size_t bytes = 0; bytes < size; bytes += bytes < 256 ? 1 : size / 200) {
    const AlignedMemory cut = align_bytes(file.span().first(bytes));
    CHECK_FALSE(status_of(cut.span()).ok());
  }
}

TEST_CASE("bytes at an odd address are refused") {
  const AlignedMemory file = read_aligned(shipped_models().front());
  AlignedMemory shifted(file.span().size() + 8);
  std::memcpy(shifted.span().data() + 8, file.span().data(), file.span().size());
  CHECK(status_of(shifted.span().subspan(8, file.span().size())).code == ErrorCode::kBadArgument);
}

TEST_CASE("dishonest graphs are refused with a sentence") {
  using format::ModelT;
  check_refused_after([](ModelT& m) { m.version = 99; }, ErrorCode::kUnsupported,
                      "format version 99");
  check_refused_after([](ModelT& m) { m.outputs.clear(); }, ErrorCode::kBadFile, "lacks");
  check_refused_after([](ModelT& m) { m.operators[0]->inputs[0] = 10000; }, ErrorCode::kBadFile,
                      "does not exist");
  check_refused_after([](ModelT& m) { m.operators[0]->inputs[0] = -7; }, ErrorCode::kBadFile,
                      "does not exist");
  check_refused_after([](ModelT& m) { m.operators[0]->outputs.clear(); }, ErrorCode::kBadFile,
                      "one output");
  check_refused_after([](ModelT& m) { m.operators[0]->outputs[0] = -1; }, ErrorCode::kBadFile,
                      "does not exist");
  check_refused_after([](ModelT& m) { m.operators[0]->inputs[0] = m.operators.back()->outputs[0]; },
                      ErrorCode::kBadFile, "before anything has written it");
  check_refused_after([](ModelT& m) { m.operators[0]->inputs[0] = -1; }, ErrorCode::kBadFile,
                      "lacks input 0");
  check_refused_after([](ModelT& m) { m.operators[1]->outputs[0] = m.operators[0]->outputs[0]; },
                      ErrorCode::kBadFile, "out of order");
  check_refused_after([](ModelT& m) { m.operators[0]->outputs[0] = m.inputs[0]->tensor; },
                      ErrorCode::kBadFile, "more than once");
  check_refused_after([](ModelT& m) { m.inputs[0]->tensor = 9999; }, ErrorCode::kBadFile,
                      "names a tensor");
  check_refused_after(
      [](ModelT& m) {
        m.inputs[0]->source_axes = {5, 5};
      },
      ErrorCode::kBadFile, "no permutation");
  check_refused_after(
      [](ModelT& m) {
        m.tensors.push_back(std::make_unique<format::TensorT>());
        m.outputs[0]->tensor = static_cast<int>(m.tensors.size()) - 1;
      },
      ErrorCode::kBadFile, "no operator computes");
  check_refused_after([](ModelT& m) { m.inputs.clear(); }, ErrorCode::kBadFile,
                      "before anything has written it");
  check_refused_after([](ModelT& m) { m.operators[0]->options.Reset(); }, ErrorCode::kUnsupported,
                      "operator number 0");
}

TEST_CASE("dishonest tensors are refused with a sentence") {
  using format::ModelT;
  const auto weights = [](ModelT& m) -> format::TensorT& {
    return *m.tensors[static_cast<std::size_t>(m.operators[0]->inputs[1])];
  };
  const auto output = [](ModelT& m) -> format::TensorT& {
    return *m.tensors[static_cast<std::size_t>(m.operators[0]->outputs[0])];
  };
  check_refused_after([&](ModelT& m) { weights(m).data.pop_back(); }, ErrorCode::kBadFile,
                      "bytes, which its shape does not");
  check_refused_after([&](ModelT& m) { weights(m).shape[0] = 0; }, ErrorCode::kBadFile,
                      "must be positive");
  check_refused_after([&](ModelT& m) { weights(m).shape[0] = -3; }, ErrorCode::kBadFile,
                      "must be positive");
  check_refused_after(
      [&](ModelT& m) {
        weights(m).shape = {1 << 30, 1 << 30, 1 << 30};
      },
      ErrorCode::kBadFile, "has more than");
  // 4 * (2^30 + 1) bytes are 4 where addresses have 32 bits.
  CHECK(status_after([&](ModelT& m) {
          weights(m).shape = {(1 << 30) + 1};
          weights(m).data.resize(4);
        }).code == ErrorCode::kBadFile);
  check_refused_after([&](ModelT& m) { weights(m).shape.assign(9, 1); }, ErrorCode::kBadFile,
                      "9 axes");
  check_refused_after([&](ModelT& m) { weights(m).batch_axis = 0; }, ErrorCode::kBadFile,
                      "grow with the batch");
  check_refused_after([&](ModelT& m) { output(m).batch_axis = 100; }, ErrorCode::kBadFile,
                      "does not have");
  check_refused_after([&](ModelT& m) { output(m).shape.back() += 1; }, ErrorCode::kBadFile,
                      "but the file declares");
  check_refused_after([&](ModelT& m) { output(m).type = static_cast<format::DataType>(77); },
                      ErrorCode::kUnsupported, "does not know");
}

TEST_CASE("int8 weights open with their scales, and are refused with others") {
  using format::ModelT;
  // The first operator's weights, a scale for each of its outputs, which stand outermost.
  const auto to_int8 = [](ModelT& m) -> format::TensorT& {
    format::TensorT& weights = *m.tensors[static_cast<std::size_t>(m.operators[0]->inputs[1])];
    std::size_t elements = 1;
    for (const std::int32_t extent : weights.shape) elements *= static_cast<std::size_t>(extent);
    weights.data.resize(elements);
    weights.type = format::DataType::Int8;
    weights.scales.assign(static_cast<std::size_t>(weights.shape[0]), 0.01f);
    m.version = 2;
    return weights;
  };
  CHECK(status_after([&](ModelT& m) { to_int8(m); }).ok());
  check_refused_after([&](ModelT& m) { to_int8(m).scales.pop_back(); }, ErrorCode::kBadFile,
                      "scales but must have");
  check_refused_after([&](ModelT& m) { to_int8(m).scales.clear(); }, ErrorCode::kBadFile,
                      "has 0 scales but must have");
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::infinity(), 0.0f, -0.01f})
    check_refused_after([&](ModelT& m) { to_int8(m).scales.back() = bad; }, ErrorCode::kBadFile,
                        "a scale that is no positive number");
  check_refused_after([&](ModelT& m) { to_int8(m).type = format::DataType::UInt8; },
                      ErrorCode::kBadFile, "has scales but is no int8 constant");
  check_refused_after([&](ModelT& m) { to_int8(m).data.clear(); }, ErrorCode::kBadFile,
                      "has scales but is no int8 constant");
  check_refused_after([&](ModelT& m) { to_int8(m).data.pop_back(); }, ErrorCode::kBadFile,
                      "bytes, which its shape does not");
}

TEST_CASE("int4 weights open as their shape says, and are refused otherwise") {
  using format::ModelT;
  CHECK(status_after([&](ModelT& m) { to_int4(m); }, kDense).ok());
  const char* const size = "bytes, which its shape does not";
  for (const int inputs_more : {0, 1, -1})
    for (const bool longer : {false, true})
      check_refused_after(
          [&](ModelT& m) {
            std::vector<std::uint8_t>& data = to_int4(m, inputs_more).data;
            data.resize(longer ? data.size() + 1 : data.size() - 1);
          },
          ErrorCode::kBadFile, size, kDense);
  // As long as the shape says, which is not the latent's.
  check_refused_after([&](ModelT& m) { to_int4(m, 1); }, ErrorCode::kBadFile, "must agree", kDense);
  // NaN, infinity, 0, subnormal, negative.
  for (const std::uint16_t bad : {0x7fc0, 0x7f80, 0x0000, 0x007f, 0xbf80})
    check_refused_after(
        [&](ModelT& m) {
          std::vector<std::uint8_t>& data = to_int4(m).data;
          data[2] = static_cast<std::uint8_t>(bad);
          data[3] = static_cast<std::uint8_t>(bad >> 8);
        },
        ErrorCode::kBadFile, "a scale that is no positive number", kDense);
  check_refused_after([&](ModelT& m) { to_int4(m).scales = {1}; }, ErrorCode::kBadFile,
                      "has scales but is no int8 constant", kDense);
  check_refused_after([&](ModelT& m) { to_int4(m).data.clear(); }, ErrorCode::kBadFile,
                      "before anything has written it", kDense);
  check_refused_after(
      [&](ModelT& m) {
        to_int4(m);
        m.outputs[0]->tensor = m.operators[0]->inputs[1];
      },
      ErrorCode::kBadFile, "which is for the weights of dense layers alone", kDense);
}

// A file may be changed anywhere: whatever still opens must run without harm (the sanitizers look
// on).
TEST_CASE("flipped bits are refused or run") {
  std::filesystem::path path = shipped_models().front();
  SUBCASE("float16 weights") {}
  SUBCASE("int8 weights") { path = FIGMENT_SOURCE_DIR "/models/digits_vae/decoder_int8.fgm"; }
  bool with_int4 = false;
  SUBCASE("int4 weights") { with_int4 = true; }
  const AlignedMemory file =
      with_int4 ? align_bytes(repack([](format::ModelT& m) { to_int4(m); }, kDense))
                : read_aligned(path);
  std::mt19937 random(1);
  int opened = 0;
  int refused = 0;
  // The graph stands at the front or the end of the file, apart from the weights: aim there, and
  // anywhere.
  const std::size_t size = file.span().size();
  // An emulator takes a hundred times as long; what is the same on every machine is found natively.
#ifdef FIGMENT_EMULATED
  constexpr int kRounds = 300;
#else
  constexpr int kRounds = 3000;
#endif
  for (int round = 0; round < kRounds; ++round) {
    AlignedMemory changed = align_bytes(file.span());
    for (unsigned flips = 1 + random() % 3; flips > 0; --flips) {
      std::size_t at = random() % 4096;
      if (round % 3 == 1) at = size - 1 - at;
      if (round % 3 == 2) at = random() % size;
      changed.span()[at % size] ^= static_cast<std::byte>(1u << random() % 8);
    }
    const auto model = Model::open(changed.span());
    if (!model.ok()) {
      CHECK_FALSE(model.status().message().empty());
      ++refused;
      continue;
    }
    ++opened;
    const Options options{.backend = Backend::kPortable};
    const auto need = Session::arena_bytes(*model, options);
    if (!need.ok() || *need > (std::size_t{64} << 20)) continue;
    const AlignedMemory arena(*need);
    auto session = Session::create(*model, arena.span(), options);
    if (session.ok()) CHECK(session->run().ok());
  }
  CHECK(opened > kRounds / 30);
  CHECK(refused > kRounds / 30);
}

TEST_CASE("the content hash is that of the file") {
  for (const auto& path : shipped_models()) {
    const AlignedMemory file = read_aligned(path);
    const format::Hash* stored = format::GetModel(file.span().data())->content_hash();
    REQUIRE(stored != nullptr);
    const auto computed = format::content_hash(file.span());
    CAPTURE(path.string());
    CHECK(std::memcmp(stored, computed.data(), computed.size()) == 0);
  }
}

}  // namespace figment::testing
