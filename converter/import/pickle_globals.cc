// The names of Python that a pickle of PyTorch may use.
#include "converter/import/pickle_globals.h"

#include <algorithm>
#include <string_view>

namespace figment::converter {
namespace {

using Kind = PickleValue::Kind;

struct TypeName {
  const char* global;
  TorchType type;
};

constexpr TypeName kTypes[] = {
    {"torch FloatStorage", TorchType::kFloat32},
    {"torch DoubleStorage", TorchType::kFloat64},
    {"torch HalfStorage", TorchType::kFloat16},
    {"torch BFloat16Storage", TorchType::kBfloat16},
    {"torch CharStorage", TorchType::kInt8},
    {"torch ByteStorage", TorchType::kUint8},
    {"torch ShortStorage", TorchType::kInt16},
    {"torch IntStorage", TorchType::kInt32},
    {"torch LongStorage", TorchType::kInt64},
    {"torch BoolStorage", TorchType::kBool},
    {"torch.storage UntypedStorage", TorchType::kUint8},
    {"torch UntypedStorage", TorchType::kUint8},
    {"torch ComplexFloatStorage", TorchType::kOther},
    {"torch ComplexDoubleStorage", TorchType::kOther},
    {"torch QInt8Storage", TorchType::kOther},
    {"torch QUInt8Storage", TorchType::kOther},
    {"torch QInt32Storage", TorchType::kOther},
    {"torch float32", TorchType::kFloat32},
    {"torch float64", TorchType::kFloat64},
    {"torch float16", TorchType::kFloat16},
    {"torch bfloat16", TorchType::kBfloat16},
    {"torch int8", TorchType::kInt8},
    {"torch uint8", TorchType::kUint8},
    {"torch int16", TorchType::kInt16},
    {"torch int32", TorchType::kInt32},
    {"torch int64", TorchType::kInt64},
    {"torch bool", TorchType::kBool},
    {"torch complex64", TorchType::kOther},
};

enum class Maker {
  kTensor,
  kTensorAsType,
  kParameter,
  kFromType,
  kDictionary,
  kDefaultDictionary,
  kTuple,
  kList,
  kOpaque
};

struct Function {
  const char* global;
  Maker maker;
};

constexpr Function kFunctions[] = {
    {"torch._utils _rebuild_tensor", Maker::kTensor},
    {"torch._utils _rebuild_tensor_v2", Maker::kTensor},
    {"torch._utils _rebuild_tensor_v3", Maker::kTensorAsType},
    {"torch._utils _rebuild_parameter", Maker::kParameter},
    {"torch._utils _rebuild_parameter_with_state", Maker::kParameter},
    {"torch._tensor _rebuild_from_type_v2", Maker::kFromType},
    {"torch.nn.parameter Parameter", Maker::kParameter},
    {"torch.nn.parameter Buffer", Maker::kParameter},
    {"torch Tensor", Maker::kParameter},
    {"torch Size", Maker::kTuple},
    {"torch device", Maker::kOpaque},
    {"torch.serialization _get_layout", Maker::kOpaque},
    {"collections OrderedDict", Maker::kDictionary},
    {"collections Counter", Maker::kDictionary},
    {"collections defaultdict", Maker::kDefaultDictionary},
    {"builtins set", Maker::kList},
    {"__builtin__ set", Maker::kList},
    {"torch.jit._pickle build_intlist", Maker::kList},
    {"torch.jit._pickle build_doublelist", Maker::kList},
    {"torch.jit._pickle build_boollist", Maker::kList},
    {"torch.jit._pickle build_tensorlist", Maker::kList},
    {"torch.jit._pickle restore_type_tag", Maker::kList},
    // Numbers of NumPy that training scripts leave in checkpoints.
    {"numpy.core.multiarray scalar", Maker::kOpaque},
    {"numpy._core.multiarray scalar", Maker::kOpaque},
    {"numpy.core.multiarray _reconstruct", Maker::kOpaque},
    {"numpy._core.multiarray _reconstruct", Maker::kOpaque},
    {"numpy ndarray", Maker::kOpaque},
    {"numpy dtype", Maker::kOpaque},
    {"_codecs encode", Maker::kOpaque},
};

const Function* find_function(std::string_view global) {
  const auto row = std::ranges::find_if(
      kFunctions, [&](const Function& known) { return global == known.global; });
  return row == std::end(kFunctions) ? nullptr : row;
}

const TypeName* find_type(std::string_view global) {
  const auto row =
      std::ranges::find_if(kTypes, [&](const TypeName& known) { return global == known.global; });
  return row == std::end(kTypes) ? nullptr : row;
}

bool read_integers(const PickleValue& value, std::vector<std::int64_t>& into) {
  if (!value.is(Kind::kTuple) && !value.is(Kind::kList)) return false;
  for (const PickleValue& item : value.object->items) {
    if (!item.is(Kind::kInteger)) return false;
    into.push_back(item.integer);
  }
  return true;
}

// (storage, offset, sizes, strides, requires_grad, hooks[, type or metadata])
std::optional<PickleValue> make_tensor(const std::vector<PickleValue>& arguments, bool with_type,
                                       PickleObject& made) {
  if (arguments.size() < (with_type ? 7U : 4U) || !arguments[0].is(Kind::kStorage) ||
      !arguments[1].is(Kind::kInteger) || !read_integers(arguments[2], made.sizes) ||
      !read_integers(arguments[3], made.strides) || made.sizes.size() != made.strides.size())
    return std::nullopt;
  made.storage = arguments[0].object;
  made.offset = arguments[1].integer;
  made.type = made.storage->type;
  if (with_type) {
    const TypeName* const type =
        arguments[6].is(Kind::kGlobal) ? find_type(arguments[6].object->text) : nullptr;
    made.type = type != nullptr ? type->type : TorchType::kOther;
  }
  PickleValue value;
  value.kind = Kind::kTensor;
  return value;
}

// A dictionary of nothing, of another dictionary, or of pairs.
std::optional<PickleValue> make_dictionary(const std::vector<PickleValue>& arguments,
                                           PickleObject& made) {
  PickleValue value;
  value.kind = Kind::kDictionary;
  if (arguments.empty()) return value;
  if (arguments.size() > 1) return std::nullopt;
  if (arguments[0].is(Kind::kDictionary)) {
    made.items = arguments[0].object->items;
    return value;
  }
  if (!arguments[0].is(Kind::kList)) return std::nullopt;
  for (const PickleValue& pair : arguments[0].object->items) {
    if ((!pair.is(Kind::kTuple) && !pair.is(Kind::kList)) || pair.object->items.size() != 2)
      return std::nullopt;
    made.items.insert(made.items.end(), pair.object->items.begin(), pair.object->items.end());
  }
  return value;
}

// What a value, already there, is when it is taken over as it is.
std::optional<PickleValue> take_tensor(const PickleValue& value) {
  return value.is(Kind::kTensor) ? std::optional(value) : std::nullopt;
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text,
                             [](unsigned char letter) { return letter >= 0x20 && letter != 0x7f; });
}

}  // namespace

std::size_t bytes_of(TorchType type) {
  switch (type) {
    case TorchType::kFloat64:
    case TorchType::kInt64:
      return 8;
    case TorchType::kFloat32:
    case TorchType::kInt32:
      return 4;
    case TorchType::kFloat16:
    case TorchType::kBfloat16:
    case TorchType::kInt16:
      return 2;
    case TorchType::kInt8:
    case TorchType::kUint8:
    case TorchType::kBool:
      return 1;
    case TorchType::kOther:
      break;
  }
  return 0;
}

bool is_known_global(const std::string& module, const std::string& name) {
  const std::string global = module + " " + name;
  return find_function(global) != nullptr || find_type(global) != nullptr;
}

void refuse_global(const std::string& file, const std::string& module, const std::string& name) {
  constexpr std::size_t kMost = 200;
  if (module.empty() || name.empty() || module.size() > kMost || name.size() > kMost ||
      !is_plain(module) || !is_plain(name))
    throw DamagedFile(file +
                      " is damaged: its pickle names no sensible class; download or save it again");
  throw ConvertError(file + " holds the Python class '" + name + "' of the module '" + module +
                     "', which cannot be run; save the weights alone instead: "
                     "torch.save(model.state_dict(), 'weights.pt')");
}

std::optional<PickleValue> call_global(const std::string& global,
                                       const std::vector<PickleValue>& arguments,
                                       PickleObject& made) {
  PickleValue opaque;
  opaque.kind = Kind::kOpaque;
  const Function* const function = find_function(global);
  if (function == nullptr)
    return find_type(global) != nullptr ? std::optional(opaque) : std::nullopt;
  PickleValue value;
  switch (function->maker) {
    case Maker::kTensor:
    case Maker::kTensorAsType:
      return make_tensor(arguments, function->maker == Maker::kTensorAsType, made);
    case Maker::kParameter:
      return arguments.empty() ? std::nullopt : take_tensor(arguments[0]);
    case Maker::kFromType: {  // (function, type, arguments, state)
      if (arguments.size() < 3 || !arguments[0].is(Kind::kGlobal) || !arguments[2].is(Kind::kTuple))
        return std::nullopt;
      const Function* const inner = find_function(arguments[0].object->text);
      // One of those that make a tensor: nothing calls itself.
      if (inner == nullptr || inner->maker > Maker::kParameter) return std::nullopt;
      return call_global(arguments[0].object->text, arguments[2].object->items, made);
    }
    case Maker::kDictionary:
      return make_dictionary(arguments, made);
    case Maker::kDefaultDictionary:
      return make_dictionary({}, made);
    case Maker::kTuple:
    case Maker::kList:
      value.kind = function->maker == Maker::kTuple ? Kind::kTuple : Kind::kList;
      if (arguments.empty()) return value;
      if (!arguments[0].is(Kind::kTuple) && !arguments[0].is(Kind::kList)) return arguments[0];
      made.items = arguments[0].object->items;
      return value;
    case Maker::kOpaque:
      break;
  }
  return opaque;
}

bool read_storage(const std::vector<PickleValue>& id, PickleObject& storage) {
  if (id.size() < 5 || !id[0].is(Kind::kText) || id[0].object->text != "storage" ||
      !id[1].is(Kind::kGlobal) || !id[2].is(Kind::kText) || !id[4].is(Kind::kInteger) ||
      id[4].integer < 0)
    return false;
  const TypeName* const type = find_type(id[1].object->text);
  if (type == nullptr) return false;
  storage.type = type->type;
  storage.text = id[2].object->text;
  storage.count = id[4].integer;
  // Before zip archives a storage could be a part of another: (key, offset, count).
  if (id.size() > 5 && id[5].is(Kind::kTuple)) {
    const std::vector<PickleValue>& view = id[5].object->items;
    if (view.size() != 3 || !view[1].is(Kind::kInteger) || view[1].integer < 0) return false;
    storage.offset = view[1].integer;
  }
  return true;
}

}  // namespace figment::converter
