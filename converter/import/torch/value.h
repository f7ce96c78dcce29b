// Values as PyTorch's functions take and give them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "converter/graph/graph.h"

namespace figment::converter {

struct PickleObject;

struct TorchValue {
  enum class Kind : std::uint8_t {
    kNone,
    kBool,  // integer 0 or 1
    kInteger,
    kNumber,
    kText,
    kTensor,
    kList,   // tuples too
    kObject  // an instance in a TorchScript archive
  };
  Kind kind = Kind::kNone;
  std::int64_t integer = 0;
  double number = 0;
  std::string text;
  TensorId tensor = kAbsent;
  std::vector<TorchValue> items;
  const PickleObject* object = nullptr;
  std::string
      path;  // of an object: where it stands in the module ("model.0"); its attributes' prefix

  static TorchValue of_tensor(TensorId id) {
    TorchValue value;
    value.kind = Kind::kTensor;
    value.tensor = id;
    return value;
  }
  static TorchValue of_bool(bool truth) {
    TorchValue value;
    value.kind = Kind::kBool;
    value.integer = truth ? 1 : 0;
    return value;
  }
  static TorchValue of_integer(std::int64_t number) {
    TorchValue value;
    value.kind = Kind::kInteger;
    value.integer = number;
    return value;
  }
  static TorchValue of_number(double number) {
    TorchValue value;
    value.kind = Kind::kNumber;
    value.number = number;
    return value;
  }
  static TorchValue of_text(std::string text) {
    TorchValue value;
    value.kind = Kind::kText;
    value.text = std::move(text);
    return value;
  }
  static TorchValue of_list(std::vector<TorchValue> items) {
    TorchValue value;
    value.kind = Kind::kList;
    value.items = std::move(items);
    return value;
  }
  static TorchValue of_tensors(const std::vector<TensorId>& ids) {
    TorchValue value;
    value.kind = Kind::kList;
    for (const TensorId id : ids) value.items.push_back(of_tensor(id));
    return value;
  }

  bool is(Kind wanted) const { return kind == wanted; }
  // Integers, numbers and booleans.
  bool is_plain_number() const {
    return kind == Kind::kInteger || kind == Kind::kNumber || kind == Kind::kBool;
  }
  double as_number() const { return kind == Kind::kNumber ? number : static_cast<double>(integer); }
};

// One of a function's parameters; without a default it must be given.
struct TorchParameter {
  std::string name;
  std::optional<TorchValue> otherwise;
};

// "input, negative_slope=0.01, mode='nearest', bias=None"
std::vector<TorchParameter> parse_signature(std::string_view signature);

}  // namespace figment::converter
