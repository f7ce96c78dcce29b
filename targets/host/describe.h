// Words for what a model holds, shared by `show` as text, as JSON and as a picture.
#pragma once

#include <string>
#include <vector>

#include "figment/figment.h"
#include "figment/format/model_generated.h"

namespace figment::host {

// "Conv2D".
std::string operator_kind(const format::Operator& node);

// What distinguishes it from others of its kind, short: "3x3 stride 2", "Add", "axis 3"; empty when
// nothing does.
std::string operator_detail(const format::Model& root, const format::Operator& node);

// "LeakyRelu 0.2"; empty without.
std::string activation_text(const format::Unary* activation);

// Constants that the operator reads: "256x20 + 256".
std::string weights_text(const format::Model& root, const format::Operator& node);

// The smallest type of numbers among the constants: "int4", "int8", "float16" or "float32". Biases
// are float32 beside any.
std::string weights_type(const format::Model& root);

// A tensor's shape at batch 1 with N for the batch.
std::string tensor_shape_text(const format::Model& root, int tensor);

// "1,234,567".
std::string with_commas(std::size_t number);

// 64 hexadecimal digits; empty for null.
std::string hash_text(const format::Hash* hash);

std::string model_kind_text(const Model& model);

// The kinds of operators that the model runs, activations' Unary included, each once: what
// -DFIGMENT_OPS takes.
std::vector<std::string> operators_used(const format::Model& root);

// "0.2" and "1e-05", not "0.200000".
std::string number_text(double number);

}  // namespace figment::host
