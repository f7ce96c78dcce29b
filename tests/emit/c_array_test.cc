// C source with a model in it: the bytes, the names, and that compilers of both languages take it.
#include "converter/emit/c_array.h"

#include <doctest/doctest.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

using namespace figment::converter;

namespace {

std::vector<std::byte> some_bytes(std::size_t count) {
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 256);
  return bytes;
}

// The numbers between the braces.
std::vector<std::byte> read_back(const std::string& source) {
  const std::size_t begin = source.find("= {\n") + 4;
  std::istringstream text(source.substr(begin, source.find('}', begin) - begin));
  std::vector<std::byte> bytes;
  for (std::string word; std::getline(text, word, ',');)
    if (word != "\n") bytes.push_back(static_cast<std::byte>(std::stoi(word)));
  return bytes;
}

std::size_t longest_line(const std::string& source) {
  std::size_t longest = 0;
  std::istringstream text(source);
  for (std::string line; std::getline(text, line);) longest = std::max(longest, line.size());
  return longest;
}

// Whether `command` (a compiler and its language) takes `source` with every warning on, when
// included as well as alone.
bool compiles(const std::string& command, const std::string& source) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("figment-c-array-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::string path = (folder / "model.c").string();
  std::ofstream(path) << source;
  const std::string line = command +
                           " -Wall -Wextra -Wpedantic -Wmissing-declarations -Werror -fsyntax-only "
                           "-include " +
                           path + " -x " + command.substr(command.rfind(' ') + 1) + " /dev/null";
  const bool taken = std::system(line.c_str()) == 0;
  std::filesystem::remove_all(folder);
  return taken;
}

}  // namespace

TEST_CASE("every byte is there, in lines of a bearable length, the same each time") {
  for (const std::size_t count : {1, 23, 24, 25, 48, 1000}) {
    CAPTURE(count);
    const std::vector<std::byte> bytes = some_bytes(count);
    const std::string source = emit_c_array(bytes, {"digits_fgm", "digits", 5824});
    CHECK(read_back(source) == bytes);
    CHECK(longest_line(source) <= 100);
    CHECK(source == emit_c_array(bytes, {"digits_fgm", "digits", 5824}));
    CHECK(source.find("#define DIGITS_FGM_BYTES " + std::to_string(count) + "\n") !=
          std::string::npos);
    CHECK(source.find("#define DIGITS_FGM_ARENA_BYTES 5824\n") != std::string::npos);
    CHECK(source.find("alignas(64) const unsigned char digits_fgm[DIGITS_FGM_BYTES] = {\n") !=
          std::string::npos);
  }
}

TEST_CASE("C and C++ take it without a warning") {
  // A name that would end the comment or swallow the line after it.
  const std::string source = emit_c_array(some_bytes(300), {"m", "a */ strange\nname\\", 64});
  CHECK(source.starts_with("// a */ strange?name?,"));
  CHECK(compiles("cc -std=c11 -x c", source));
  CHECK(compiles("c++ -std=c++11 -x c++", source));
  CHECK_FALSE(compiles("cc -std=c11 -x c", source + "nonsense"));
}

TEST_CASE("an array is named after its model") {
  CHECK(symbol_of("digits VAE decoder") == "digits_vae_decoder_fgm");
  CHECK(symbol_of("step-2 (final)") == "step_2_final_fgm");
  CHECK(symbol_of("64x64") == "model_64x64_fgm");
  CHECK(symbol_of("int") == "int_fgm");  // no word of the language
  CHECK(symbol_of("") == "model_fgm");
  CHECK(symbol_of("\xc3\xa9") == "model_fgm");
  for (const char* name : {"digits", "9", "", "a b", "__"}) CHECK(is_symbol(symbol_of(name)));
}

TEST_CASE("what can be a name") {
  CHECK(is_symbol("model"));
  CHECK(is_symbol("_Model_2"));
  CHECK_FALSE(is_symbol(""));
  CHECK_FALSE(is_symbol("2nd"));
  CHECK_FALSE(is_symbol("a-b"));
  CHECK_FALSE(is_symbol("a b"));
}

TEST_CASE("large files take seconds, not minutes") {
  const std::vector<std::byte> bytes = some_bytes(32 << 20);
  const auto begun = std::chrono::steady_clock::now();
  CHECK(emit_c_array(bytes, {"m", "m", 64}).size() > bytes.size());
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(30));
}
