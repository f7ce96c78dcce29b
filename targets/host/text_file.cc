// Checks every value's type and keeps what a file of the format can hold.
#include "targets/host/text_file.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "targets/host/exit_code.h"
#include "targets/host/input_file.h"

namespace figment::host {
namespace {

using Json = nlohmann::ordered_json;

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {
    const std::vector<std::byte> bytes = read_file(path);
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    json_ = Json::parse(text, text + bytes.size(), nullptr, false);
    if (!json_.is_object()) throw refuse("it is no JSON object");
    for (const auto& [key, value] : json_.items())
      if (key != "vocabulary" && key != "start" && key != "end" && key != "length" &&
          key != "symbol" && key != "states")
        throw refuse("'" + key + "' is none of vocabulary, start, end, length, symbol and states");
  }

  std::vector<std::string> vocabulary() const {
    const Json* list = find("vocabulary");
    if (list == nullptr || !list->is_array() || list->empty())
      throw refuse("'vocabulary' must be a list of strings");
    std::vector<std::string> symbols;
    for (const Json& symbol : *list) {
      if (!symbol.is_string()) throw refuse("'vocabulary' must be a list of strings");
      symbols.push_back(symbol.get<std::string>());
    }
    return symbols;
  }

  // `absent` when the key is not there or null.
  int number(const char* key, int absent) const {
    const Json* value = find(key);
    if (value == nullptr) return absent;
    // As double, which tells 2^64 - 1 from -1.
    const double number = value->is_number_integer() ? value->get<double>() : -2;
    if (number < -1 || number > std::numeric_limits<int>::max())
      throw refuse("'" + std::string(key) + "' must be a whole number");
    return static_cast<int>(number);
  }

  std::string symbol() const {
    const Json* name = find("symbol");
    if (name == nullptr) return {};
    if (!name->is_string() || name->get<std::string>().empty())
      throw refuse("'symbol' must be the name of an input");
    return name->get<std::string>();
  }

  std::vector<std::pair<std::string, std::string>> states() const {
    const Json* pairs = find("states");
    std::vector<std::pair<std::string, std::string>> result;
    if (pairs == nullptr) return result;
    if (!pairs->is_object()) throw refuse("'states' must be an object of inputs and outputs");
    for (const auto& [input, output] : pairs->items()) {
      if (!output.is_string()) throw refuse("'states' must be an object of inputs and outputs");
      result.emplace_back(input, output.get<std::string>());
    }
    return result;
  }

  VerbError refuse(const std::string& why) const {
    return VerbError(ExitCode::kBadFile,
                     input_name(path_) + " does not say how a text is made: " + why);
  }

 private:
  const Json* find(const char* key) const {
    const auto at = json_.find(key);
    return at == json_.end() || at->is_null() ? nullptr : &*at;
  }

  std::string path_;
  Json json_;
};

}  // namespace

converter::TextDescription read_text_file(const std::string& path) {
  const Reader reader(path);
  converter::TextDescription text;
  text.vocabulary = reader.vocabulary();
  text.start = reader.number("start", -1);
  text.end = reader.number("end", -1);
  text.length = reader.number("length", 0);
  if (text.length < 1) throw reader.refuse("'length' must be 1 or more");
  text.symbol = reader.symbol();
  text.states = reader.states();
  return text;
}

}  // namespace figment::host
