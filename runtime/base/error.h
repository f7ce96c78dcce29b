// Builds the sentence inside a Status from pieces, without the heap and without printf.
#pragma once

#include <concepts>
#include <initializer_list>

#include "figment/figment.h"

namespace figment {

// One piece of a sentence: text, a number, or a shape (printed as 1x4x4x512). 16 bytes, for every
// refusal in the runtime lays a few of them out.
struct Piece {
  Piece(const char* text) : kind(Kind::kLiteral), letters(text) {}
  Piece(std::string_view text)
      : kind(Kind::kText), length(static_cast<std::uint32_t>(text.size())), letters(text.data()) {}
  // Whichever of the language's types std::int32_t and std::size_t are here.
  template <std::integral Number>
  Piece(Number value) : kind(Kind::kNumber), number(static_cast<std::int64_t>(value)) {}
  Piece(const Shape& value) : kind(Kind::kShape), shape(&value) {}

  enum class Kind : std::uint32_t { kLiteral, kText, kNumber, kShape } kind;
  std::uint32_t length = 0;  // of kText; a literal ends with a 0
  union {
    const char* letters;
    std::int64_t number;
    const Shape* shape;
  };
};

// A sentence longer than the Status holds is cut.
Status make_error(ErrorCode code, std::initializer_list<Piece> pieces);

inline Status bad_file(std::initializer_list<Piece> pieces) {
  return make_error(ErrorCode::kBadFile, pieces);
}
inline Status unsupported(std::initializer_list<Piece> pieces) {
  return make_error(ErrorCode::kUnsupported, pieces);
}
inline Status bad_argument(std::initializer_list<Piece> pieces) {
  return make_error(ErrorCode::kBadArgument, pieces);
}
inline Status backend_error(std::initializer_list<Piece> pieces) {
  return make_error(ErrorCode::kBackend, pieces);
}

}  // namespace figment
