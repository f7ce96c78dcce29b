// Reads pickles. The opcodes are those of Python's pickle.py, protocols 0 to 5; the globals those
// that PyTorch's own `weights_only` takes.
#include "converter/import/pickle.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "converter/import/pickle_reader.h"

namespace figment::converter {

using Kind = PickleValue::Kind;

// ---- Numbers and text ----

// Two's complement of any width.
void PickleReader::push_long(std::uint64_t width) {
  const auto part = take(width);
  std::uint64_t value = 0;
  const bool negative = !part.empty() && (std::to_integer<unsigned>(part.back()) & 0x80U) != 0;
  for (std::size_t index = 0; index < std::min<std::size_t>(part.size(), 8); ++index)
    value |= std::to_integer<std::uint64_t>(part[index]) << (8 * index);
  if (negative && part.size() < 8) value |= ~std::uint64_t{0} << (8 * part.size());
  auto number = std::bit_cast<std::int64_t>(value);
  if (part.size() > 8)
    number = negative ? std::numeric_limits<std::int64_t>::min()
                      : std::numeric_limits<std::int64_t>::max();
  push(make_value(Kind::kInteger, number));
}

void PickleReader::push_integer_line() {
  std::string digits = line();
  if (digits == "00" || digits == "01")
    return push(make_value(Kind::kBool, digits == "01" ? 1 : 0));
  if (digits.ends_with('L')) digits.pop_back();
  push(make_value(Kind::kInteger, decimal<std::int64_t>(digits)));
}

bool PickleReader::step_scalar(unsigned opcode) {
  switch (opcode) {
    case 'N':
      push(make_value(Kind::kNone));
      return true;
    case 0x88:
    case 0x89:
      push(make_value(Kind::kBool, opcode == 0x88 ? 1 : 0));
      return true;
    case 'I':
    case 'L':
      push_integer_line();
      return true;
    case 'J':
      push(make_value(Kind::kInteger,
                      std::bit_cast<std::int32_t>(static_cast<std::uint32_t>(number(4)))));
      return true;
    case 'K':
      push(make_value(Kind::kInteger, static_cast<std::int64_t>(number(1))));
      return true;
    case 'M':
      push(make_value(Kind::kInteger, static_cast<std::int64_t>(number(2))));
      return true;
    case 0x8a:
      push_long(number(1));
      return true;
    case 0x8b:
      push_long(number(4));
      return true;
    case 'F':
    case 'G': {
      PickleValue value = make_value(Kind::kNumber);
      if (opcode == 'F') {
        value.number = decimal<double>(line());
      } else {
        std::uint64_t bits = 0;
        for (const std::byte byte : take(8))
          bits = bits << 8 | std::to_integer<std::uint64_t>(byte);
        value.number = std::bit_cast<double>(bits);
      }
      push(value);
      return true;
    }
    case 'S': {
      const std::string quoted = line();
      if (quoted.size() < 2) damaged("has a text without quotes");
      push_text(quoted.substr(1, quoted.size() - 2));
      return true;
    }
    case 'V':
      push_text(line());
      return true;
    case 'U':
    case 'C':
    case 0x8c:
      push_text(text(number(1)));
      return true;
    case 'T':
    case 'X':
    case 'B':
      push_text(text(number(4)));
      return true;
    case 0x8d:
    case 0x8e:
    case 0x96:
      push_text(text(number(8)));
      return true;
    default:
      return false;
  }
}

// ---- Containers ----

bool PickleReader::step_container(unsigned opcode) {
  switch (opcode) {
    case '(':
      spend(sizeof(std::size_t));
      marks_.push_back(stack_.size());
      return true;
    case ')':
      push_tuple(0);
      return true;
    case 0x85:
    case 0x86:
    case 0x87:
      push_tuple(opcode - 0x84);
      return true;
    case 't':
    case 'l':
    case 0x91: {  // a frozen set
      std::vector<PickleValue> items = pop_to_mark();
      push_object(opcode == 'l' ? Kind::kList : Kind::kTuple).items = std::move(items);
      return true;
    }
    case ']':
    case 0x8f:  // a set
      push_object(opcode == ']' ? Kind::kList : Kind::kTuple);
      return true;
    case '}':
      push_object(Kind::kDictionary);
      return true;
    case 'd': {
      const std::vector<PickleValue> items = pop_to_mark();
      push_object(Kind::kDictionary);
      append(items);
      return true;
    }
    case 'a':
      append({pop()});
      return true;
    case 's': {
      const PickleValue value = pop();
      const PickleValue key = pop();
      if (!top().is(Kind::kDictionary) && !top().is(Kind::kOpaque))
        damaged("sets an item of what is no dictionary");
      append({key, value});
      return true;
    }
    case 'u':
    case 'e':
    case 0x90: {
      const std::vector<PickleValue> items = pop_to_mark();
      if ((opcode == 'u') != top().is(Kind::kDictionary) && !top().is(Kind::kOpaque))
        damaged("adds items to another kind of container");
      append(items);
      return true;
    }
    default:
      return false;
  }
}

bool PickleReader::step_memo(unsigned opcode) {
  switch (opcode) {
    case 'g':
      recall(decimal<std::uint64_t>(line()));
      return true;
    case 'h':
      recall(number(1));
      return true;
    case 'j':
      recall(number(4));
      return true;
    case 'p':
      memoize(decimal<std::uint64_t>(line()));
      return true;
    case 'q':
      memoize(number(1));
      return true;
    case 'r':
      memoize(number(4));
      return true;
    case 0x94:
      memoize(memo_.size());
      return true;
    case '0':
      pop();
      return true;
    case '1':
      pop_to_mark();
      return true;
    case '2':
      push(top());
      return true;
    default:
      return false;
  }
}

void PickleReader::read() {
  while (true) {
    const auto opcode = static_cast<unsigned>(number(1));
    if (opcode == '.') break;
    if (opcode == 0x80) {
      if (const std::uint64_t protocol = number(1); protocol > 5)
        damaged("is of protocol " + std::to_string(protocol) + ", which is not known");
      continue;
    }
    if (opcode == 0x95) {  // a frame: its length
      number(8);
      continue;
    }
    if (!step_scalar(opcode) && !step_container(opcode) && !step_memo(opcode) &&
        !step_object(opcode))
      damaged("has the opcode " + std::to_string(opcode) + ", which PyTorch does not write");
  }
  marks_.clear();
  pickle_.root_ = pop();
  pickle_.length_ = at_;
}

Pickle::Pickle(std::span<const std::byte> bytes, const PickleOptions& options) {
  PickleReader(*this, bytes, options).read();
}

const PickleValue* find_item(const PickleValue& dictionary, std::string_view key) {
  if (!dictionary.is(Kind::kDictionary) && !dictionary.is(Kind::kInstance)) return nullptr;
  const std::vector<PickleValue>& items = dictionary.object->items;
  for (std::size_t index = 0; index + 1 < items.size(); index += 2)
    if (items[index].is(Kind::kText) && items[index].object->text == key) return &items[index + 1];
  return nullptr;
}

}  // namespace figment::converter
