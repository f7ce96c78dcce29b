// Julia values from a file of JLD2.
//
// JLD2 makes an HDF5 type of each of Julia's, with an attribute "julia_type" that names it; a
// struct is a compound of its fields, but those that hold nothing (functions, for one) are left
// out. A tuple's can be told from the parameters of its type; newer versions list all fields in
// "field_names" and "field_types". Mutable values and arrays are objects of their own, which others
// refer to.
#include "converter/import/flux/jld2_julia.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>

#include "converter/graph/graph.h"
#include "converter/import/hdf5_object.h"

namespace figment::converter {
namespace {

using Address = std::uint64_t;
using Bytes = std::span<const std::byte>;

constexpr int kMaxDepth = 256;
constexpr Address kNoAddress = Hdf5Object::kNoName;
constexpr std::size_t kPointerBytes = 16;  // of a value in the heap

[[noreturn]] void damaged(const std::string& what) {
  throw DamagedFile("the file is cut off or damaged: " + what +
                    "; copy it again, or save the model again with JLD2.@save");
}

// What the file says of a committed type.
struct TypeNotes {
  const JuliaValue* type = nullptr;
  bool empty = false;                    // its values hold nothing
  std::vector<Address> member_types;     // of a compound's members; kNoAddress: HDF5's own
  std::vector<std::string> field_names;  // all of the struct's fields, where the file says
  std::vector<Address> field_types;
};

class Jld2Julia {
 public:
  explicit Jld2Julia(JuliaFile& file)
      : file_(file), source_(std::make_shared<Hdf5Reader>(file.release())) {
    file.keep(source_);
  }

  const JuliaValue* read_root() {
    const JuliaValue* root = value(source_->root());
    if (!root->is(JuliaKind::kDictionary)) damaged("its root is no group");
    return root;
  }

 private:
  void deeper() {
    if (++depth_ > kMaxDepth) damaged("its values are nested more than 256 deep");
  }

  // ---- Objects ----

  // Nothing where there is no address. What leads to itself is kOther there.
  const JuliaValue* value(Address address) {
    if (address == 0 || address == kNoAddress) return file_.nothing();
    if (const auto known = values_.find(address); known != values_.end()) return known->second;
    values_[address] = &file_.add(JuliaKind::kOther);
    deeper();
    const Hdf5Object& object = source_->object(address);
    const bool array = object.layout != Hdf5Object::Layout::kNone || object.null_space;
    const JuliaValue* read = object.group ? group(object)
                             : array      ? dataset(object)
                                          : notes(address).type;
    --depth_;
    return values_[address] = read;
  }

  const JuliaValue* group(const Hdf5Object& object) {
    JuliaValue& value = file_.add(JuliaKind::kDictionary);
    for (const auto& [name, address] : object.links) {
      if (name == "_types") continue;
      file_.spend(1 + name.size() / 64);
      value.names.emplace_back(name);
      value.items.push_back(this->value(address));
    }
    return &value;
  }

  // A dataset's elements; those that had to be unpacked are kept by the file.
  Bytes elements_of(const Hdf5Object& object) {
    const std::uint64_t most = 3 * source_->file_bytes() + (1 << 16);  // beside the file itself
    auto unpacked = std::make_shared<std::vector<std::byte>>();
    if (unpacked_bytes_ + source_->room_to_unpack(object) > most)
      damaged("its arrays are packed to less than two thirds of their size, which weights are not");
    const Bytes elements = source_->elements(object, *unpacked);
    unpacked_bytes_ += unpacked->size();
    if (!unpacked->empty()) file_.keep(unpacked);
    return elements;
  }

  const JuliaValue* dataset(const Hdf5Object& object) {
    if (!object.type) damaged("an array has no type");
    const Hdf5Type& type = *object.type;
    if (object.null_space || !object.shape) return &file_.add(JuliaKind::kList);
    const Bytes elements = elements_of(object);
    if (object.shape->empty()) return one(type, elements, object.named_type);

    const JuliaElementType element = element_type(element_name(type));
    if (element.bytes > 0) {
      JuliaValue& value = file_.add(JuliaKind::kNumbers);
      value.element = element.element;
      value.extents.assign(object.shape->rbegin(), object.shape->rend());
      value.data = elements;
      return &value;
    }
    JuliaValue& value = file_.add(JuliaKind::kList);
    const std::size_t count = elements.size() / type.size;
    file_.spend(count / 4);
    value.items.reserve(count);
    for (std::size_t index = 0; index < count; ++index)
      value.items.push_back(
          one(type, elements.subspan(index * type.size, type.size), object.named_type));
    return &value;
  }

  // ---- Values ----

  // Julia's name of HDF5's numbers; empty of other types.
  static std::string_view element_name(const Hdf5Type& type) {
    constexpr std::string_view kSigned[] = {"Int8", "Int16", "Int32", "Int64"};
    constexpr std::string_view kUnsigned[] = {"UInt8", "UInt16", "UInt32", "UInt64"};
    if (type.big_endian) return "";
    if (type.kind == Hdf5Class::kBits) return type.size == 1 ? "Bool" : "";
    if (type.kind == Hdf5Class::kInteger && type.is_number())
      return (type.has_sign ? kSigned : kUnsigned)[std::countr_zero(type.size)];
    if (type.kind == Hdf5Class::kFloat)
      return type.size == 2 ? "Float16" : type.size == 4 ? "Float32" : "Float64";
    return "";
  }

  // `committed`: the object that says which of Julia's types it is.
  const JuliaValue* one(const Hdf5Type& type, Bytes bytes, Address committed) {
    deeper();
    if (bytes.size() < type.size) damaged("a value is cut off");
    const JuliaValue* value = one_here(type, bytes.first(type.size), committed);
    --depth_;
    return value;
  }

  const JuliaValue* one_here(const Hdf5Type& type, Bytes bytes, Address committed) {
    const TypeNotes* notes = committed == kNoAddress ? nullptr : &this->notes(committed);
    switch (type.kind) {
      case Hdf5Class::kCompound:
        return compound(type, bytes, notes);
      case Hdf5Class::kReference: {
        if (bytes.size() != 8) damaged("a reference is not of 8 bytes");
        Address address = 0;
        std::memcpy(&address, bytes.data(), 8);
        return dictionary_of(value(address), notes);
      }
      case Hdf5Class::kText:
        return text({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, notes);
      case Hdf5Class::kVariable: {
        if (!type.text) return &file_.add(JuliaKind::kOther);
        const Bytes letters = source_->variable(type, bytes.data()).data;
        return text({reinterpret_cast<const char*>(letters.data()), letters.size()}, notes);
      }
      case Hdf5Class::kOpaque:
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

  const JuliaValue* compound(const Hdf5Type& type, Bytes bytes, const TypeNotes* notes) {
    if (notes == nullptr) return &file_.add(JuliaKind::kOther);
    const std::string_view name = short_name(*notes->type);
    if (name == "DataType") return data_type(type, bytes);

    JuliaValue& value = file_.add(JuliaKind::kStruct);
    value.type = notes->type;
    for (std::size_t index = 0; index < type.members.size(); ++index) {
      const Hdf5Type::Member& member = type.members[index];
      const Address committed =
          index < notes->member_types.size() ? notes->member_types[index] : kNoAddress;
      value.names.push_back(member.name);
      value.items.push_back(one(type.parts[member.type], bytes.subspan(member.offset), committed));
    }
    if (name == "Tuple" || name == "NTuple" || name == "NamedTuple") {
      complete_tuple(value);
    } else if (!notes->field_names.empty()) {
      complete(value, notes->field_names, [&](std::size_t index) -> const JuliaValue* {
        const Address missing = notes->field_types[index];
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
        damaged("a NamedTuple's type lacks its names");
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
    if (names.size() != type->items.size()) damaged("a NamedTuple has not as many names as values");
    if (names.size() < value.items.size()) damaged("a tuple has more values than its type");
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
  static bool describes_types(const Hdf5Type& type) {
    if (type.kind != Hdf5Class::kCompound || type.members.size() != 2) return false;
    const Hdf5Type& name = type.parts[type.members[0].type];
    const Hdf5Type& parameters = type.parts[type.members[1].type];
    return name.kind == Hdf5Class::kVariable && name.text &&
           parameters.kind == Hdf5Class::kVariable && parameters.parts[0].size == 8;
  }

  const JuliaValue* data_type(const Hdf5Type& type, Bytes bytes) {
    if (!describes_types(type)) damaged("a type's description is of an unknown form");
    const auto list = [&](std::size_t member) {
      const Hdf5Type::Member& place = type.members[member];
      return source_->variable(type.parts[place.type], bytes.data() + place.offset).data;
    };
    JuliaValue& value = file_.add(JuliaKind::kType);
    const Bytes name = list(0);
    file_.spend(name.size() / 64);
    value.text.assign(reinterpret_cast<const char*>(name.data()), name.size());
    const Bytes addresses = list(1);
    for (std::size_t at = 0; at + 8 <= addresses.size(); at += 8) {
      file_.spend(1);
      Address address = 0;
      std::memcpy(&address, addresses.data() + at, 8);
      value.items.push_back(this->value(address));
    }
    return &value;
  }

  static const Hdf5Attribute* attribute(const Hdf5Object& object, std::string_view name) {
    const auto found = std::ranges::find(object.attributes, name, &Hdf5Attribute::name);
    return found == object.attributes.end() ? nullptr : &*found;
  }

  const TypeNotes& notes(Address address) {
    const auto [place, is_new] = notes_.try_emplace(address);
    TypeNotes& notes = place->second;
    if (!is_new) {
      if (notes.type == nullptr) damaged("a type is defined by itself");
      return notes;
    }
    deeper();
    const Hdf5Object& object = source_->object(address);
    if (!object.type) damaged("a type is missing");
    const Hdf5Attribute* julia = attribute(object, "julia_type");
    if (julia == nullptr || !describes_types(julia->type) || !julia->shape.empty()) {
      JuliaValue& unknown = file_.add(JuliaKind::kType);
      notes.type = &unknown;
    } else {
      notes.type = data_type(julia->type, julia->data);
    }
    notes.empty = attribute(object, "empty") != nullptr;
    const std::vector<Address> old = addresses_of(attribute(object, "field_datatypes"));
    notes.field_types = addresses_of(attribute(object, "field_types"));
    notes.field_names = texts_of(attribute(object, "field_names"));
    if (notes.field_names.size() != notes.field_types.size())
      damaged("a type has not as many fields as names");
    for (std::size_t index = 0; index < object.type->members.size(); ++index) {
      Address type = index < old.size() ? old[index] : kNoAddress;
      const auto named = std::ranges::find(notes.field_names, object.type->members[index].name);
      if (named != notes.field_names.end())
        type = notes.field_types[static_cast<std::size_t>(named - notes.field_names.begin())];
      notes.member_types.push_back(type == 0 ? kNoAddress : type);
    }
    --depth_;
    return notes;
  }

  std::vector<Address> addresses_of(const Hdf5Attribute* list) {
    std::vector<Address> addresses;
    if (list == nullptr || list->type.kind != Hdf5Class::kReference || list->type.size != 8)
      return addresses;
    file_.spend(list->data.size() / 64);
    addresses.resize(list->data.size() / 8);
    std::ranges::copy(list->data.first(addresses.size() * 8),
                      std::as_writable_bytes(std::span(addresses)).begin());
    return addresses;
  }

  std::vector<std::string> texts_of(const Hdf5Attribute* list) {
    std::vector<std::string> texts;
    if (list == nullptr || list->type.kind != Hdf5Class::kVariable ||
        list->type.size != kPointerBytes)
      return texts;
    for (std::size_t at = 0; at + kPointerBytes <= list->data.size(); at += kPointerBytes) {
      const Bytes letters = source_->variable(list->type, list->data.data() + at).data;
      file_.spend(1 + letters.size() / 64);
      texts.emplace_back(reinterpret_cast<const char*>(letters.data()), letters.size());
    }
    return texts;
  }

  JuliaFile& file_;
  std::shared_ptr<Hdf5Reader> source_;
  std::uint64_t unpacked_bytes_ = 0;  // of all that was compressed
  std::map<Address, const JuliaValue*> values_;
  std::map<Address, TypeNotes> notes_;
  int depth_ = 0;
};

}  // namespace

void read_jld2_values(JuliaFile& file) {
  // JLD2's superblocks, of version 2, stand behind its text and say how long the file is in all.
  constexpr std::size_t kSuperblock = 512, kVersion = kSuperblock + 8, kEnd = kSuperblock + 28;
  const Bytes bytes = file.bytes();
  if (bytes.size() < kEnd + 8) damaged("it is shorter than its superblock");
  std::uint64_t end = 0;
  std::memcpy(&end, bytes.data() + kEnd, 8);
  if (bytes[kVersion] == std::byte{2} && end > bytes.size()) damaged("it is shorter than it says");
  file.root = Jld2Julia(file).read_root();
}

}  // namespace figment::converter
