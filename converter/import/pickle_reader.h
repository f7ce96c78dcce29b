// The walk over a pickle's opcodes: a stack of values, marks in it, and a memo of earlier ones.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "converter/import/pickle.h"

namespace figment::converter {

class PickleReader {
  using Kind = PickleValue::Kind;
  // What values may take in memory, as a multiple of the file's size, and for small files; the
  // stack may be there twice while it grows.
  static constexpr std::uint64_t kMostExpansion = 2;
  static constexpr std::uint64_t kAlwaysAllowed = std::uint64_t{8} << 20;
  static constexpr std::size_t kMostText = std::size_t{64} << 20;

 public:
  PickleReader(Pickle& pickle, std::span<const std::byte> bytes, const PickleOptions& options)
      : pickle_(pickle),
        bytes_(bytes),
        options_(options),
        budget_(std::max(options.file_bytes * kMostExpansion, kAlwaysAllowed)) {}

  void read();

  static PickleValue make_value(Kind kind, std::int64_t integer = 0) {
    PickleValue value;
    value.kind = kind;
    value.integer = integer;
    return value;
  }

 private:
  [[noreturn]] void damaged(const std::string& why) const {
    throw DamagedFile(options_.file + " is cut off or damaged: its pickle " + why +
                      "; download or save it again");
  }

  // ---- Bytes ----

  std::span<const std::byte> take(std::uint64_t count) {
    if (count > bytes_.size() - at_) damaged("ends too early");
    const auto part = bytes_.subspan(at_, count);
    at_ += count;
    return part;
  }
  std::uint64_t number(int width) {
    std::uint64_t value = 0;
    const auto part = take(static_cast<std::uint64_t>(width));
    for (int index = width - 1; index >= 0; --index)
      value = value << 8 | std::to_integer<std::uint64_t>(part[static_cast<std::size_t>(index)]);
    return value;
  }
  std::string text(std::uint64_t count) {
    if (count > kMostText) damaged("has a text of more than 64 MB");
    spend(count);
    const auto part = take(count);
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }
  // Up to the end of the line, which is left out.
  std::string line() {
    std::size_t end = at_;
    while (end < bytes_.size() && bytes_[end] != std::byte{'\n'}) ++end;
    if (end == bytes_.size()) damaged("ends too early");
    std::string found = text(end - at_);
    ++at_;
    return found;
  }

  // ---- Values ----

  void spend(std::uint64_t bytes) {
    if (bytes > budget_) damaged("would take several times the file's size in memory");
    budget_ -= bytes;
  }
  void push(const PickleValue& value) {
    spend(sizeof(PickleValue));
    stack_.push_back(value);
  }
  PickleObject& push_object(Kind kind) {
    spend(sizeof(PickleObject));
    PickleValue value = make_value(kind);
    value.object = &pickle_.objects_.emplace_back();
    push(value);
    return *value.object;
  }
  void push_text(std::string value) { push_object(Kind::kText).text = std::move(value); }
  PickleValue pop() {
    // What stands below a mark belongs to others.
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) damaged("takes more than it built");
    const PickleValue value = stack_.back();
    stack_.pop_back();
    return value;
  }
  PickleValue& top() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) damaged("takes more than it built");
    return stack_.back();
  }
  std::vector<PickleValue> pop_to_mark() {
    if (marks_.empty()) damaged("lacks a mark");
    std::vector<PickleValue> values(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()),
                                    stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    spend(values.size() * sizeof(PickleValue));
    return values;
  }
  void push_tuple(std::size_t count) {
    std::vector<PickleValue> items(count);
    for (std::size_t index = count; index > 0; --index) items[index - 1] = pop();
    spend(count * sizeof(PickleValue));
    push_object(Kind::kTuple).items = std::move(items);
  }
  // Appends to the list, set or dictionary on top.
  void append(const std::vector<PickleValue>& items) {
    const PickleValue& to = top();
    if (to.is(Kind::kOpaque)) return;
    if (!to.is(Kind::kList) && !to.is(Kind::kTuple) && !to.is(Kind::kDictionary))
      damaged("adds items to what is no list");
    if (to.is(Kind::kDictionary) && items.size() % 2 != 0) damaged("has a key without a value");
    spend(items.size() * sizeof(PickleValue));
    to.object->items.insert(to.object->items.end(), items.begin(), items.end());
  }

  void memoize(std::uint64_t key) {
    spend(2 * sizeof(PickleValue));
    memo_[key] = top();
  }
  void recall(std::uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) damaged("recalls what it did not build");
    push(found->second);
  }
  template <typename T>
  T decimal(std::string_view digits) {
    T value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size())
      damaged("has a number that is none");
    return value;
  }
  void push_long(std::uint64_t width);
  void push_integer_line();
  void push_global(const std::string& module, const std::string& name);
  void reduce();
  void new_object();
  void build();
  void persistent();
  bool step_scalar(unsigned opcode);
  bool step_container(unsigned opcode);
  bool step_memo(unsigned opcode);
  bool step_object(unsigned opcode);

  Pickle& pickle_;
  std::span<const std::byte> bytes_;
  const PickleOptions& options_;
  std::uint64_t budget_;
  std::size_t at_ = 0;
  std::vector<PickleValue> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, PickleValue> memo_;
};

}  // namespace figment::converter
