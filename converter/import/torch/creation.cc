// Functions that make tensors of nothing, noise, and those that change nothing in inference.
#include <algorithm>
#include <cmath>

#include "converter/import/torch/call.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;
using format::UnaryFunction;

TorchValue result(TensorId id) { return TorchValue::of_tensor(id); }

TorchValue identity(TorchCall& call) { return call.argument("input"); }

TorchValue dropout(TorchCall& call) {
  if (call.flag("train") && !call.options().for_training)
    call.refuse("it is in training mode; call model.eval() before torch.jit.trace");
  return call.argument("input");
}

// torch.to(input, dtype, ...), .to(input, device, dtype, ...), .type_as(input, other): the numbers
// stay, or whole numbers become others.
TorchValue to(TorchCall& call) {
  const TensorId x = call.tensor("input");
  // ScalarType, as PyTorch counts: 0 to 4 and 11 are whole numbers and truth values.
  const TorchValue* type = nullptr;
  for (const char* name : {"dtype", "second"})
    if (call.argument(name).is(TorchValue::Kind::kInteger)) type = &call.argument(name);
  if (call.argument("dtype").is(TorchValue::Kind::kTensor))  // as another tensor's
    return result(call.cast(x, call.type(call.tensor("dtype"))));
  if (type == nullptr) return result(x);
  const bool whole = type->integer <= 4 || type->integer == 11;
  return result(call.cast(x, whole ? DataType::kInt32 : DataType::kFloat32));
}

TorchValue type_as(TorchCall& call) {
  return result(call.cast(call.tensor("input"), call.type(call.tensor("other"))));
}

TensorId filled(TorchCall& call, const Shape& shape, float value) {
  call.check_late(static_cast<double>(shape.elements()));
  const auto count = static_cast<std::size_t>(shape.elements());
  return call.graph().add_late_floats(call.label() + "/constant", shape,
                                      [count, value] { return std::vector<float>(count, value); });
}

template <int kValue>
TorchValue constant(TorchCall& call) {
  return result(filled(call, make_shape(call.integers("size")), kValue));
}

template <int kValue>
TorchValue constant_like(TorchCall& call) {
  return result(filled(call, call.shape(call.tensor("input")), kValue));
}

TorchValue full(TorchCall& call) {
  return result(filled(call, make_shape(call.integers("size")),
                       static_cast<float>(call.number("fill_value"))));
}

TorchValue arange(TorchCall& call) {
  const bool with_start = call.given("end") && call.argument("end").is_plain_number();
  const double start = with_start ? call.number("start") : 0;
  const double end = with_start ? call.number("end") : call.number("start");
  const double count = std::ceil(end - start);
  if (!(count >= 1)) call.refuse("it makes a tensor of no numbers");
  call.check_made(count);
  std::vector<std::int64_t> values(static_cast<std::size_t>(count));
  for (std::size_t index = 0; index < values.size(); ++index)
    values[index] = static_cast<std::int64_t>(start) + static_cast<std::int64_t>(index);
  return result(
      call.integer_constant(values, make_shape({static_cast<std::int64_t>(values.size())})));
}

TorchValue noise(TorchCall& call) { return result(call.noise(make_shape(call.integers("size")))); }

TorchValue noise_like(TorchCall& call) {
  return result(call.noise(call.shape(call.tensor("input"))));
}

// What a VAE draws: mean + exp(logarithm of the variance / 2) * noise
TorchValue sample(TorchCall& call) {
  const TensorId mean = call.tensor("mean");
  const TensorId logarithm = call.tensor("log_variance");
  if (!(call.shape(mean) == call.shape(logarithm)))
    call.refuse("its mean and its log_variance have the shapes " + describe(call.shape(mean)) +
                " and " + describe(call.shape(logarithm)) + ", but must have the same");
  const TensorId half = call.binary(BinaryFunction::Mul, logarithm, call.scalar(0.5F));
  const TensorId deviation = call.unary(UnaryFunction::Exp, half);
  const TensorId drawn = call.binary(BinaryFunction::Mul, call.noise(call.shape(mean)), deviation);
  return result(call.binary(BinaryFunction::Add, mean, drawn));
}

TorchValue refuse_random(TorchCall& call) {
  call.refuse(
      "of the random functions only randn, randn_like and sample are supported; make it an "
      "input");
}

constexpr char kMake[] = "size, dtype=None, layout=None, device=None, pin_memory=None";
constexpr char kMakeLike[] =
    "input, dtype=None, layout=None, device=None, pin_memory=None, memory_format=None";
constexpr char kDropout[] = "input, p=0.5, train=False";

constexpr TorchFunction kRows[] = {
    {"alias", "input", identity},
    {"alpha_dropout", kDropout, dropout},
    {"arange", "start, end=None, dtype=None, layout=None, device=None, pin_memory=None, more=None",
     arange},
    {"bernoulli", "input, generator=None", refuse_random},
    {"clone", "input, memory_format=None", identity},
    {"contiguous", "input, memory_format=None", identity},
    {"detach", "input", identity},
    {"dropout", kDropout, dropout},
    {"dropout2d", kDropout, dropout},
    {"feature_dropout", kDropout, dropout},
    {"full", "size, fill_value, dtype=None, layout=None, device=None, pin_memory=None", full},
    {"lift_fresh", "input", identity},
    {"ones", kMake, constant<1>},
    {"ones_like", kMakeLike, constant_like<1>},
    {"rand", kMake, refuse_random},
    {"rand_like", kMakeLike, refuse_random},
    {"randn", kMake, noise},
    {"randn_like", kMakeLike, noise_like},
    {"sample", "mean, log_variance", sample},
    {"to",
     "input, dtype=None, second=None, third=None, fourth=None, fifth=None, sixth=None, "
     "layout=None, device=None, pin_memory=None, non_blocking=None, copy=None, memory_format=None",
     to},
    {"type_as", "input, other", type_as},
    {"zeros", kMake, constant<0>},
    {"zeros_like", kMakeLike, constant_like<0>},
};

}  // namespace

const std::span<const TorchFunction> kTorchCreation = kRows;

}  // namespace figment::converter
