// Julia values from a file of JLD2.
//
// JLD2 makes an HDF5 type of each of Julia's, with an attribute "julia_type" that names it; a
// struct is a compound of its fields, but those that hold nothing (functions, for one) are left
// out. A tuple's can be told from the parameters of its type; newer versions list all fields in
// "field_names" and "field_types". Mutable values and arrays are objects of their own, which others
// refer to.
#include "converter/import/flux/jld2_julia.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "converter/graph/graph.h"
#include "converter/import/flux/jld2_types.h"

namespace figment::converter {
namespace {

constexpr int kMaxDepth = 256;

// What the file says of a committed type.
struct TypeNotes {
  const JuliaValue* type = nullptr;
  bool empty = false;                     // its values hold nothing
  std::vector<Jld2Address> member_types;  // of a compound's members; kNoAddress: HDF5's own
  std::vector<std::string> field_names;   // all of the struct's fields, where the file says
  std::vector<Jld2Address> field_types;
};

class Jld2Julia {
 public:
  explicit Jld2Julia(JuliaFile& file) : file_(file), source_(file.bytes()) {}

  const JuliaValue* read_root() {
    const JuliaValue* root = value(source_.root());
    if (!root->is(JuliaKind::kDictionary)) refuse_jld2("its root is no group");
    return root;
  }

 private:
  void deeper() {
    if (++depth_ > kMaxDepth) refuse_jld2("its values are nested more than 256 deep");
  }

  // ---- Objects ----

  // Nothing where the address is none. What leads to itself is kOther there.
  const JuliaValue* value(Jld2Address address) {
    if (address == 0 || address == kNoAddress) return file_.nothing();
    if (const auto known = values_.find(address); known != values_.end()) return known->second;
    values_[address] = &file_.add(JuliaKind::kOther);
    deeper();
    const Jld2Object object = source_.object(address);
    const JuliaValue* read = nullptr;
    if (object.space) {
      read = dataset(object);
    } else if (object.type != nullptr) {
      read = notes(address).type;
    } else {
      read = group(object);
    }
    --depth_;
    return values_[address] = read;
  }

  const JuliaValue* group(const Jld2Object& object) {
    JuliaValue& value = file_.add(JuliaKind::kDictionary);
    for (const Jld2Link& link : object.links) {
      if (link.name == "_types") continue;
      file_.spend(1 + link.name.size() / 64);
      value.names.emplace_back(link.name);
      value.items.push_back(this->value(link.address));
    }
    return &value;
  }

  const JuliaValue* dataset(const Jld2Object& object) {
    if (object.type == nullptr) refuse_jld2("an array has no type");
    const Jld2Type& type = *object.type;
    if (object.space->empty) return &file_.add(JuliaKind::kList);
    if (!object.trouble.empty()) {
      JuliaValue& value = file_.add(JuliaKind::kOther);
      value.text = object.trouble;
      return &value;
    }
    if (object.space->scalar) return one(type, object.data, type.committed);

    const JuliaElementType element = element_type(element_name(type));
    const auto count = static_cast<std::size_t>(count_values(*object.space));
    if (element.bytes > 0) {
      JuliaValue& value = file_.add(JuliaKind::kNumbers);
      value.element = element.element;
      value.extents.assign(object.space->extents.rbegin(), object.space->extents.rend());
      value.data = object.data.first(count * type.size);
      return &value;
    }
    JuliaValue& value = file_.add(JuliaKind::kList);
    if (type.size == 0) refuse_jld2("a list's elements take no room");
    file_.spend(count / 4);
    value.items.reserve(count);
    for (std::size_t index = 0; index < count; ++index)
      value.items.push_back(
          one(type, object.data.subspan(index * type.size, type.size), type.committed));
    return &value;
  }

  // ---- Values ----

  // Julia's name of HDF5's numbers; empty of other types.
  static std::string_view element_name(const Jld2Type& type) {
    constexpr std::string_view kSigned[] = {"", "Int8", "Int16", "", "Int32", "", "", "", "Int64"};
    constexpr std::string_view kUnsigned[] = {"", "UInt8", "UInt16", "",      "UInt32",
                                              "", "",      "",       "UInt64"};
    if (type.kind == Jld2Class::kBits) return type.size == 1 ? "Bool" : "";
    if (type.kind == Jld2Class::kInteger)
      return type.is_signed ? kSigned[type.size] : kUnsigned[type.size];
    if (type.kind == Jld2Class::kFloat)
      return type.size == 2 ? "Float16" : type.size == 4 ? "Float32" : "Float64";
    return "";
  }

  // `committed`: the object that says which of Julia's types it is.
  const JuliaValue* one(const Jld2Type& type, Jld2Bytes bytes, Jld2Address committed) {
    deeper();
    const JuliaValue* value = one_here(type, bytes.first(type.size), committed);
    --depth_;
    return value;
  }

  const JuliaValue* one_here(const Jld2Type& type, Jld2Bytes bytes, Jld2Address committed) {
    const TypeNotes* notes = committed == kNoAddress ? nullptr : &this->notes(committed);
    switch (type.kind) {
      case Jld2Class::kCompound:
        return compound(type, bytes, notes);
      case Jld2Class::kReference: {
        Jld2Address address = 0;
        std::memcpy(&address, bytes.data(), 8);
        return dictionary_of(value(address), notes);
      }
      case Jld2Class::kText:
        return text({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, notes);
      case Jld2Class::kVariable: {
        if (!type.is_text) return &file_.add(JuliaKind::kOther);
        const Jld2Bytes letters = source_.variable(bytes, 1);
        return text({reinterpret_cast<const char*>(letters.data()), letters.size()}, notes);
      }
      case Jld2Class::kOpaque:
        if (notes != nullptr && notes->empty) return instance(*notes->type);
        return &file_.add(JuliaKind::kOther);
      default: {
        JuliaValue& value = file_.add(JuliaKind::kOther);
        set_primitive(value, element_name(type), bytes);
        return &value;
      }
    }
  }

  const JuliaValue* text(std::string_view letters, const TypeNotes* notes) {
    const bool symbol = notes != nullptr && short_name(*notes->type) == "Symbol";
    JuliaValue& value = file_.add(symbol ? JuliaKind::kSymbol : JuliaKind::kText);
    file_.spend(letters.size() / 64);
    value.text = letters;
    return &value;
  }

  // What a type that holds nothing has as its only value.
  const JuliaValue* instance(const JuliaValue& type) {
    if (short_name(type) == "Nothing") return file_.nothing();
    if (short_name(type) == "Tuple") {
      JuliaValue& value = file_.add(JuliaKind::kList);
      for (const JuliaValue* part : type.items)
        if (part->is(JuliaKind::kType)) value.items.push_back(instance(*part));
      return &value;
    }
    JuliaValue& value = file_.add(JuliaKind::kStruct);
    value.type = &type;
    return &value;
  }

  const JuliaValue* compound(const Jld2Type& type, Jld2Bytes bytes, const TypeNotes* notes) {
    if (notes == nullptr) return &file_.add(JuliaKind::kOther);
    const std::string_view name = short_name(*notes->type);
    if (name == "DataType") return data_type(type, bytes);

    JuliaValue& value = file_.add(JuliaKind::kStruct);
    value.type = notes->type;
    for (std::size_t index = 0; index < type.members.size(); ++index) {
      const Jld2Type::Member& member = type.members[index];
      const Jld2Address committed =
          index < notes->member_types.size() ? notes->member_types[index] : kNoAddress;
      value.names.push_back(member.name);
      value.items.push_back(
          one(member.type, bytes.subspan(member.offset, member.type.size), committed));
    }
    if (name == "Tuple" || name == "NTuple" || name == "NamedTuple") {
      complete_tuple(value);
    } else if (!notes->field_names.empty()) {
      complete(value, notes->field_names, [&](std::size_t index) -> const JuliaValue* {
        const Jld2Address missing = notes->field_types[index];
        return missing == kNoAddress || missing == 0 ? file_.nothing()
                                                     : instance(*this->notes(missing).type);
      });
    }
    return dictionary_of(&value, notes);
  }

  // Puts the fields in the order of `names`, with `missing(i)` for those that are not there.
  template <typename Missing>
  void complete(JuliaValue& value, const std::vector<std::string>& names, Missing missing) {
    std::map<std::string_view, const JuliaValue*> present;
    for (std::size_t index = 0; index < value.names.size(); ++index)
      present[value.names[index]] = value.items[index];
    std::vector<const JuliaValue*> items;
    for (std::size_t index = 0; index < names.size(); ++index) {
      const auto found = present.find(names[index]);
      items.push_back(found != present.end() ? found->second : missing(index));
    }
    value.names = names;
    value.items = std::move(items);
  }

  // A tuple's fields are named 1, 2, ...; its type has the types of all.
  void complete_tuple(JuliaValue& value) {
    const JuliaValue* type = value.type;
    std::vector<std::string> names;
    if (short_name(*type) == "NamedTuple") {
      if (type->items.size() != 2 || !type->items[0]->is(JuliaKind::kList) ||
          !type->items[1]->is(JuliaKind::kType))
        refuse_jld2("a NamedTuple's type lacks its names");
      for (const JuliaValue* name : type->items[0]->items) names.push_back(name->text);
      type = type->items[1];
      value.kind = JuliaKind::kDictionary;
    } else {
      value.kind = JuliaKind::kList;
    }
    if (short_name(*type) == "NTuple") return;  // all of one type, so all or none are here
    if (names.empty())
      for (std::size_t index = 0; index < type->items.size(); ++index)
        names.push_back(std::to_string(index + 1));
    if (names.size() != type->items.size())
      refuse_jld2("a NamedTuple has not as many names as values");
    if (names.size() < value.items.size()) refuse_jld2("a tuple has more values than its type");
    complete(value, names, [&](std::size_t index) -> const JuliaValue* {
      const JuliaValue* part = type->items[index];
      return part->is(JuliaKind::kType) ? instance(*part) : file_.nothing();
    });
    if (value.is(JuliaKind::kList)) value.names.clear();
  }

  // A Dict is written as a list of its pairs, by itself or as its only field.
  const JuliaValue* dictionary_of(const JuliaValue* value, const TypeNotes* notes) {
    if (notes == nullptr || notes->type == nullptr || short_name(*notes->type) != "Dict")
      return value;
    if (value->is(JuliaKind::kStruct) && value->items.size() == 1) value = value->items[0];
    if (!value->is(JuliaKind::kList)) return value;
    JuliaValue& dictionary = file_.add(JuliaKind::kDictionary);
    for (const JuliaValue* pair : value->items) {
      if (!pair->is(JuliaKind::kStruct) || pair->items.size() != 2) return value;
      const JuliaValue* key = pair->items[0];
      if (!key->is(JuliaKind::kText) && !key->is(JuliaKind::kSymbol)) return value;
      dictionary.names.push_back(key->text);
      dictionary.items.push_back(pair->items[1]);
    }
    return &dictionary;
  }

  // ---- Types ----

  // A compound of the type's name and, in the heap, the addresses of its parameters.
  const JuliaValue* data_type(const Jld2Type& type, Jld2Bytes bytes) {
    if (type.members.size() != 2 || type.members[0].type.kind != Jld2Class::kVariable ||
        type.members[1].type.kind != Jld2Class::kVariable)
      refuse_jld2("a type's description is of an unknown form");
    JuliaValue& value = file_.add(JuliaKind::kType);
    const Jld2Bytes name = source_.variable(bytes.subspan(type.members[0].offset, 16), 1);
    file_.spend(name.size() / 64);
    value.text.assign(reinterpret_cast<const char*>(name.data()), name.size());
    const Jld2Bytes addresses = source_.variable(bytes.subspan(type.members[1].offset, 16), 8);
    for (std::size_t at = 0; at + 8 <= addresses.size(); at += 8) {
      file_.spend(1);
      Jld2Address address = 0;
      std::memcpy(&address, addresses.data() + at, 8);
      value.items.push_back(this->value(address));
    }
    return &value;
  }

  const TypeNotes& notes(Jld2Address address) {
    const auto [place, is_new] = notes_.try_emplace(address);
    TypeNotes& notes = place->second;
    if (!is_new) {
      if (notes.type == nullptr) refuse_jld2("a type is defined by itself");
      return notes;
    }
    deeper();
    const Jld2Object object = source_.object(address);
    const Jld2Attribute* julia = object.attribute("julia_type");
    if (object.type == nullptr || julia == nullptr || julia->type->kind != Jld2Class::kCompound ||
        julia->type->members.size() != 2 || !julia->space.scalar) {
      JuliaValue& unknown = file_.add(JuliaKind::kType);
      notes.type = &unknown;
    } else {
      notes.type = data_type(*julia->type, julia->data);
    }
    notes.empty = object.attribute("empty") != nullptr;
    const std::vector<Jld2Address> old = addresses_of(object.attribute("field_datatypes"));
    notes.field_types = addresses_of(object.attribute("field_types"));
    notes.field_names = texts_of(object.attribute("field_names"));
    if (notes.field_names.size() != notes.field_types.size())
      refuse_jld2("a type has not as many fields as names");
    for (std::size_t index = 0; index < object.type->members.size(); ++index) {
      Jld2Address type = index < old.size() ? old[index] : kNoAddress;
      const auto named = std::ranges::find(notes.field_names, object.type->members[index].name);
      if (named != notes.field_names.end())
        type = notes.field_types[static_cast<std::size_t>(named - notes.field_names.begin())];
      notes.member_types.push_back(type == 0 ? kNoAddress : type);
    }
    --depth_;
    return notes;
  }

  std::vector<Jld2Address> addresses_of(const Jld2Attribute* attribute) {
    std::vector<Jld2Address> addresses;
    if (attribute == nullptr || attribute->type->kind != Jld2Class::kReference) return addresses;
    const auto count = static_cast<std::size_t>(count_values(attribute->space));
    file_.spend(count / 8);
    addresses.resize(count);
    if (count > 0) std::memcpy(addresses.data(), attribute->data.data(), count * 8);
    return addresses;
  }

  std::vector<std::string> texts_of(const Jld2Attribute* attribute) {
    std::vector<std::string> texts;
    if (attribute == nullptr || attribute->type->kind != Jld2Class::kVariable) return texts;
    const auto count = static_cast<std::size_t>(count_values(attribute->space));
    for (std::size_t index = 0; index < count; ++index) {
      const Jld2Bytes letters = source_.variable(attribute->data.subspan(index * 16, 16), 1);
      file_.spend(1 + letters.size() / 64);
      texts.emplace_back(reinterpret_cast<const char*>(letters.data()), letters.size());
    }
    return texts;
  }

  JuliaFile& file_;
  Jld2File source_;
  std::map<Jld2Address, const JuliaValue*> values_;
  std::map<Jld2Address, TypeNotes> notes_;
  int depth_ = 0;
};

}  // namespace

void read_jld2_values(JuliaFile& file) { file.root = Jld2Julia(file).read_root(); }

}  // namespace figment::converter
