// Products of matrices, tables of vectors, and attention.
#include <cmath>

#include "converter/import/torch/call.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;

TorchValue result(TensorId id) { return TorchValue::of_tensor(id); }

// x weights^T + bias
TensorId dense(TorchCall& call, TensorId x, TensorId weights, TensorId bias) {
  x = call.as_floats(x);
  const int inputs = call.rank(x) > 0 ? call.shape(x)[call.rank(x) - 1] : 0;
  if (call.rank(weights) != 2)
    call.refuse("its weights have shape " + describe(call.shape(weights)) +
                ", but must have two axes");
  call.require(call.shape(weights)[1] == inputs, weights,
               "its input has " + std::to_string(inputs) + " features (its shape is " +
                   describe(call.shape(x)) + ")");
  if (bias != kAbsent)
    call.require(call.shape(bias).elements() == call.shape(weights)[0], bias,
                 "it has " + std::to_string(call.shape(weights)[0]) + " outputs");
  if (call.constant(weights) && (bias == kAbsent || call.constant(bias)))
    return call.emit(format::DenseT{}, {x, weights, bias});
  const TensorId product = call.emit(format::MatMulT{}, {x, call.transpose(weights, {1, 0})});
  return bias == kAbsent ? product : call.binary(BinaryFunction::Add, product, bias);
}

TorchValue linear(TorchCall& call) {
  return result(
      dense(call, call.tensor("input"), call.tensor("weight"), call.optional_tensor("bias")));
}

TorchValue linear_layer(TorchCall& call) {
  return result(
      dense(call, call.tensor("input"), call.weight("weight"), call.optional_weight("bias")));
}

TorchValue matmul(TorchCall& call) {
  const TensorId a = call.tensor("input");
  const TensorId b = call.tensor("other");
  if (call.rank(a) < 2 || call.rank(b) < 2)
    call.refuse("products with vectors are not supported; give them an axis with unsqueeze");
  if (call.constant(b) && call.rank(b) == 2)
    return result(dense(call, a, call.transpose(b, {1, 0}), kAbsent));
  return result(call.emit(format::MatMulT{}, {call.as_floats(a), call.as_floats(b)}));
}

// beta * input + alpha * (mat1 mat2)
TorchValue add_matrix_product(TorchCall& call) {
  const TensorId input = call.tensor("input");
  const TensorId a = call.tensor("mat1");
  const TensorId b = call.tensor("mat2");
  if (call.number("beta") != 1 || call.number("alpha") != 1)
    call.refuse("it has factors beta and alpha, which are not supported; multiply by them instead");
  if (call.constant(input) && call.constant(b) && call.rank(input) == 1 && call.rank(b) == 2)
    return result(dense(call, a, call.transpose(b, {1, 0}), input));
  return result(call.binary(BinaryFunction::Add, call.emit(format::MatMulT{}, {a, b}), input));
}

TensorId look_up(TorchCall& call, TensorId table, TensorId indices) {
  indices = call.require_integers(indices);
  if (call.rank(table) != 2)
    call.refuse("its table has shape " + describe(call.shape(table)) + ", but must have two axes");
  format::GatherT options;
  options.axis = 0;
  return call.emit(options, {table, indices});
}

TorchValue embedding(TorchCall& call) {
  return result(look_up(call, call.tensor("weight"), call.tensor("indices")));
}

TorchValue embedding_layer(TorchCall& call) {
  return result(look_up(call, call.weight("weight"), call.tensor("input")));
}

TorchValue one_hot(TorchCall& call) {
  const TensorId labels = call.require_integers(call.tensor("input"));
  const int classes = call.small_integer("num_classes", 1);
  const Shape shape = call.shape(labels);
  std::vector<std::int64_t> extents(shape.dims, shape.dims + shape.rank);
  extents.push_back(1);
  return result(call.compare(format::CompareFunction::Equal, call.reshape_to(labels, extents),
                             call.counting(classes, 0)));
}

// matrix [R, C] times vector [C]
TorchValue matrix_vector(TorchCall& call) {
  const TensorId matrix = call.tensor("input");
  const TensorId vector = call.tensor("vec");
  const TensorId column = call.reshape_to(vector, {call.shape(vector).elements(), 1});
  const TensorId product = call.emit(format::MatMulT{}, {matrix, column});
  return result(call.reshape_to(product, {call.shape(product)[0]}));
}

TensorId sum_over(TorchCall& call, TensorId x, std::vector<std::int32_t> axes, bool keep) {
  format::ReduceT options;
  options.function = format::ReduceFunction::Sum;
  options.axes = std::move(axes);
  options.keep_axes = keep;
  return call.emit(std::move(options), {x});
}

TorchValue dot(TorchCall& call) {
  return result(
      sum_over(call, call.binary(BinaryFunction::Mul, call.tensor("input"), call.tensor("tensor")),
               {0}, false));
}

// v * g / |v|, the norm over all axes but `dim`
TorchValue weight_norm(TorchCall& call) {
  const TensorId v = call.tensor("v");
  const int kept = call.axis("dim", call.rank(v));
  std::vector<std::int32_t> axes;
  for (int axis = 0; axis < call.rank(v); ++axis)
    if (axis != kept) axes.push_back(axis);
  const TensorId squares = sum_over(call, call.binary(BinaryFunction::Mul, v, v), axes, true);
  const TensorId factor = call.binary(BinaryFunction::Div, call.tensor("g"),
                                      call.unary(format::UnaryFunction::Sqrt, squares));
  return result(call.binary(BinaryFunction::Mul, v, factor));
}

TorchValue attention(TorchCall& call) {
  const TensorId query = call.tensor("query");
  if (call.number("dropout_p") != 0 && !call.options().for_training)
    call.refuse("it has dropout; call model.eval() before torch.jit.trace");
  if (call.flag("is_causal")) call.refuse("is_causal is not supported; give the mask");
  format::AttentionT options;
  options.scale = call.given("scale")
                      ? static_cast<float>(call.number("scale"))
                      : 1 / std::sqrt(static_cast<float>(call.shape(query)[call.rank(query) - 1]));
  std::vector<TensorId> operands = {query, call.tensor("key"), call.tensor("value")};
  if (call.given("attn_mask")) {
    const TensorId mask = call.tensor("attn_mask");
    if (call.type(mask) == DataType::kInt32)
      call.refuse("its mask is of truth values, which is not supported; give one that is added");
    operands.push_back(mask);
  }
  return result(call.emit(options, std::move(operands)));
}

constexpr TorchFunction kRows[] = {
    {"_weight_norm", "v, g, dim=0", weight_norm},
    {"addmm", "input, mat1, mat2, beta=1, alpha=1", add_matrix_product},
    {"baddbmm", "input, mat1, mat2, beta=1, alpha=1", add_matrix_product},
    {"bmm", "input, other", matmul},
    {"dot", "input, tensor", dot},
    {"embedding", "weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False",
     embedding},
    {"linear", "input, weight, bias=None", linear},
    {"matmul", "input, other", matmul},
    {"mm", "input, other", matmul},
    {"mv", "input, vec", matrix_vector},
    {"one_hot", "input, num_classes", one_hot},
    {"scaled_dot_product_attention",
     "query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, "
     "enable_gqa=False",
     attention},
};

constexpr TorchFunction kLayers[] = {
    {"Embedding", "input, num_embeddings=None, embedding_dim=None, padding_idx=None",
     embedding_layer},
    {"Linear", "input, in_features=None, out_features=None, bias=True", linear_layer},
};

}  // namespace

const std::span<const TorchFunction> kTorchProducts = kRows;
const std::span<const TorchFunction> kTorchProductLayers = kLayers;

}  // namespace figment::converter
