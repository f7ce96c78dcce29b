// Julia values from a file of BSON.jl.
//
// BSON.jl writes what BSON has no type for as a document with a "tag": "struct" (its type, and its
// fields in order, without names), "array" (element type, size, bytes in Julia's order), "tuple",
// "symbol", "datatype" (the names of its modules and its own, and its parameters), "jl_anonymous"
// (the type of a function without a name, with its code, which is left alone), and "backref" for
// what is met again: the document's "_backrefs" has it, counted from 1.
#include "converter/import/flux/bson_julia.h"

#include <algorithm>

#include "converter/graph/graph.h"
#include "converter/import/flux/bson_document.h"

namespace figment::converter {
namespace {

using Document = std::span<const std::byte>;

constexpr int kMaxDepth = 512;

[[noreturn]] void damaged(const std::string& what) {
  throw DamagedFile("the file is damaged: " + what +
                    "; copy it again, or save the model again with BSON.@save");
}

class BsonJulia {
 public:
  explicit BsonJulia(JuliaFile& file) : file_(file) {}

  const JuliaValue* read_root() {
    const Document document = file_.bytes();
    check_bson(document);
    if (const auto list = find_element(document, "_backrefs")) {
      if (!list->is(BsonType::kArray)) damaged("its _backrefs are no list");
      file_.spend(count_elements(list->value));
      BsonWalk walk(list->value);
      while (const auto element = walk.next()) references_.push_back({*element, nullptr});
    }
    return dictionary(document);
  }

 private:
  struct Reference {
    BsonElement element;
    const JuliaValue* value;  // null before it was wanted
  };

  const JuliaValue* read(const BsonElement& element) {
    if (++depth_ > kMaxDepth) damaged("its values are nested more than 512 deep");
    const JuliaValue* value = read_here(element);
    --depth_;
    return value;
  }

  const JuliaValue* read_here(const BsonElement& element) {
    switch (element.type) {
      case BsonType::kNull:
        return file_.nothing();
      case BsonType::kBool:
        return file_.boolean(element.integer() != 0);
      case BsonType::kInt32:
      case BsonType::kInt64: {
        JuliaValue& value = file_.add(JuliaKind::kInteger);
        value.integer = element.integer();
        return &value;
      }
      case BsonType::kDouble: {
        JuliaValue& value = file_.add(JuliaKind::kFloat);
        value.number = element.number();
        return &value;
      }
      case BsonType::kText: {
        JuliaValue& value = file_.add(JuliaKind::kText);
        value.text = element.text();
        return &value;
      }
      case BsonType::kBinary: {
        JuliaValue& value = file_.add(JuliaKind::kNumbers);
        value.element = JuliaElement::kInteger;
        value.extents = {static_cast<std::int64_t>(element.value.size())};
        value.data = element.value;
        return &value;
      }
      case BsonType::kArray:
        return list(element.value);
      case BsonType::kDocument:
        return tagged(element.value);
      default:
        return &file_.add(JuliaKind::kOther);
    }
  }

  void read_items(Document array, JuliaValue& into) {
    into.items.reserve(count_elements(array));
    BsonWalk walk(array);
    while (const auto element = walk.next()) into.items.push_back(read(*element));
  }

  const JuliaValue* list(Document array) {
    JuliaValue& value = file_.add(JuliaKind::kList);
    file_.spend(count_elements(array) / 4);
    read_items(array, value);
    return &value;
  }

  const JuliaValue* dictionary(Document document) {
    JuliaValue& value = file_.add(JuliaKind::kDictionary);
    BsonWalk walk(document);
    while (const auto element = walk.next()) {
      if (element->key == "_backrefs") continue;
      file_.spend(1);
      value.names.emplace_back(element->key);
      value.items.push_back(read(*element));
    }
    return &value;
  }

  const JuliaValue* tagged(Document document) {
    const auto tag = find_element(document, "tag");
    const std::string_view name = tag ? tag->text() : std::string_view();
    if (name.empty()) return dictionary(document);
    if (name == "struct") return structure(document);
    if (name == "array") return array(document);
    if (name == "datatype") return type(document);
    if (name == "backref") return reference(document);
    if (name == "tuple" || name == "svec") return list(part(document, "data", BsonType::kArray));
    if (name == "unionall") return read(element(document, "body"));
    if (name == "jl_anonymous") return anonymous_type(document);
    if (name == "symbol") {
      JuliaValue& value = file_.add(JuliaKind::kSymbol);
      value.text = element(document, "name").text();
      return &value;
    }
    return &file_.add(JuliaKind::kOther);  // a module, the empty type
  }

  static BsonElement element(Document document, std::string_view key) {
    const auto found = find_element(document, key);
    if (!found) damaged("a value lacks its '" + std::string(key) + "'");
    return *found;
  }

  static Document part(Document document, std::string_view key, BsonType kind) {
    const BsonElement found = element(document, key);
    if (!found.is(kind)) damaged("a value's '" + std::string(key) + "' is of another type");
    return found.value;
  }

  const JuliaValue* read_type(Document document) {
    const JuliaValue* read_one = read(element(document, "type"));
    return read_one->is(JuliaKind::kType) ? read_one : nullptr;
  }

  const JuliaValue* type(Document document) {
    JuliaValue& value = file_.add(JuliaKind::kType);
    BsonWalk names(part(document, "name", BsonType::kArray));
    while (const auto name = names.next()) {
      file_.spend(1 + name->text().size() / 64);
      if (!value.text.empty()) value.text += '.';
      value.text += name->text();
    }
    read_items(part(document, "params", BsonType::kArray), value);
    return &value;
  }

  // Only the name is read: what else there is is the function's code.
  const JuliaValue* anonymous_type(Document document) {
    JuliaValue& value = file_.add(JuliaKind::kType);
    value.text = "#";
    auto name = element(document, "typename");
    for (int step = 0; step < 8 && name.is(BsonType::kDocument); ++step) {
      const auto tag = find_element(name.value, "tag");
      if (!tag || tag->text() != "backref") break;
      name = referred(name.value).element;
    }
    if (!name.is(BsonType::kDocument)) return &value;
    // TypeName: the version of Julia, the name, ...
    const auto data = find_element(name.value, "data");
    if (!data || !data->is(BsonType::kArray)) return &value;
    const auto symbol = find_element(data->value, "1");
    if (!symbol || !symbol->is(BsonType::kDocument)) return &value;
    if (const auto text = find_element(symbol->value, "name")) value.text = text->text();
    if (!value.text.starts_with('#')) value.text = "#" + value.text;
    return &value;
  }

  Reference& referred(Document document) {
    const std::int64_t index = element(document, "ref").integer();
    if (index < 1 || index > static_cast<std::int64_t>(references_.size()))
      damaged("a reference points at nothing");
    return references_[static_cast<std::size_t>(index) - 1];
  }

  // What a reference to itself leads to is kOther: no model needs one.
  const JuliaValue* reference(Document document) {
    Reference& wanted = referred(document);
    if (wanted.value == nullptr) {
      wanted.value = &file_.add(JuliaKind::kOther);
      wanted.value = read(wanted.element);
    }
    return wanted.value;
  }

  const JuliaValue* structure(Document document) {
    JuliaValue& value = file_.add(JuliaKind::kStruct);
    value.type = read_type(document);
    const BsonElement data = element(document, "data");
    if (data.is(BsonType::kBinary)) {
      if (value.type != nullptr)
        set_primitive(value, short_name(*value.type), data.value);
      else
        value.kind = JuliaKind::kOther;
    } else if (data.is(BsonType::kArray)) {
      read_items(data.value, value);
      if (value.type != nullptr) name_items(value);
    } else {
      value.kind = JuliaKind::kOther;
    }
    return &value;
  }

  // A Dict is its keys and its values; a NamedTuple has its names as a parameter of its type.
  static void name_items(JuliaValue& value) {
    const std::string_view name = short_name(*value.type);
    const JuliaValue* keys = nullptr;
    if (name == "NamedTuple" && !value.type->items.empty()) keys = value.type->items[0];
    if (name == "Dict" && value.items.size() == 2) keys = value.items[0];
    if (keys == nullptr || !keys->is(JuliaKind::kList)) return;
    std::vector<const JuliaValue*> values = value.items;
    if (name == "Dict") {
      if (!values[1]->is(JuliaKind::kList)) return;
      values = values[1]->items;
    }
    if (values.size() != keys->items.size()) damaged("a table has not as many keys as values");
    std::vector<std::string> names;
    for (const JuliaValue* key : keys->items) {
      if (!key->is(JuliaKind::kSymbol) && !key->is(JuliaKind::kText)) return;
      names.push_back(key->text);
    }
    value.kind = JuliaKind::kDictionary;
    value.names = std::move(names);
    value.items = std::move(values);
  }

  const JuliaValue* array(Document document) {
    JuliaValue& value = file_.add(JuliaKind::kNumbers);
    const JuliaValue* kind = read_type(document);
    const BsonElement data = element(document, "data");
    if (data.is(BsonType::kArray)) {
      value.kind = JuliaKind::kList;
      file_.spend(count_elements(data.value) / 4);
      read_items(data.value, value);
      return &value;
    }
    if (!data.is(BsonType::kBinary)) damaged("an array has no values");
    BsonWalk size(part(document, "size", BsonType::kArray));
    while (const auto extent = size.next()) {
      file_.spend(1);
      value.extents.push_back(extent->integer());
    }
    const JuliaElementType elements =
        kind != nullptr ? element_type(short_name(*kind)) : JuliaElementType{};
    value.element = elements.element;
    value.data = data.value;
    if (elements.bytes == 0) {
      value.kind = JuliaKind::kOther;
    } else if (const std::int64_t count = count_elements(value.extents);
               count < 0 ||
               static_cast<std::uint64_t>(count) != data.value.size() / elements.bytes ||
               data.value.size() % elements.bytes != 0) {
      damaged("an array's size is not that of its values");
    }
    return &value;
  }

  JuliaFile& file_;
  std::vector<Reference> references_;
  int depth_ = 0;
};

}  // namespace

void read_bson_values(JuliaFile& file) { file.root = BsonJulia(file).read_root(); }

}  // namespace figment::converter
