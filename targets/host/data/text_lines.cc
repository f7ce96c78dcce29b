// Keeps where each line begins, and spells it when it is asked for.
#include "targets/host/data/text_lines.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "targets/host/exit_code.h"

namespace figment::host {
namespace {

class TextLines : public DataSet {
 public:
  TextLines(std::unique_ptr<MappedFile> file, const ExampleForm& form, TextRole role,
            const std::string& name)
      : file_(std::move(file)),
        reading_(form.text->text()),
        role_(role),
        length_(static_cast<std::size_t>(form.port.shape.elements())),
        what_(form.what) {
    for (int index = 0; index < reading_.vocabulary; ++index) {
      const std::string_view symbol = form.text->symbol(index);
      if (symbol.empty()) continue;
      symbols_.emplace(symbol, index);
      longest_ = std::max(longest_, symbol.size());
    }
    find_lines(name);
  }

  std::int64_t count() const override { return static_cast<std::int64_t>(begins_.size()); }

  void read(std::int64_t index, const Tensor& to) const override {
    std::vector<std::int32_t> symbols;
    spell(line(index), symbols);
    const std::int32_t filling = role_ == TextRole::kWanted ? -1 : std::max(reading_.end, 0);
    symbols.resize(length_, filling);
    std::copy(symbols.begin(), symbols.end(), to.integers());
  }

  std::string identity() const override {
    return std::to_string(count()) + " lines in " + std::to_string(file_->bytes().size()) +
           " bytes";
  }

 private:
  std::string_view text() const {
    return {reinterpret_cast<const char*>(file_->bytes().data()), file_->bytes().size()};
  }

  std::string_view line(std::int64_t index) const {
    return line_at(begins_[static_cast<std::size_t>(index)]);
  }
  std::string_view line_at(std::size_t begin) const {
    std::string_view rest = text().substr(begin);
    rest = rest.substr(0, rest.find('\n'));
    if (rest.ends_with('\r')) rest.remove_suffix(1);
    return rest;
  }

  // Every line is spelled once, so that one that does not fit is known before the work.
  void find_lines(const std::string& name) {
    std::vector<std::int32_t> symbols;
    std::size_t number = 0;
    for (std::size_t begin = 0; begin < text().size();) {
      ++number;
      const std::string_view found = line_at(begin);
      const auto refuse = [&](const std::string& why) {
        std::string sentence = "line " + std::to_string(number) + " of ";
        sentence += name;
        sentence += " ";
        sentence += why;
        return VerbError(ExitCode::kBadArgument, sentence);
      };
      const std::size_t spelled = spell(found, symbols);
      if (spelled < found.size())
        throw refuse("cannot be written in the model's vocabulary from '" +
                     std::string(found.substr(spelled, 12)) + "' on");
      if (symbols.size() > length_)
        throw refuse("takes " + std::to_string(symbols.size()) + " symbols, but " + what_ +
                     " holds " + std::to_string(length_));
      if (!found.empty()) begins_.push_back(begin);
      const std::size_t end = text().find('\n', begin);
      if (end == std::string_view::npos) break;
      begin = end + 1;
    }
    if (begins_.empty()) throw VerbError(ExitCode::kBadArgument, name + " holds no line of text");
  }

  // Returns how many bytes could be written.
  std::size_t spell(std::string_view line, std::vector<std::int32_t>& symbols) const {
    symbols.clear();
    if (role_ == TextRole::kShown && reading_.start >= 0) symbols.push_back(reading_.start);
    std::size_t at = 0;
    while (at < line.size()) {
      std::size_t size = std::min(longest_, line.size() - at);
      auto symbol = symbols_.end();
      for (; size > 0 && symbol == symbols_.end(); --size)
        symbol = symbols_.find(line.substr(at, size));
      if (symbol == symbols_.end()) return at;
      symbols.push_back(symbol->second);
      at += symbol->first.size();
    }
    if (role_ == TextRole::kWanted && reading_.end >= 0) symbols.push_back(reading_.end);
    return at;
  }

  std::unique_ptr<MappedFile> file_;
  TextReading reading_;
  TextRole role_;
  std::size_t length_;  // of an example, in symbols
  std::string what_;
  std::unordered_map<std::string_view, std::int32_t> symbols_;  // views of the model's bytes
  std::size_t longest_ = 0;                                     // symbol, in bytes
  std::vector<std::size_t> begins_;
};

}  // namespace

std::unique_ptr<DataSet> open_text_lines(std::unique_ptr<MappedFile> file, const ExampleForm& form,
                                         TextRole role, const std::string& name) {
  return std::make_unique<TextLines>(std::move(file), form, role, name);
}

}  // namespace figment::host
