// The format is described in NumPy's numpy/lib/format.py: a magic string, a version, the length of
// a header, the header (a Python dictionary literal), and the numbers.
#include "targets/host/npy.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <string_view>

#include "targets/host/exit_code.h"

namespace figment::host {
namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);

VerbError damaged(const std::string& name, const std::string& why) {
  return {ExitCode::kBadFile, name + " is no sound .npy file: " + why};
}

// The three entries of the header's dictionary.
struct Header {
  std::string type;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
};

// Reads {'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), } and nothing else of Python.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  Header parse() {
    Header header;
    bool has_type = false, has_order = false, has_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string key = read_string();
      expect(':');
      if (key == "descr") {
        header.type = read_type();
        has_type = true;
      } else if (key == "fortran_order") {
        header.fortran_order = read_word() == "True";
        has_order = true;
      } else if (key == "shape") {
        header.shape = read_shape();
        has_shape = true;
      } else {
        throw damaged(name_, "its header has an entry '" + key + "'");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (!has_type || !has_order || !has_shape) throw damaged(name_, "its header is incomplete");
    return header;
  }

 private:
  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char letter) {
    skip_spaces();
    if (at_ == text_.size() || text_[at_] != letter) return false;
    ++at_;
    return true;
  }
  void expect(char letter) {
    if (!accept(letter)) throw damaged(name_, "its header cannot be read");
  }
  std::string read_string() {
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) throw damaged(name_, "its header cannot be read");
    std::string word(text_.substr(at_, end - at_));
    at_ = end + 1;
    return word;
  }
  std::string read_type() {
    skip_spaces();
    // Records have a list of fields here.
    if (at_ < text_.size() && text_[at_] == '[')
      throw VerbError(ExitCode::kUnsupported,
                      name_ + " holds records; save one plain array of numbers");
    return read_string();
  }
  std::string read_word() {
    skip_spaces();
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::isalpha(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    std::string word(text_.substr(begin, at_ - begin));
    if (word != "True" && word != "False") throw damaged(name_, "its header cannot be read");
    return word;
  }
  std::vector<std::int64_t> read_shape() {
    std::vector<std::int64_t> shape;
    expect('(');
    while (!accept(')')) {
      skip_spaces();
      std::int64_t extent = 0;
      const char* begin = text_.data() + at_;
      const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), extent);
      if (error != std::errc() || extent < 0) throw damaged(name_, "its shape cannot be read");
      at_ += static_cast<std::size_t>(end - begin);
      shape.push_back(extent);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return shape;
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0;
};

template <typename T>
double load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return static_cast<double>(value);
}

double load_half(const std::byte* from) {
  std::uint16_t bits = 0;
  std::memcpy(&bits, from, sizeof bits);
  const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  if (exponent == 31) return fraction != 0 ? std::nan("") : sign * HUGE_VAL;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(fraction + 1024, exponent - 25);
}

// How one type of value is stored.
struct ValueType {
  std::string_view code;  // without the byte order
  std::size_t bytes;
  double (*load)(const std::byte*);
};

constexpr ValueType kValueTypes[] = {
    {"f4", 4, load<float>},         {"f8", 8, load<double>},        {"f2", 2, load_half},
    {"i4", 4, load<std::int32_t>},  {"i8", 8, load<std::int64_t>},  {"u1", 1, load<std::uint8_t>},
    {"i1", 1, load<std::int8_t>},   {"i2", 2, load<std::int16_t>},  {"u2", 2, load<std::uint16_t>},
    {"u4", 4, load<std::uint32_t>}, {"u8", 8, load<std::uint64_t>}, {"b1", 1, load<std::uint8_t>},
};

const ValueType& find_type(const std::string& code, const std::string& name) {
  static_assert(std::endian::native == std::endian::little);
  if (code.size() >= 2)
    for (const ValueType& type : kValueTypes)
      if (code.substr(1) == type.code && (code[0] == '<' || (type.bytes == 1 && code[0] == '|')))
        return type;
  throw VerbError(ExitCode::kUnsupported,
                  name + " holds values of type '" + code + "'; save it with array.astype('<f4')");
}

// The elements of a Fortran-ordered array in row-major order.
std::vector<double> to_row_major(const std::vector<double>& values,
                                 const std::vector<std::int64_t>& shape) {
  std::vector<double> result(values.size());
  std::vector<std::int64_t> index(shape.size(), 0);
  for (double& value : result) {
    std::int64_t offset = 0;
    for (std::size_t axis = shape.size(); axis-- > 0;) offset = offset * shape[axis] + index[axis];
    value = values[static_cast<std::size_t>(offset)];
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
  return result;
}

}  // namespace

bool is_npy(std::span<const std::byte> bytes) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())
      .starts_with(kMagic);
}

ArrayLayout find_npy(std::span<const std::byte> bytes, const std::string& name) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(kMagic)) throw damaged(name, "it does not begin as one");
  if (text.size() < 12) throw damaged(name, "it is cut short");
  const int version = static_cast<int>(bytes[6]);
  if (version < 1 || version > 3)
    throw VerbError(ExitCode::kUnsupported, name + " has version " + std::to_string(version) +
                                                " of the .npy format; this program reads 1 to 3");
  std::size_t header_bytes = 0;
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  for (std::size_t index = 0; index < length_bytes; ++index)
    header_bytes |= static_cast<std::size_t>(bytes[8 + index]) << (8 * index);
  const std::size_t begin = 8 + length_bytes;
  if (header_bytes > text.size() - begin) throw damaged(name, "it is cut short");
  const Header header = HeaderParser(text.substr(begin, header_bytes), name).parse();
  const ValueType& type = find_type(header.type, name);

  // Compared against the bytes that are there before anything is multiplied out.
  const std::uint64_t most = text.size() / type.bytes;
  std::uint64_t count = 1;
  for (const std::int64_t extent : header.shape) {
    if (extent > 0 && count > most / static_cast<std::uint64_t>(extent))
      throw damaged(name, "it is cut short");
    count *= static_cast<std::uint64_t>(extent);
  }
  const std::size_t data = begin + header_bytes;
  if (text.size() - data < count * type.bytes) throw damaged(name, "it is cut short");
  if (text.size() - data > count * type.bytes)
    throw damaged(name, "it holds more than its shape says");
  return {header.shape, data, type.bytes, type.load, type.code == "u1", header.fortran_order};
}

Array read_npy(std::span<const std::byte> bytes, const std::string& name) {
  const ArrayLayout layout = find_npy(bytes, name);
  Array array{layout.shape, {}};
  array.values.resize((bytes.size() - layout.begin) / layout.element_bytes);
  const std::byte* from = bytes.data() + layout.begin;
  for (double& value : array.values) {
    value = layout.load(from);
    from += layout.element_bytes;
  }
  if (layout.fortran_order) array.values = to_row_major(array.values, array.shape);
  return array;
}

std::vector<std::byte> write_npy(const std::vector<std::int64_t>& shape,
                                 const std::vector<double>& values, DataType type) {
  if (type != DataType::kFloat32 && type != DataType::kInt32)
    throw VerbError(ExitCode::kUnsupported, "only float32 and int32 can be written as .npy");
  std::string header = type == DataType::kFloat32 ? "{'descr': '<f4'" : "{'descr': '<i4'";
  header += ", 'fortran_order': False, 'shape': (";
  for (const std::int64_t extent : shape) header += std::to_string(extent) + ", ";
  if (shape.size() > 1) header.resize(header.size() - 2);  // (3,) but (3, 4), as NumPy writes them
  if (shape.size() == 1) header.pop_back();
  header += "), }";
  // The numbers begin at a multiple of 64.
  constexpr std::size_t kPreamble = 10;
  header.append(63 - (kPreamble + header.size()) % 64, ' ');
  header += '\n';

  std::string file(kMagic);
  file += {'\x01', '\x00', static_cast<char>(header.size() & 255),
           static_cast<char>(header.size() >> 8)};
  file += header;
  std::vector<std::byte> bytes(file.size() + values.size() * 4);
  std::memcpy(bytes.data(), file.data(), file.size());
  std::byte* at = bytes.data() + file.size();
  for (const double value : values) {
    if (type == DataType::kFloat32) {
      const auto number = static_cast<float>(value);
      std::memcpy(at, &number, sizeof number);
    } else {
      const auto number = static_cast<std::int32_t>(value);
      std::memcpy(at, &number, sizeof number);
    }
    at += 4;
  }
  return bytes;
}

}  // namespace figment::host
