// Follows the code of a TorchScript archive.
#include "converter/import/torch/script_importer.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "converter/import/torch/ports.h"

namespace figment::converter {
namespace {

using Expression = ScriptExpression;
using Kind = TorchValue::Kind;

constexpr int kMaxDepth = 64;            // of calls in calls
constexpr int kMaxStatements = 500'000;  // that are run
// Bytes of the code of all modules, and more as a share of the file. Code becomes up to sixty
// times its size in memory.
constexpr std::uint64_t kMostCode = std::uint64_t{1} << 18;
constexpr std::uint64_t kShare = 32;
constexpr std::size_t kLongestName = 1000;

// "torch.conv2d" of nested attributes whose first is no variable; empty: it is something else.
template <typename Variables>
std::string dotted_name(const Expression& expression, const Variables& variables) {
  if (expression.is(Expression::Kind::kName))
    return variables.contains(expression.text) ? std::string() : expression.text;
  if (!expression.is(Expression::Kind::kAttribute)) return {};
  const std::string before = dotted_name(expression.parts[0], variables);
  return before.empty() ? before : before + "." + expression.text;
}

bool mentions(const Expression& expression, const std::string& name) {
  if (expression.is(Expression::Kind::kName) && expression.text == name) return true;
  return std::ranges::any_of(expression.parts,
                             [&](const Expression& part) { return mentions(part, name); });
}

// True of a call that writes into its operand, where nobody reads what it gives: then some other
// tensor, of which the operand is a part, has changed.
bool writes_only(const std::deque<ScriptStatement>& body, std::size_t index) {
  const ScriptStatement& statement = body[index];
  if (!statement.value.is(Expression::Kind::kCall)) return false;
  const std::string& function = statement.value.parts[0].text;
  if (!function.ends_with('_') || function.ends_with("__")) return false;
  return std::none_of(body.begin() + static_cast<std::ptrdiff_t>(index) + 1, body.end(),
                      [&](const ScriptStatement& later) {
                        return std::ranges::any_of(statement.targets,
                                                   [&](const std::string& target) {
                                                     return mentions(later.value, target);
                                                   });
                      });
}

}  // namespace

ScriptImporter::ScriptImporter(ScriptArchive& archive, const ImportOptions& options,
                               std::set<std::string>& integer_inputs)
    : archive_(archive),
      options_(options),
      context_{options, graph_, 0, &integer_inputs},
      module_reader_(*archive.module.storages),
      constant_reader_(*archive.constants.storages) {}

void ScriptImporter::refuse(const std::string& path, const std::string& why) const {
  throw ConvertError(archive_.module.storages->file() + ", module '" +
                     (path.empty() ? "forward" : path) + "': " + why);
}

// ---- Values of the pickles ----

TorchValue ScriptImporter::value_of(const PickleValue& value, TorchReader& reader,
                                    const std::string& name) {
  using From = PickleValue::Kind;
  switch (value.kind) {
    case From::kBool:
      return TorchValue::of_bool(value.integer != 0);
    case From::kInteger:
      return TorchValue::of_integer(value.integer);
    case From::kNumber:
      return TorchValue::of_number(value.number);
    case From::kText:
      return TorchValue::of_text(value.object->text);
    case From::kTensor: {
      const auto known = tensors_.find(value.object);
      if (known != tensors_.end()) return TorchValue::of_tensor(known->second);
      const TensorId id = reader.add_to(graph_, tensor_of(*value.object), name);
      tensors_[value.object] = id;
      return TorchValue::of_tensor(id);
    }
    case From::kInstance: {
      TorchValue object;
      object.kind = Kind::kObject;
      object.object = value.object;
      object.path = name;
      return object;
    }
    case From::kTuple:
    case From::kList: {
      if (++depth_ > kMaxDepth) refuse(name, "its lists stand too deep in each other");
      std::vector<TorchValue> items;
      for (std::size_t index = 0; index < value.object->items.size(); ++index)
        items.push_back(
            value_of(value.object->items[index], reader, name + "." + std::to_string(index)));
      --depth_;
      return TorchValue::of_list(std::move(items));
    }
    default:
      return {};
  }
}

TorchValue ScriptImporter::attribute(const TorchValue& object, const std::string& name,
                                     const std::string& path) {
  if (!object.is(Kind::kObject)) refuse(path, "it takes '" + name + "' of what is no module");
  PickleValue holder;
  holder.kind = PickleValue::Kind::kInstance;
  holder.object = const_cast<PickleObject*>(object.object);  // it is only looked at
  const PickleValue* const found = find_item(holder, name);
  if (found == nullptr) refuse(path, "it has no attribute '" + name + "'; the file is damaged");
  return value_of(*found, module_reader_, object.path.empty() ? name : object.path + "." + name);
}

// ---- Code ----

const ScriptFunction& ScriptImporter::find_function(const std::string& module,
                                                    const std::string& name,
                                                    const std::string& path) {
  auto found = archive_.code.find(module);
  if (found == archive_.code.end()) {
    if (module.size() > kLongestName) refuse(path, "its class has too long a name");
    std::string file = module;
    std::ranges::replace(file, '.', '/');
    file = archive_.folder + "code/" + file + ".py";
    const ZipFile::Entry* const entry = archive_.zip.find(file);
    if (entry == nullptr) refuse(path, "its code '" + file + "' is not in the file");
    archive_.code_bytes += entry->bytes;
    if (archive_.code_bytes > kMostCode + archive_.module.storages->file_bytes() / kShare)
      refuse(path, "its code, with '" + file + "', is larger than a network's");
    const std::vector<std::byte> bytes = archive_.zip.read(file);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    found = archive_.code
                .emplace(module, parse_script(text, archive_.module.storages->file() +
                                                        ", in its code '" + file + "',"))
                .first;
  }
  const auto function = found->second.find(name);
  if (function == found->second.end()) refuse(path, "its code has no function '" + name + "'");
  return function->second;
}

TorchValue ScriptImporter::run(const ScriptFunction& function,
                               const std::vector<TorchValue>& arguments, const std::string& path) {
  if (++depth_ > kMaxDepth) refuse(path, "its calls stand too deep in each other");
  if (arguments.size() != function.parameters.size())
    refuse(path, "it is called with " + std::to_string(arguments.size()) +
                     " arguments in place of " + std::to_string(function.parameters.size()));
  Variables variables;
  for (std::size_t index = 0; index < arguments.size(); ++index)
    variables[function.parameters[index].name] = arguments[index];
  for (std::size_t index = 0; index < function.body.size(); ++index) {
    const ScriptStatement& statement = function.body[index];
    if (++statements_ > kMaxStatements) refuse(path, "it has too many steps");
    if (statement.kind != ScriptStatement::Kind::kReturn && writes_only(function.body, index))
      refuse(path, "it writes into a part of a tensor (" + statement.value.parts[0].text +
                       "), which is not supported; put parts together with torch.cat instead");
    switch (statement.kind) {
      case ScriptStatement::Kind::kControl:
        refuse(path, "its code has control flow ('" + std::string(statement.word) +
                         "'), which a graph does not have; save what torch.jit.trace(model.eval(), "
                         "example) gives, not torch.jit.script");
      case ScriptStatement::Kind::kReturn: {
        TorchValue result = evaluate(statement.value, variables, path);
        --depth_;
        return result;
      }
      case ScriptStatement::Kind::kAssign:
        take_apart(statement, evaluate(statement.value, variables, path), variables, path);
        break;
      case ScriptStatement::Kind::kEvaluate:
        evaluate(statement.value, variables, path);
        break;
    }
  }
  --depth_;
  return {};
}

void ScriptImporter::take_apart(const ScriptStatement& statement, const TorchValue& value,
                                Variables& variables, const std::string& path) {
  if (!statement.takes_apart) {
    variables[statement.targets[0]] = value;
    return;
  }
  // Of functions that give places, too, the first result alone is known.
  if (value.is(Kind::kTensor)) {
    variables[statement.targets[0]] = value;
    return;
  }
  if (!value.is(Kind::kList) || value.items.size() < statement.targets.size())
    refuse(path, "it takes apart what has not so many parts");
  for (std::size_t index = 0; index < statement.targets.size(); ++index)
    variables[statement.targets[index]] = value.items[index];
}

TorchValue ScriptImporter::evaluate(const Expression& expression, const Variables& variables,
                                    const std::string& path) {
  switch (expression.kind) {
    case Expression::Kind::kNumber: {
      const char* const begin = expression.text.data();
      const char* const end = begin + expression.text.size();
      if (expression.text.find_first_of(".e") == std::string::npos) {
        std::int64_t number = 0;
        if (std::from_chars(begin, end, number).ptr == end) return TorchValue::of_integer(number);
      }
      double number = 0;
      if (std::from_chars(begin, end, number).ptr != end)
        refuse(path, "its code has the number '" + expression.text + "', which is none");
      return TorchValue::of_number(number);
    }
    case Expression::Kind::kText:
      return TorchValue::of_text(expression.text);
    case Expression::Kind::kList: {
      std::vector<TorchValue> items;
      items.reserve(expression.parts.size());
      for (const Expression& part : expression.parts)
        items.push_back(evaluate(part, variables, path));
      return TorchValue::of_list(std::move(items));
    }
    case Expression::Kind::kName: {
      if (const auto found = variables.find(expression.text); found != variables.end())
        return found->second;
      if (expression.text == "None") return {};
      if (expression.text == "True" || expression.text == "False")
        return TorchValue::of_bool(expression.text == "True");
      if (expression.text == "inf")
        return TorchValue::of_number(std::numeric_limits<double>::infinity());
      refuse(path, "its code reads '" + expression.text + "', which nothing sets");
    }
    case Expression::Kind::kAttribute: {
      const std::string name = dotted_name(expression, variables);
      if (name.empty())
        return attribute(evaluate(expression.parts[0], variables, path), expression.text, path);
      std::size_t index = 0;
      const std::string_view digits =
          std::string_view(name).substr(std::min<std::size_t>(name.size(), 11));
      const PickleValue& constants = archive_.constants.pickle.root();
      if (name.starts_with("CONSTANTS.c") && !digits.empty() &&
          std::from_chars(digits.data(), digits.data() + digits.size(), index).ptr ==
              digits.data() + digits.size() &&
          constants.is(PickleValue::Kind::kTuple) && index < constants.object->items.size())
        return value_of(constants.object->items[index], constant_reader_, name);
      refuse(path, "its code reads '" + name + "', which is not supported");
    }
    case Expression::Kind::kIndex: {
      const TorchValue object = evaluate(expression.parts[0], variables, path);
      const TorchValue index = as_integer(evaluate(expression.parts[1], variables, path), path);
      if (!object.is(Kind::kList)) refuse(path, "it takes a part of what is no list");
      const auto size = static_cast<std::int64_t>(object.items.size());
      if (index.integer < -size || index.integer >= size)
        refuse(path, "it takes a part that its list does not have");
      return object.items[static_cast<std::size_t>(index.integer < 0 ? index.integer + size
                                                                     : index.integer)];
    }
    case Expression::Kind::kCall:
      return evaluate_call(expression, variables, path);
  }
  return {};
}

TorchValue ScriptImporter::as_integer(const TorchValue& value, const std::string& path) {
  if (value.is(Kind::kInteger) || value.is(Kind::kBool))
    return TorchValue::of_integer(value.integer);
  if (value.is(Kind::kNumber) && value.number > -1e15 && value.number < 1e15)
    return TorchValue::of_integer(static_cast<std::int64_t>(value.number));
  if (value.is(Kind::kTensor)) {
    graph_.compute(value.tensor);
    const GraphTensor& tensor = graph_.tensor(value.tensor);
    if (tensor.constant() && tensor.shape.elements() == 1)
      return TorchValue::of_integer(tensor.type == DataType::kInt32
                                        ? *tensor.integers()
                                        : static_cast<std::int64_t>(*tensor.floats()));
  }
  refuse(path, "its shapes depend on its inputs' numbers, which is not supported");
}

// ---- Calls ----

TorchValue ScriptImporter::evaluate_call(const Expression& call, const Variables& variables,
                                         const std::string& path) {
  const Expression& callee = call.parts[0];
  const std::string name = dotted_name(callee, variables);
  if (name.empty()) {
    if (!callee.is(Expression::Kind::kAttribute)) refuse(path, "it calls what is no function");
    return call_method(evaluate(callee.parts[0], variables, path), callee.text, call, variables,
                       path);
  }
  if (name.starts_with("__torch__.")) {
    const std::size_t dot = name.rfind('.');
    std::vector<TorchValue> arguments;
    for (std::size_t index = 1; index < call.parts.size(); ++index)
      arguments.push_back(evaluate(call.parts[index], variables, path));
    return run(find_function(name.substr(0, dot), name.substr(dot + 1), path), arguments, path);
  }
  for (const char* space : {"torch.nn.functional.", "torch.", "ops.aten."})
    if (name.starts_with(space) && name != "torch.device")
      return call_torch(name.substr(std::string_view(space).size()), call, variables, path);
  return call_builtin(name, call, variables, path);
}

TorchValue ScriptImporter::call_method(const TorchValue& object, const std::string& method,
                                       const Expression& call, const Variables& variables,
                                       const std::string& path) {
  if (!object.is(Kind::kObject)) refuse(path, "it calls '" + method + "' of what is no module");
  const std::string& type = object.object->text;  // "module name"
  const std::size_t space = type.find(' ');
  std::vector<TorchValue> arguments = {object};
  for (std::size_t index = 1; index < call.parts.size(); ++index)
    arguments.push_back(evaluate(call.parts[index], variables, path));
  const ScriptFunction& function =
      find_function(type.substr(0, space), type.substr(space + 1) + "." + method, object.path);
  TorchValue result = run(function, arguments, object.path);
  if (result.is(Kind::kTensor)) paths_[object.path] = result.tensor;
  return result;
}

TorchValue ScriptImporter::call_builtin(const std::string& name, const Expression& call,
                                        const Variables& variables, const std::string& path) {
  const std::size_t count = call.parts.size() - 1;
  const auto argument = [&](std::size_t index) {
    if (index >= count) refuse(path, "it calls '" + name + "' with too few arguments");
    return evaluate(call.parts[index + 1], variables, path);
  };
  if (name == "torch.device") return {};
  if (name == "annotate" || name == "unchecked_cast") return argument(1);
  if (name == "ops.prim.NumToTensor" || name == "ops.prim.data") return argument(0);
  if (name == "int") return as_integer(argument(0), path);
  if (name == "getattr") {
    const TorchValue key = argument(1);
    if (!key.is(Kind::kText)) refuse(path, "it takes an attribute whose name is no text");
    return attribute(argument(0), key.text, path);
  }
  if (name == "float") {
    const TorchValue value = argument(0);
    if (value.is_plain_number()) return TorchValue::of_number(value.as_number());
    return TorchValue::of_number(static_cast<double>(as_integer(value, path).integer));
  }
  if (name == "bool") return TorchValue::of_bool(as_integer(argument(0), path).integer != 0);
  refuse(path, "it calls '" + name + "', which is not supported");
}

TorchValue ScriptImporter::call_torch(const std::string& name, const Expression& call,
                                      const Variables& variables, const std::string& path) {
  if (name == "__getitem__" && call.parts.size() == 3) {
    Expression index;
    index.kind = Expression::Kind::kIndex;
    index.parts = {call.parts[1], call.parts[2]};
    return evaluate(index, variables, path);
  }
  const std::string label = path.empty() ? name : path;
  const TorchFunction* const function = find_torch_function(name);
  if (function == nullptr)
    throw ConvertError("node '" + label + "' (" + name +
                       "): this function of PyTorch is not supported; express it by others");
  const std::vector<TorchParameter> parameters = parse_signature(function->signature);
  TorchArguments arguments;
  for (const TorchParameter& parameter : parameters)
    if (parameter.otherwise) arguments[parameter.name] = *parameter.otherwise;
  TorchCall made(context_, label, name, {});
  for (std::size_t index = 1; index < call.parts.size(); ++index) {
    const std::string keyword = call.keywords.empty() ? "" : call.keywords[index - 1];
    const auto known = std::ranges::find_if(
        parameters, [&](const TorchParameter& parameter) { return parameter.name == keyword; });
    if (keyword.empty() ? index > parameters.size() : known == parameters.end())
      made.refuse("it is called with an argument that is not known" +
                  (keyword.empty() ? std::string() : " ('" + keyword + "')"));
    arguments[keyword.empty() ? parameters[index - 1].name : keyword] =
        evaluate(call.parts[index], variables, path);
  }
  TorchCall complete(context_, label, name, std::move(arguments));
  try {
    return function->call(complete);
  } catch (const DamagedFile&) {
    throw;
  } catch (const ConvertError& error) {
    if (std::string(error.what()).starts_with("node '")) throw;
    complete.refuse(error.what());
  }
}

}  // namespace figment::converter
