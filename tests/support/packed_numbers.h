// Numbers as ONNX's messages hold them one by one (TensorProto's float_data, int64_data ...).
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace figment::testing {

inline std::string packed_varints(const std::vector<std::int64_t>& numbers) {
  std::string bytes;
  for (const std::int64_t number : numbers) {
    auto left = static_cast<std::uint64_t>(number);
    for (; left >= 128; left >>= 7) bytes += static_cast<char>(left | 128);
    bytes += static_cast<char>(left);
  }
  return bytes;
}

template <typename Number>
std::string packed_fixed(const std::vector<Number>& numbers) {
  std::string bytes(numbers.size() * sizeof(Number), '\0');
  if (!numbers.empty()) std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}

}  // namespace figment::testing
