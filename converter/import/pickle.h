// Python's pickles, as torch.save and torch.jit.save write them: read as data, never run.
//
// A pickle is a little program that may call anything that Python has. Here it can build numbers,
// text, tuples, lists, dictionaries and tensors; whatever else it names is refused by that name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "converter/graph/graph.h"

namespace figment::converter {

struct PickleObject;

struct PickleValue {
  enum class Kind : std::uint8_t {
    kNone,
    kBool,     // integer 0 or 1
    kInteger,  // of more than 64 bits: saturated
    kNumber,
    kText,   // object->text, bytes too
    kTuple,  // object->items; sets too
    kList,
    kDictionary,  // object->items: key, value, key, value ...
    kGlobal,      // a known name of Python: object->text "module name"
    kStorage,     // object: text is its key, type its numbers' type
    kTensor,      // object: storage, offset, sizes, strides, type
    kInstance,    // of a TorchScript class: text is its name, items as in a dictionary
    kOpaque       // something harmless that is of no use here
  };
  Kind kind = Kind::kNone;
  std::int64_t integer = 0;
  double number = 0;
  PickleObject* object = nullptr;

  bool is(Kind wanted) const { return kind == wanted; }
};

// Types of a tensor's numbers.
enum class TorchType : std::uint8_t {
  kFloat32,
  kFloat64,
  kFloat16,
  kBfloat16,
  kInt8,
  kUint8,
  kInt16,
  kInt32,
  kInt64,
  kBool,
  kOther  // complex, quantized ...
};
std::size_t bytes_of(TorchType type);  // 0 for kOther

struct PickleObject {
  std::string text;
  std::vector<PickleValue> items;
  TorchType type = TorchType::kOther;
  PickleObject* storage = nullptr;
  std::int64_t offset = 0;  // in numbers; of legacy storages too
  std::int64_t count = 0;   // of a storage's numbers, as the pickle has it
  std::vector<std::int64_t> sizes, strides;
};

struct PickleOptions {
  std::string file;              // for messages: "'model.pt'"
  std::uint64_t file_bytes = 0;  // its size, with which what is built is compared
  bool script_classes = false;   // instances of TorchScript's classes (__torch__...) are taken
};

// The result of a pickle. It owns all that its values point to.
class Pickle {
 public:
  // Reads the pickle that `bytes` begin with. Throws ConvertError.
  Pickle(std::span<const std::byte> bytes, const PickleOptions& options);
  Pickle(Pickle&&) = default;
  Pickle& operator=(Pickle&&) = default;
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;

  const PickleValue& root() const { return root_; }
  // Everything that was built, reached or not.
  const std::deque<PickleObject>& objects() const { return objects_; }
  // How many bytes it took.
  std::size_t length() const { return length_; }

 private:
  friend class PickleReader;
  std::deque<PickleObject> objects_;
  PickleValue root_;
  std::size_t length_ = 0;
};

// The value of a text key in a dictionary or instance; nullptr: none.
const PickleValue* find_item(const PickleValue& dictionary, std::string_view key);

}  // namespace figment::converter
