// Writes the bytes of an .fgm file as C source: decimal numbers without blanks, the shortest that
// compilers of both languages take.
#include "converter/emit/c_array.h"

#include <array>
#include <cstdint>

namespace figment::converter {
namespace {

constexpr std::size_t kBytesALine = 24;  // 96 letters at most

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
char capital(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// Fit for the end of a comment's line: a backslash there would swallow the next one.
std::string comment_text(std::string_view name) {
  std::string text(name);
  for (char& c : text)
    if (c < 0x20 || c > 0x7e || c == '\\') c = '?';
  return text;
}

std::string numbers(std::span<const std::byte> bytes) {
  std::array<std::string, 256> words;
  for (std::size_t value = 0; value < words.size(); ++value)
    words[value] = std::to_string(value) + ',';
  std::string text;
  text.reserve(bytes.size() * 4 + bytes.size() / kBytesALine + 1);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    text += words[std::to_integer<std::size_t>(bytes[i])];
    if (i % kBytesALine == kBytesALine - 1 || i + 1 == bytes.size()) text += '\n';
  }
  return text;
}

}  // namespace

std::string emit_c_array(std::span<const std::byte> file, const CArray& array) {
  const std::string& symbol = array.symbol;
  std::string macro = symbol;
  for (char& c : macro) c = capital(c);
  return "// " + comment_text(array.model_name) +
         ", by figment convert --emit c-array.\n"
         "// Compile this file, or include it in the one that uses it.\n"
         "#ifdef __cplusplus\n"
         "extern \"C\" {\n"
         "#else\n"
         "#include <stdalign.h>\n"
         "#endif\n"
         "// The arena is that of the portable backend at batch 1: exact with 64-bit pointers, "
         "and\n"
         "// enough with shorter ones.\n"
         "#define " +
         macro + "_BYTES " + std::to_string(file.size()) + "\n#define " + macro + "_ARENA_BYTES " +
         std::to_string(array.arena_bytes) + "\nextern const unsigned char " + symbol + '[' +
         macro + "_BYTES];\nalignas(64) const unsigned char " + symbol + '[' + macro +
         "_BYTES] = {\n" + numbers(file) +
         "};\n"
         "#ifdef __cplusplus\n"
         "}\n"
         "#endif\n";
}

std::string symbol_of(std::string_view model_name) {
  std::string symbol;
  for (const char c : model_name) {
    if (is_letter(c) || is_digit(c))
      symbol += small(c);
    else if (!symbol.empty() && symbol.back() != '_')
      symbol += '_';
  }
  if (symbol.empty() || is_digit(symbol.front())) symbol = "model_" + symbol;
  return symbol + (symbol.back() == '_' ? "fgm" : "_fgm");
}

bool is_symbol(std::string_view symbol) {
  if (symbol.empty() || is_digit(symbol.front())) return false;
  for (const char c : symbol)
    if (!is_letter(c) && !is_digit(c) && c != '_') return false;
  return true;
}

}  // namespace figment::converter
