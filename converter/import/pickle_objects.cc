// A pickle's opcodes that call or name something: only what is known is made, and nothing runs.
#include <optional>

#include "converter/import/pickle_globals.h"
#include "converter/import/pickle_reader.h"

namespace figment::converter {

void PickleReader::push_global(const std::string& module, const std::string& name) {
  const bool script_class = options_.script_classes && module.starts_with("__torch__");
  if (!script_class && !is_known_global(module, name)) refuse_global(options_.file, module, name);
  push_object(Kind::kGlobal).text = module + " " + name;
}

void PickleReader::reduce() {
  const PickleValue arguments = pop();
  const PickleValue function = pop();
  if (function.is(Kind::kOpaque)) return push(make_value(Kind::kOpaque));
  if (!function.is(Kind::kGlobal) || !arguments.is(Kind::kTuple))
    damaged("calls what is no function");
  PickleObject made;
  const std::optional<PickleValue> result =
      call_global(function.object->text, arguments.object->items, made);
  if (!result) damaged("calls '" + function.object->text + "' with arguments that do not fit");
  if (result->object != nullptr || result->kind < Kind::kText || result->kind == Kind::kOpaque)
    return push(*result);
  spend((made.items.size() + made.sizes.size() + made.strides.size()) * sizeof(PickleValue));
  push_object(result->kind) = std::move(made);
}

// cls.__new__(cls, *arguments)
void PickleReader::new_object() {
  const PickleValue arguments = top();
  pop();
  const PickleValue type = top();
  if (type.is(Kind::kGlobal) && type.object->text.starts_with("__torch__")) {
    pop();
    if (!arguments.is(Kind::kTuple) || !arguments.object->items.empty())
      damaged("builds an object in a way that TorchScript does not");
    push_object(Kind::kInstance).text = type.object->text;
    return;
  }
  push(arguments);
  reduce();
}

// object.__setstate__(state): of instances their attributes; all others are whole without.
void PickleReader::build() {
  const PickleValue state = pop();
  const PickleValue& to = top();
  if (!to.is(Kind::kInstance)) return;
  if (!state.is(Kind::kDictionary)) damaged("gives an object no dictionary of attributes");
  spend(state.object->items.size() * sizeof(PickleValue));
  to.object->items = state.object->items;
}

// ('storage', type, key, device, count[, view]): numbers that stand elsewhere in the file.
void PickleReader::persistent() {
  const PickleValue id = pop();
  PickleObject storage;
  if (!id.is(Kind::kTuple) || !read_storage(id.object->items, storage))
    damaged("names a storage in an unknown way");
  spend(storage.text.size());
  push_object(Kind::kStorage) = std::move(storage);
}

bool PickleReader::step_object(unsigned opcode) {
  switch (opcode) {
    case 'c': {
      const std::string module = line();
      push_global(module, line());
      return true;
    }
    case 0x93: {
      const PickleValue name = pop();
      const PickleValue module = pop();
      if (!name.is(Kind::kText) || !module.is(Kind::kText)) damaged("has a name that is no text");
      push_global(module.object->text, name.object->text);
      return true;
    }
    case 'R':
      reduce();
      return true;
    case 0x81:
      new_object();
      return true;
    case 'b':
      build();
      return true;
    case 'Q':
      persistent();
      return true;
    default:
      return false;
  }
}

}  // namespace figment::converter
