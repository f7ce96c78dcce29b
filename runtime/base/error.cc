// Builds the sentence inside a Status.
#include "runtime/base/error.h"

namespace figment {
namespace {

void append(Status& status, char letter) {
  if (status.text_length < Status::kMessageBytes) status.text[status.text_length++] = letter;
}

void append(Status& status, std::string_view words) {
  for (char letter : words) append(status, letter);
}

void append(Status& status, std::int64_t number) {
  char digits[20];
  int count = 0;
  std::uint64_t rest = static_cast<std::uint64_t>(number);
  if (number < 0) {
    append(status, '-');
    rest = 0 - rest;
  }
  do {
    digits[count++] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  while (count > 0) append(status, digits[--count]);
}

void append(Status& status, const Shape& shape) {
  if (shape.rank == 0) append(status, "a scalar");
  for (int axis = 0; axis < shape.rank; ++axis) {
    if (axis > 0) append(status, 'x');
    append(status, static_cast<std::int64_t>(shape[axis]));
  }
}

}  // namespace

Status make_error(ErrorCode code, std::initializer_list<Piece> pieces) {
  Status status;
  status.code = code;
  for (const Piece& piece : pieces) {
    switch (piece.kind) {
      case Piece::Kind::kLiteral:
        append(status, std::string_view(piece.letters));
        break;
      case Piece::Kind::kText:
        append(status, std::string_view(piece.letters, piece.length));
        break;
      case Piece::Kind::kNumber:
        append(status, piece.number);
        break;
      case Piece::Kind::kShape:
        append(status, *piece.shape);
        break;
    }
  }
  return status;
}

}  // namespace figment
